/*
 * session_test.c
 *    Opening a session of a follower, and that nothing leaks if a statement
 *    fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/apply/session.h"
#include "support/libpq_script.h"

/* Statements of connecting, which come first. */
#define CONNECTING 2

/* Columns of a row of penstock.progress, as progress_table.c reads them. */
#define PROGRESS_ROW "77|1|0/100|0/180|0|3|30|4|pid 1, client local\n"
#define CLAIMED_ROW  "77|1|0/100|0/180|0|3|30|5|pid 1000, client local\n"

/* Whether the schema has a table, and its version. */
#define LOOK_FOR(table)                                                        \
	{.sql = "to_regclass('penstock." table "')",                               \
	 .answer = LIBPQ_ROWS,                                                     \
	 .rows = "t|t|\\N|us\n"},                                                  \
	{                                                                          \
		.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "12\n"          \
	}

static const LibpqStep steps[] = {
	{.sql = "extname = 'citus'", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "SET plan_cache_mode", .answer = LIBPQ_ROWS, .columns = 1},
	LOOK_FOR("progress"),
	{.sql = "FROM penstock.progress WHERE",
	 .answer = LIBPQ_ROWS,
	 .rows = PROGRESS_ROW},
	{.sql = "bool_or(relname = 'progress')",
	 .answer = LIBPQ_ROWS,
	 .rows = "t|t|t|t\n"},
	{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "12\n"},
	LOOK_FOR("node"),
	{.sql = "FROM penstock.node", .answer = LIBPQ_ROWS, .columns = 2},
	{.sql = "SET session_replication_role = replica"},
	{.sql = "origin_session_reset()", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "origin_create(", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "origin_session_setup(", .answer = LIBPQ_ROWS, .rows = "\n"},
	{.sql = "BEGIN"},
	{.sql = "FOR NO KEY UPDATE", .answer = LIBPQ_ROWS, .rows = PROGRESS_ROW},
	LOOK_FOR("table_state"),
	{.sql = "FROM penstock.table_state", .answer = LIBPQ_ROWS, .columns = 4},
	LOOK_FOR("progress"),
	{.sql = "FROM penstock.progress WHERE",
	 .answer = LIBPQ_ROWS,
	 .rows = PROGRESS_ROW},
	{.sql = "lease_token = lease_token + 1",
	 .answer = LIBPQ_ROWS,
	 .rows = CLAIMED_ROW},
	{.sql = "COMMIT"},
	{.sql = "pg_terminate_backend(pid)", .answer = LIBPQ_ROWS, .columns = 1},
	LOOK_FOR("copied"),
	{.sql = "FROM penstock.copied",
	 .answer = LIBPQ_ROWS,
	 .rows = "||0|t|f|9100\npublic|rows|16384|t|f|16500\n"},
	LOOK_FOR("postponed_key"),
	{.sql = "FROM penstock.postponed_key",
	 .answer = LIBPQ_ROWS,
	 .rows = "\"t\"|\"k\"|ALTER TABLE t VALIDATE CONSTRAINT k|0/190\n"},
	LOOK_FOR("fence"),
	{.sql = "FROM penstock.fence", .answer = LIBPQ_ROWS, .rows = "0/200\n"},
	LOOK_FOR("index_build"),
	{.sql = "FROM penstock.index_build",
	 .answer = LIBPQ_ROWS,
	 .rows = "0/180\n"},
	{.sql = "SET synchronous_commit = off"},
	{0}};

static const SourceHistory source = {
	.identity = {.system_identifier = "77", .timeline = 1}, .flush_lsn = 0x300};

static const SessionOptions options = {.conninfo = "host=/script",
									   .label = "target \"a\"",
									   .pipeline = "shop",
									   .source = &source};

static Rc
open_session(Session *session, int fail_at, LibpqAnswer answer,
			 const char *sqlstate, Error *err)
{
	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	libpq_script_fail_at(fail_at, answer, sqlstate);
	return session_open(session, NULL, &options, err);
}

static void
close_session(Session *session)
{
	table_states_free(session->table_states);
	copied_tables_free(session->copied);
	postponed_keys_release(&session->keys);
	pgconn_close(session->conn);
}

static void
test_it_knows_what_the_target_has(void **state UNUSED)
{
	Session session;
	Error err = {0};

	if (open_session(&session, 0, LIBPQ_COMMAND, NULL, &err) != RC_OK)
		fail_msg("%s", err.message);
	assert_true(session.independent_tables);
	assert_true(session.marked);
	assert_int_equal(session.progress.end_lsn, 0x180);
	assert_int_equal(session.progress.lease_token, 5);
	assert_int_equal(session.fence_lsn, 0x200);
	assert_int_equal(session.index_build_lsn, 0x180);
	assert_non_null(session.copied);
	assert_int_equal(session.keys.count, 1);
	close_session(&session);
	libpq_script_end();
}

