/*
 * slot_test.c
 *    Queries on replication slots, refused by the source or with the connection
 *    lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "net/pgconn_open.h"
#include "source/slot.h"
#include "support/libpq_script.h"

typedef struct Bench
{
	PgConn *replication;
	PgConn *source;
	int connecting; /* statements of that */
} Bench;

static PgConn *
open_connection(PgConnKind kind)
{
	const PgConnOptions options = {.conninfo = "host=/script",
								   .label = "source",
								   .application_name = "test",
								   .kind = kind};
	PgConn *conn = NULL;
	Error err = {0};

	if (pgconn_open(&conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	return conn;
}

static void
setup(Bench *bench, const LibpqStep *steps)
{
	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	bench->replication = open_connection(PGCONN_REPLICATION);
	bench->source = open_connection(PGCONN_DATA);
	bench->connecting = libpq_script_statements();
}

static void
teardown(Bench *bench)
{
	pgconn_close(bench->replication);
	pgconn_close(bench->source);
	libpq_script_end();
}

/* Without a look at whether all steps have come. */
static void
teardown_after_failure(Bench *bench)
{
	static const LibpqStep none[] = {{0}};

	libpq_script_steps(none);
	teardown(bench);
}

/* What is tried with a failure at each of its statements. */
typedef struct Trial
{
	const LibpqStep *steps;
	int statements;
	Rc (*run)(Bench *bench, Error *err);
} Trial;

static void
fail_at_each(const Trial *trial)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST};
	static const ErrorCode codes[] = {ERR_SQL, ERR_CONNECT};

	for (int n = 1; n <= trial->statements; n++)
		for (size_t i = 0; i < LENGTH_OF(answers); i++)
		{
			Bench bench;
			Error err = {0};

			setup(&bench, trial->steps);
			libpq_script_fail_at(bench.connecting + n, answers[i], "XX000");
			if (trial->run(&bench, &err) != RC_FAIL)
				fail_msg("statement %d fails, and nothing is said", n);
			assert_int_equal(err.code, codes[i]);
			error_reset(&err);
			teardown_after_failure(&bench);
		}
}

/* ---- the source --------------------------------------------------------- */

static const LibpqStep history_steps[] = {
	{.sql = "pg_is_in_recovery()", .answer = LIBPQ_ROWS, .rows = "t\n"},
	{.sql = "IDENTIFY_SYSTEM",
	 .answer = LIBPQ_ROWS,
	 .rows = "7700|2|0/5000|shop\n"},
	{.sql = "TIMELINE_HISTORY 2",
	 .answer = LIBPQ_ROWS,
	 .rows = "00000002.history|1\t0/3000\tno recovery target specified\n"},
	{0}};

static Rc
read_history(Bench *bench, Error *err)
{
	SourceHistory history = {0};
	Rc rc = slot_read_history(bench->replication, &history, err);

	history_release(&history);
	return rc;
}

static void
the_source_says_who_it_is(void **state UNUSED)
{
	SourceHistory history = {0};
	Error err = {0};
	Bench bench;

	setup(&bench, history_steps);
	assert_int_equal(slot_read_history(bench.replication, &history, &err),
					 RC_OK);
	assert_true(history.is_standby);
	assert_string_equal(history.identity.system_identifier, "7700");
	assert_int_equal(history.identity.timeline, 2);
	assert_int_equal(history.flush_lsn, 0x5000);
	assert_int_equal(history.end_count, 1);
	history_release(&history);
	teardown(&bench);
	fail_at_each(
		&(Trial){.steps = history_steps, .statements = 3, .run = read_history});
}

static void
the_first_timeline_has_no_history(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "pg_is_in_recovery()", .answer = LIBPQ_ROWS, .rows = "f\n"},
		{.sql = "IDENTIFY_SYSTEM",
		 .answer = LIBPQ_ROWS,
		 .rows = "7700|1|0/5000|shop\n"},
		{0}};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(read_history(&bench, &err), RC_OK);
	teardown(&bench);
}

