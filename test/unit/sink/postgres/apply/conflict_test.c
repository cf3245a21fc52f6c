/*
 * conflict_test.c
 *    Error messages for a change that a target has refused, also if the target
 *    cannot print the row's key.
 *
 * The table is item (id int4 key, code bytea key, note text).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/apply/conflict.h"
#include "support/libpq_script.h"

#define COLUMNS 3

typedef struct Bench
{
	PgConn *conn;
	RelationColumn sources[COLUMNS];
	TargetColumn columns[COLUMNS];
	TargetTable table;
	Value row[COLUMNS];
	Change change;
	TxnInfo txn;
	ConflictChange what;
	Error err;
} Bench;

static const LibpqStep no_steps[] = {{0}};

static void
setup(Bench *bench, const LibpqStep *steps, ChangeKind kind)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = "target \"a\"",
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	static const char *const names[] = {"id", "code", "note"};
	static const uint32_t types[] = {TYPE_INT4, TYPE_BYTEA, TYPE_TEXT};

	*bench = (Bench){
		.table = {.name_sql = "public.item",
				  .column_count = COLUMNS,
				  .columns = bench->columns,
				  .key_count = 2},
		.row = {{.kind = VALUE_INTEGER, .integer = 7},
				{.kind = VALUE_BINARY,
				 .bytes = (const uint8_t *) "\001\002",
				 .length = 2},
				{.kind = VALUE_TEXT,
				 .bytes = (const uint8_t *) "secret",
				 .length = 6}},
		.change = {.kind = kind},
		.txn = {.xid = 700, .commit_lsn = 0x1000},
	};
	for (int i = 0; i < COLUMNS; i++)
	{
		bench->sources[i] = (RelationColumn){.name = names[i],
											 .type_oid = types[i]};
		bench->columns[i] = (TargetColumn){.source = &bench->sources[i],
										   .source_index = i,
										   .transfer = TRANSFER_SAME,
										   .wire_type = types[i],
										   .name_sql = names[i],
										   .key = i < 2};
	}
	if (kind == CHANGE_DELETE)
		bench->change.old_row = bench->row;
	else
		bench->change.new_row = bench->row;
	bench->what = (ConflictChange){
		.table = &bench->table, .change = &bench->change, .txn = &bench->txn};
	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	if (pgconn_open(&bench->conn, &options, &bench->err) != RC_OK)
		fail_msg("%s", bench->err.message);
}

static void
teardown(Bench *bench)
{
	error_reset(&bench->err);
	pgconn_close(bench->conn);
	libpq_script_end();
}

/* ---- words -------------------------------------------------------------- */

static void
a_row_that_does_not_exist(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_UPDATE);
	conflict_set_wrong_rows(&bench.what, 1, 0, &bench.err);
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_string_equal(bench.err.message,
						"row to update does not exist in table public.item on "
						"the target");
	assert_string_equal(bench.err.context,
						"applying update to table public.item in transaction "
						"700, commit LSN 0/1000");
	assert_non_null(bench.err.hint);
	teardown(&bench);
}

static void
rows_of_which_some_do_not_exist(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_UPDATE);
	bench.what.change = NULL;
	bench.what.txn = NULL;
	conflict_set_wrong_rows(&bench.what, 10, 9, &bench.err);
	assert_non_null(strstr(bench.err.message, "changes of 10 rows"));
	assert_non_null(strstr(bench.err.message, "public.item"));
	assert_non_null(strstr(bench.err.message, "found 9 rows"));
	error_reset(&bench.err);
	bench.what.table = NULL;
	conflict_set_wrong_rows(&bench.what, 10, 9, &bench.err);
	assert_null(bench.err.context);
	teardown(&bench);
}

static void
values_that_nobody_has(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_DELETE);
	conflict_set_no_values(&bench.what, false, &bench.err);
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_non_null(strstr(bench.err.detail, "WAL"));
	error_reset(&bench.err);
	conflict_set_no_values(&bench.what, true, &bench.err);
	assert_non_null(strstr(bench.err.detail, "penstock.moved"));
	teardown(&bench);
}

static void
a_conflict_that_cannot_be_settled(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_INSERT);
	conflict_set_unsettled(&bench.what, "item_code_key", &bench.err);
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_non_null(strstr(bench.err.hint, "\"item_code_key\""));
	error_reset(&bench.err);
	conflict_set_unsettled(&bench.what, NULL, &bench.err);
	assert_non_null(strstr(bench.err.hint, "must be unique"));
	error_reset(&bench.err);
	bench.change.kind = CHANGE_UPDATE;
	conflict_set_unsettled(&bench.what, NULL, &bench.err);
	assert_non_null(strstr(bench.err.hint, "not all its values"));
	teardown(&bench);
}

static void
refuse(Bench *bench, const char *sqlstate)
{
	error_reset(&bench->err);
	assert_int_equal(error_set(&bench->err, ERR_SQL, "no"), RC_FAIL);
	error_sqlstate(&bench->err, sqlstate);
	conflict_explain_refusal(&bench->what, &bench->err);
	assert_non_null(strstr(bench->err.context, "public.item"));
}