static void
test_whatever_fails_nothing_is_left(void **state UNUSED)
{
	int last = CONNECTING + (int) LENGTH_OF(steps) - 1;

	for (int n = 1; n <= last; n++)
	{
		Session session;
		Error err = {0};

		assert_int_equal(open_session(&session, n, LIBPQ_ERROR, "57014", &err),
						 RC_FAIL);
		assert_int_equal(err.code, ERR_SQL);
		assert_null(session.conn);
		assert_int_equal(libpq_script_connections(), 0);
		error_reset(&err);

		assert_int_equal(open_session(&session, n, LIBPQ_LOST, NULL, &err),
						 RC_FAIL);
		assert_int_equal(err.code, ERR_CONNECT);
		assert_null(session.conn);
		assert_int_equal(libpq_script_connections(), 0);
		error_reset(&err);
	}
}

/* A statement that the role may not run, and a session that does without. */
static void
open_without(const char *sql, Session *session)
{
	static const LibpqStep anytime[] = {
		{.sql = "SET LOCAL statement_timeout = 0;",
		 .answer = LIBPQ_ROWS,
		 .rows = "1000\n"},
		{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
		/* Asked of a target whose foreign keys act; there is none. */
		{.sql = "to_regclass('penstock.copied')",
		 .answer = LIBPQ_ROWS,
		 .rows = "f|f|\\N|us\n"},
		{0}};
	Error err = {0};
	int n = 0;

	while (steps[n].sql != NULL && strstr(steps[n].sql, sql) == NULL)
		n++;
	assert_non_null(steps[n].sql);
	libpq_script_begin(steps);
	libpq_script_always(anytime);
	libpq_script_fail_at(CONNECTING + n + 1, LIBPQ_ERROR, "42501");
	if (session_open(session, NULL, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
}

static void
test_a_role_may_lack_what_it_can_do_without(void **state UNUSED)
{
	Session session;

	open_without("session_replication_role", &session);
	assert_false(session.independent_tables);
	assert_true(session.marked);
	close_session(&session);
}

/* Somebody has the origin: its session is ended if the refusal says which. */
static void
test_who_has_the_origin_is_ended(void **state UNUSED)
{
	static const struct
	{
		const char *message;
		const char *pid;
	} cases[] = {
		{"replication origin with ID 1 is already active for PID 4711", "4711"},
		{"Replication-Origin mit ID 12 ist bereits aktiv für PID 99", "99"},
		{"replication origin with ID 1 is active in another process", ""},
		{"something else", ""},
	};
	static const SessionOptions numbered = {.conninfo = "host=/script",
											.label = "target \"node2\"",
											.pipeline = "shop",
											.source = &source};

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		const LibpqStep refused[] = {
			{.sql = "extname = 'citus'", .answer = LIBPQ_ROWS, .columns = 1},
			{.sql = "SET plan_cache_mode", .answer = LIBPQ_ROWS, .columns = 1},
			{.sql = "to_regclass('penstock.progress')",
			 .answer = LIBPQ_ROWS,
			 .rows = "f|f|\\N|us\n"},
			{.sql = "SET session_replication_role = replica"},
			{.sql = "origin_session_reset()",
			 .answer = LIBPQ_ROWS,
			 .columns = 1},
			{.sql = "origin_create(", .answer = LIBPQ_ROWS, .columns = 1},
			{.sql = "origin_session_setup(",
			 .answer = LIBPQ_ERROR,
			 .sqlstate = "55006",
			 .message = cases[i].message},
			{.sql = "pg_terminate_backend(a.pid)",
			 .answer = LIBPQ_ROWS,
			 .columns = 1},
			{0}};
		Session session;
		Error err = {0};

		libpq_script_begin(refused);
		libpq_script_always(libpq_script_connecting);
		assert_int_equal(session_open(&session, NULL, &numbered, &err),
						 RC_FAIL);
		assert_string_equal(err.sqlstate, "55006");
		assert_string_equal(libpq_script_param(2), cases[i].pid);
		error_reset(&err);
		libpq_script_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_knows_what_the_target_has),
		cmocka_unit_test(test_whatever_fails_nothing_is_left),
		cmocka_unit_test(test_a_role_may_lack_what_it_can_do_without),
		cmocka_unit_test(test_who_has_the_origin_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