/* What was known already does not go back. */
static void
the_end_of_the_wal_is_read_again(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "pg_current_wal_flush_lsn()",
									   .answer = LIBPQ_ROWS,
									   .rows = "0/6000\n"},
									  {.sql = "pg_current_wal_flush_lsn()",
									   .answer = LIBPQ_ROWS,
									   .rows = "0/4000\n"},
									  {.sql = "pg_current_wal_flush_lsn()",
									   .answer = LIBPQ_ROWS,
									   .rows = "\\N\n"},
									  {.sql = "pg_current_wal_flush_lsn()",
									   .answer = LIBPQ_ROWS,
									   .rows = "nowhere\n"},
									  {0}};
	SourceHistory history = {.flush_lsn = 0x5000};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	for (int i = 0; i < 3; i++)
	{
		assert_int_equal(slot_read_log_end(bench.source, &history, &err),
						 RC_OK);
		assert_int_equal(history.flush_lsn, 0x6000);
	}
	assert_int_equal(slot_read_log_end(bench.source, &history, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	error_reset(&err);
	teardown(&bench);
}

static void
who_a_server_is_may_be_hidden(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "system_identifier", .answer = LIBPQ_ROWS, .rows = "7700\n"},
		{.sql = "system_identifier",
		 .answer = LIBPQ_ERROR,
		 .sqlstate = "42501"},
		{.sql = "system_identifier",
		 .answer = LIBPQ_ERROR,
		 .sqlstate = "XX000"},
		{.sql = "system_identifier", .answer = LIBPQ_LOST},
		{0}};
	char identifier[SLOT_SYSTEM_ID_SIZE];
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(
		slot_read_system_identifier(bench.source, identifier, &err), RC_OK);
	assert_string_equal(identifier, "7700");
	assert_int_equal(
		slot_read_system_identifier(bench.source, identifier, &err), RC_OK);
	assert_string_equal(identifier, "");
	assert_int_equal(err.code, ERR_NONE);
	for (int i = 0; i < 2; i++)
	{
		assert_int_equal(
			slot_read_system_identifier(bench.source, identifier, &err),
			RC_FAIL);
		assert_string_equal(identifier, "");
		error_reset(&err);
	}
	teardown(&bench);
}

/* ---- making one --------------------------------------------------------- */

static const LibpqStep create_steps[] = {
	{.sql = "SET client_connection_check_interval"},
	{.sql = "SELECT 1", .answer = LIBPQ_ROWS, .rows = "1\n"},
	{.sql = "CREATE_REPLICATION_SLOT \"shop\" LOGICAL \"penstock\" "
			"EXPORT_SNAPSHOT",
	 .answer = LIBPQ_ROWS,
	 .rows = "shop|0/5000|00000003-1|penstock\n"},
	{0}};

static Rc
create(Bench *bench, Error *err)
{
	SlotSnapshot snapshot;

	return slot_create(bench->replication, bench->source, "shop", SLOT_LASTING,
					   &snapshot, err);
}

static void
a_slot_is_made_with_its_snapshot(void **state UNUSED)
{
	SlotSnapshot snapshot;
	Error err = {0};
	Bench bench;

	setup(&bench, create_steps);
	assert_int_equal(slot_create(bench.replication, bench.source, "shop",
								 SLOT_LASTING, &snapshot, &err),
					 RC_OK);
	assert_int_equal(snapshot.consistent_lsn, 0x5000);
	assert_string_equal(snapshot.name, "00000003-1");
	teardown(&bench);
}

/* Only the first of them can be refused without harm. */
static void
making_a_slot_fails(void **state UNUSED)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST};

	for (int n = 1; n <= 3; n++)
		for (size_t i = 0; i < LENGTH_OF(answers); i++)
		{
			bool harmless = n == 1 && answers[i] == LIBPQ_ERROR;
			Bench bench;
			Error err = {0};

			setup(&bench, create_steps);
			if (harmless)
			{
				static const LibpqStep refused[] = {
					{.sql = "SET client_connection_check_interval",
					 .answer = LIBPQ_ERROR,
					 .sqlstate = "22023"},
					{.sql = "CREATE_REPLICATION_SLOT",
					 .answer = LIBPQ_ROWS,
					 .rows = "shop|0/5000|00000003-1|penstock\n"},
					{0}};

				libpq_script_steps(refused);
			}
			else
				libpq_script_fail_at(bench.connecting + n, answers[i], "XX000");
			assert_int_equal(create(&bench, &err), harmless ? RC_OK : RC_FAIL);
			if (!harmless)
				assert_int_equal(err.code, answers[i] == LIBPQ_ERROR
											   ? ERR_SQL
											   : ERR_CONNECT);
			error_reset(&err);
			teardown_after_failure(&bench);
		}
}

