/*
 * schema_test.c
 *    Creating and upgrading the schema penstock, and failures of each
 *    statement.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/schema.h"
#include "net/pgconn_open.h"
#include "support/libpq_script.h"

/* Columns of what is looked at: schema, progress, conflict, version. */
#define LOOK "bool_or(relname = 'progress')"

static const LibpqStep anytime[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "ROLLBACK", .answer = LIBPQ_COMMAND},
	{0}};

static const LibpqStep fresh[] = {
	{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "f|f|f|f\n"},
	{.sql = "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock",
	 .answer = LIBPQ_ROWS,
	 .columns = 2},
	{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "f|f|f|f\n"},
	{.sql = "CREATE SCHEMA penstock"},
	{.sql = "CREATE TABLE IF NOT EXISTS penstock.progress"},
	{.sql = "COMMIT"},
	{0}};

static PgConn *
open_script(const LibpqStep *steps)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = "target",
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	PgConn *conn = NULL;
	Error err = {0};

	libpq_script_begin(steps);
	libpq_script_always(anytime);
	if (pgconn_open(&conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	return conn;
}

/* It asks exactly this, and is content. */
static void
succeeds(Rc (*call)(PgConn *target, Error *err), const LibpqStep *steps)
{
	PgConn *conn = open_script(steps);
	Error err = {0};

	assert_int_equal(call(conn, &err), RC_OK);
	pgconn_close(conn);
	libpq_script_end();
}

static void
test_a_fresh_one_is_made(void **state UNUSED)
{
	succeeds(control_create, fresh);
}

/* Whichever statement fails, the transaction is not left open. */
static void
test_no_transaction_is_left_open(void **state UNUSED)
{
	const int before = 2;
	const int statements = (int) LENGTH_OF(fresh) - 1;

	for (int n = before + 1; n <= before + statements; n++)
	{
		PgConn *conn = open_script(fresh);
		Error err = {0};

		libpq_script_fail_at(n, LIBPQ_ERROR, "42501");
		assert_int_equal(control_create(conn, &err), RC_FAIL);
		assert_int_equal(err.code, ERR_SQL);
		assert_int_equal(PQtransactionStatus(pgconn_raw(conn)), PQTRANS_IDLE);
		error_reset(&err);
		pgconn_close(conn);

		conn = open_script(fresh);
		libpq_script_fail_at(n, LIBPQ_LOST, NULL);
		assert_int_equal(control_create(conn, &err), RC_FAIL);
		assert_int_equal(err.code, ERR_CONNECT);
		error_reset(&err);
		pgconn_close(conn);
	}
}

/* Somebody else has made it while we waited for our turn. */
static void
test_another_may_have_made_it(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "f|f|f|f\n"},
		{.sql = "BEGIN;", .answer = LIBPQ_ROWS, .columns = 2},
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "t|t|t|t\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "12\n"},
		{.sql = "COMMIT"},
		{0}};
	assert_int_equal(CONTROL_VERSION, 12);
	succeeds(control_create, steps);
}

static void
test_nothing_is_upgraded_where_nothing_is(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "t|f|t|t\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "12\n"},
		{0}};
	succeeds(control_upgrade, steps);
}

static void
test_an_older_one_is_altered(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "t|t|f|f\n"},
		{.sql = "BEGIN;", .answer = LIBPQ_ROWS, .columns = 2},
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "t|t|f|f\n"},
		{.sql = "ALTER TABLE penstock.conflict ADD COLUMN IF NOT EXISTS "
				"target_index"},
		{.sql = "COMMIT"},
		{0}};
	succeeds(control_upgrade, steps);
}

static void
test_a_newer_one_is_refused(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = LOOK, .answer = LIBPQ_ROWS, .rows = "t|t|t|t\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "13\n"},
		{.sql = "to_regclass('penstock.fence')",
		 .answer = LIBPQ_ROWS,
		 .rows = "t|t|\\N|us\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "13\n"},
		{0}};
	PgConn *conn = open_script(steps);
	Error err = {0};
	bool exists;

	assert_int_equal(control_create(conn, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, "of version 13"));
	error_reset(&err);
	assert_int_equal(control_has(conn, "fence", &exists, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	error_reset(&err);
	pgconn_close(conn);
	libpq_script_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_fresh_one_is_made),
		cmocka_unit_test(test_no_transaction_is_left_open),
		cmocka_unit_test(test_another_may_have_made_it),
		cmocka_unit_test(test_nothing_is_upgraded_where_nothing_is),
		cmocka_unit_test(test_an_older_one_is_altered),
		cmocka_unit_test(test_a_newer_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