static void
what_the_target_reports(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_INSERT);
	refuse(&bench, "23505");
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_string_equal(bench.err.sqlstate, "23505");
	refuse(&bench, "23502");
	assert_int_equal(bench.err.code, ERR_SQL);
	assert_null(bench.err.hint);
	refuse(&bench, "0A000");
	assert_null(bench.err.hint);
	bench.change.kind = CHANGE_TRUNCATE;
	refuse(&bench, "0A000");
	assert_non_null(strstr(bench.err.hint, "foreign key"));
	refuse(&bench, "42883");
	assert_non_null(strstr(bench.err.hint, "search_path"));
	teardown(&bench);
}

/* ---- the key ------------------------------------------------------------ */

static const LibpqStep prints[] = {
	{.sql = "format('%s', $1)", .answer = LIBPQ_ROWS, .rows = "\\x0102\n"},
	{0}};

static void
add_key(Bench *bench)
{
	conflict_add_key(bench->conn, &bench->what, &bench->err);
}

static void
a_row_is_named_by_its_key_alone(void **state UNUSED)
{
	Bench bench;

	setup(&bench, prints, CHANGE_UPDATE);
	add_key(&bench);
	assert_string_equal(bench.err.detail, "The row: id = 7, code = \\x0102.");
	teardown(&bench);

	/* Not in place of what the server has said. */
	setup(&bench, prints, CHANGE_DELETE);
	error_detail(&bench.err, "Said by the server.");
	add_key(&bench);
	assert_string_equal(bench.err.detail, "Said by the server.");
	assert_string_equal(bench.err.context, "the row: id = 7, code = \\x0102");
	teardown(&bench);
}

/* The error stays what it was, without what could not be printed. */
static void
the_target_does_not_print_it(void **state UNUSED)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST,
										  LIBPQ_COMMAND};

	for (size_t i = 0; i < LENGTH_OF(answers); i++)
	{
		const LibpqStep steps[] = {
			{.sql = "format('%s', $1)", .answer = answers[i]}, {0}};
		Bench bench;

		setup(&bench, steps, CHANGE_UPDATE);
		conflict_set_wrong_rows(&bench.what, 1, 0, &bench.err);
		add_key(&bench);
		assert_int_equal(bench.err.code, ERR_CONFLICT);
		assert_string_equal(bench.err.detail, "The row: id = 7, code = ….");
		teardown(&bench);
	}
}

static void
the_connection_was_lost_before(void **state UNUSED)
{
	static const LibpqStep lost[] = {{.sql = "SELECT 5", .answer = LIBPQ_LOST},
									 {0}};
	Bench bench;

	setup(&bench, lost, CHANGE_UPDATE);
	assert_int_equal(pgconn_exec(bench.conn, "SELECT 5", NULL, &bench.err),
					 RC_FAIL);
	add_key(&bench);
	assert_int_equal(bench.err.code, ERR_CONNECT);
	assert_string_equal(bench.err.detail, "The row: id = 7, code = ….");
	teardown(&bench);
}

static void
values_of_other_kinds_are_not_asked_for(void **state UNUSED)
{
	static char long_text[1000];
	Bench bench;

	setup(&bench, no_steps, CHANGE_UPDATE);
	bench.row[0] = (Value){.kind = VALUE_NULL};
	memset(long_text, 'x', sizeof(long_text));
	bench.row[1] = (Value){.kind = VALUE_TEXT,
						   .bytes = (const uint8_t *) long_text,
						   .length = sizeof(long_text)};
	add_key(&bench);
	assert_non_null(strstr(bench.err.detail, "id = null, code = xxx"));
	assert_true(strlen(bench.err.detail) < 300);
	error_reset(&bench.err);
	bench.row[1] = (Value){.kind = VALUE_BINARY,
						   .bytes = (const uint8_t *) "as text",
						   .length = 7};
	bench.columns[1].transfer = TRANSFER_TEXT;
	add_key(&bench);
	assert_non_null(strstr(bench.err.detail, "code = as text"));
	teardown(&bench);
}

static void
a_table_without_a_key_has_none(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_UPDATE);
	bench.table.key_count = 0;
	add_key(&bench);
	assert_non_null(strstr(bench.err.detail, "has no key"));
	assert_null(strstr(bench.err.detail, "secret"));
	error_reset(&bench.err);
	error_detail(&bench.err, "Said by the server.");
	add_key(&bench);
	assert_non_null(strstr(bench.err.context, "no key"));
	teardown(&bench);
}

static void
what_is_of_no_row_gets_nothing(void **state UNUSED)
{
	Bench bench;

	setup(&bench, no_steps, CHANGE_TRUNCATE);
	add_key(&bench);
	bench.what.change = NULL;
	add_key(&bench);
	assert_null(bench.err.detail);
	assert_null(bench.err.context);
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_does_not_exist),
		cmocka_unit_test(rows_of_which_some_do_not_exist),
		cmocka_unit_test(values_that_nobody_has),
		cmocka_unit_test(a_conflict_that_cannot_be_settled),
		cmocka_unit_test(what_the_target_reports),
		cmocka_unit_test(a_row_is_named_by_its_key_alone),
		cmocka_unit_test(the_target_does_not_print_it),
		cmocka_unit_test(the_connection_was_lost_before),
		cmocka_unit_test(values_of_other_kinds_are_not_asked_for),
		cmocka_unit_test(a_table_without_a_key_has_none),
		cmocka_unit_test(what_is_of_no_row_gets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