/* Fails to make one in this way; the connection can be used afterwards. */
static void
refuse_to_create(const char *sqlstate, const char *server_hint,
				 const char *words)
{
	const LibpqStep steps[] = {
		{.sql = "SET client_connection_check_interval"},
		{.sql = "SELECT 1", .answer = LIBPQ_ROWS, .rows = "1\n"},
		{.sql = "CREATE_REPLICATION_SLOT",
		 .answer = LIBPQ_ERROR,
		 .sqlstate = sqlstate,
		 .message = "no",
		 .hint = server_hint},
		{.sql = "SELECT 2", .answer = LIBPQ_ROWS, .rows = "2\n"},
		{0}};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(create(&bench, &err), RC_FAIL);
	assert_non_null(strstr(err.hint, words));
	assert_non_null(strstr(err.context, "creating replication slot \"shop\""));
	error_reset(&err);
	assert_int_equal(pgconn_exec(bench.replication, "SELECT 2", NULL, &err),
					 RC_OK);
	teardown(&bench);
}

static void
it_says_what_to_do_about_it(void **state UNUSED)
{
	refuse_to_create("58P01", NULL, "Install the plugin");
	refuse_to_create("55000", NULL, "says what a source lacks");
	refuse_to_create("55000", "Set wal_level.", "Set wal_level.");
	refuse_to_create("42501", "Add it to output_plugin_libraries.",
					 "prints the statement");
}

static void
a_temporary_slot_has_a_name_of_its_own(void **state UNUSED)
{
	char name[SLOT_NAME_SIZE];
	char longest[SLOT_NAME_SIZE];
	Bench bench;

	setup(&bench, (const LibpqStep[]){{0}});
	slot_make_temporary_name(name, bench.replication, "shop", "schema");
	assert_string_equal(name, "shop_schema_1000");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	slot_make_temporary_name(name, bench.replication, longest, "schema");
	assert_int_equal(strlen(name), SLOT_NAME_SIZE - 1);
	assert_non_null(strstr(name, "a_schema_1000"));
	teardown(&bench);
}

static void
a_position_that_is_none_is_refused(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "SET client_connection_check_interval"},
		{.sql = "SELECT 1", .answer = LIBPQ_ROWS, .rows = "1\n"},
		{.sql = "CREATE_REPLICATION_SLOT",
		 .answer = LIBPQ_ROWS,
		 .rows = "shop|here|00000003-1|penstock\n"},
		{0}};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(create(&bench, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	error_reset(&err);
	teardown(&bench);
}

/* ---- looking at one ----------------------------------------------------- */

#define READ_SLOT(text)                                                        \
	{                                                                          \
		.sql = "FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",    \
		.answer = LIBPQ_ROWS, .rows = text, .columns = 7                       \
	}

static void
a_slot_is_read(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		READ_SLOT("penstock|t|t|4711|0/4000|0/5000|f\n"),
		READ_SLOT(NULL),
		READ_SLOT("penstock|t|t|4711|0/4000|\\N|f\n"),
		READ_SLOT("penstock|t|t|0|nowhere|0/5000|f\n"),
		{.sql = "pg_replication_slots", .answer = LIBPQ_LOST},
		{0}};
	SlotInfo info;
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(slot_read(bench.source, "shop", &info, &err), RC_OK);
	assert_string_equal(libpq_script_param(0), "shop");
	assert_true(info.exists && info.is_logical && info.is_this_database);
	assert_false(info.being_made || info.lost);
	assert_int_equal(info.active_pid, 4711);
	assert_int_equal(info.restart_lsn, 0x4000);
	assert_int_equal(info.confirmed_lsn, 0x5000);
	assert_int_equal(slot_read(bench.source, "shop", &info, &err), RC_OK);
	assert_false(info.exists);
	assert_int_equal(slot_read(bench.source, "shop", &info, &err), RC_OK);
	assert_true(info.being_made);
	assert_int_equal(slot_read(bench.source, "shop", &info, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	error_reset(&err);
	assert_int_equal(slot_read(bench.source, "shop", &info, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_false(info.exists);
	error_reset(&err);
	teardown(&bench);
}

static const LibpqStep making_steps[] = {
	READ_SLOT("penstock|t|t|4711|0/4000|\\N|f\n"),
	{.sql = "pg_terminate_backend(active_pid)",
	 .answer = LIBPQ_ROWS,
	 .rows = "t\n"},
	READ_SLOT("penstock|t|t|4711|0/4000|\\N|f\n"),
	{.sql = "pg_terminate_backend(active_pid)",
	 .answer = LIBPQ_ROWS,
	 .rows = "t\n"},
	READ_SLOT(NULL),
	{0}};

static Rc
end_making(Bench *bench, Error *err)
{
	return slot_end_making(bench->source, "shop", err);
}

static void
whoever_makes_a_slot_is_ended(void **state UNUSED)
{
	Error err = {0};
	Bench bench;

	setup(&bench, making_steps);
	assert_int_equal(end_making(&bench, &err), RC_OK);
	teardown(&bench);
	fail_at_each(
		&(Trial){.steps = making_steps, .statements = 5, .run = end_making});
}

/* It has a starting point: whoever uses it now does not make it. */
static void
whoever_uses_a_slot_is_not(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		READ_SLOT("penstock|t|t|4711|0/4000|0/5000|f\n"), {0}};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(end_making(&bench, &err), RC_OK);
	teardown(&bench);
}

static void
assert_unusable(const SlotInfo *info, const char *words)
{
	Error err = {0};

	assert_int_equal(slot_require_usable(info, "shop", &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, words));
	assert_non_null(err.hint);
	error_reset(&err);
}

static void
a_slot_must_be_ours_and_whole(void **state UNUSED)
{
	SlotInfo info = {.exists = true,
					 .plugin = SLOT_PLUGIN,
					 .is_logical = true,
					 .is_this_database = true};
	Error err = {0};

	assert_int_equal(slot_require_usable(&info, "shop", &err), RC_OK);
	info.lost = true;
	assert_unusable(&info, "has lost");
	info.is_this_database = false;
	assert_unusable(&info, "another database");
	memcpy(info.plugin, "pgoutput", sizeof("pgoutput"));
	assert_unusable(&info, "belongs to output plugin \"pgoutput\"");
	info.is_logical = false;
	assert_unusable(&info, "belongs to a physical standby");
	info.exists = false;
	assert_unusable(&info, "does not exist");
}

static Rc
drop(Bench *bench, Error *err)
{
	return slot_drop(bench->source, "shop", err);
}

static void
a_slot_is_dropped(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "pg_drop_replication_slot($1)",
									   .answer = LIBPQ_ROWS,
									   .rows = "\n"},
									  {0}};
	Error err = {0};
	Bench bench;

	setup(&bench, steps);
	assert_int_equal(drop(&bench, &err), RC_OK);
	teardown(&bench);
	fail_at_each(&(Trial){.steps = steps, .statements = 1, .run = drop});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_source_says_who_it_is),
		cmocka_unit_test(the_first_timeline_has_no_history),
		cmocka_unit_test(the_end_of_the_wal_is_read_again),
		cmocka_unit_test(who_a_server_is_may_be_hidden),
		cmocka_unit_test(a_slot_is_made_with_its_snapshot),
		cmocka_unit_test(making_a_slot_fails),
		cmocka_unit_test(it_says_what_to_do_about_it),
		cmocka_unit_test(a_temporary_slot_has_a_name_of_its_own),
		cmocka_unit_test(a_position_that_is_none_is_refused),
		cmocka_unit_test(a_slot_is_read),
		cmocka_unit_test(whoever_makes_a_slot_is_ended),
		cmocka_unit_test(whoever_uses_a_slot_is_not),
		cmocka_unit_test(a_slot_must_be_ours_and_whole),
		cmocka_unit_test(a_slot_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
