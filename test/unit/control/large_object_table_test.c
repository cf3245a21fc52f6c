/*
 * large_object_table_test.c
 *    A pass over large objects that was superseded by another one cannot write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/copy/large_object_table.h"
#include "net/pgconn_open.h"
#include "support/libpq_script.h"

#define HOLD                                                                   \
	"SELECT FROM penstock.large_object_pass WHERE pipeline = $1"               \
	" AND token = $2 FOR UPDATE"
#define END " WHERE pipeline = $1 AND token = $2 RETURNING 1"

static const LibpqStep anytime[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "BEGIN", .answer = LIBPQ_COMMAND},
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

static void
test_it_holds_what_is_its_own(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = HOLD, .answer = LIBPQ_ROWS, .rows = "1\n"},
		{.sql = END, .answer = LIBPQ_ROWS, .rows = "1\n"},
		{0}};
	const LargeObjectPoint point = {.system = "7", .timeline = 1, .xmin = 9};
	PgConn *conn = open_script(steps);
	Error err = {0};

	assert_int_equal(pgconn_exec(conn, "BEGIN", NULL, &err), RC_OK);
	assert_int_equal(large_object_table_hold(conn, "shop", 3, &err), RC_OK);
	assert_int_equal(large_object_table_end(conn, "shop", 3, &point, &err),
					 RC_OK);
	pgconn_close(conn);
	libpq_script_end();
}

static void
test_another_pass_has_begun(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = HOLD, .answer = LIBPQ_ROWS, .columns = 1},
		{.sql = END, .answer = LIBPQ_ROWS, .columns = 1},
		{0}};
	const LargeObjectPoint point = {.system = "7", .timeline = 1, .xmin = 9};
	PgConn *conn = open_script(steps);
	Error err = {0};

	assert_int_equal(pgconn_exec(conn, "BEGIN", NULL, &err), RC_OK);
	assert_int_equal(large_object_table_hold(conn, "shop", 3, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CHANGED);
	error_reset(&err);
	assert_int_equal(large_object_table_end(conn, "shop", 3, &point, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CHANGED);
	error_reset(&err);
	pgconn_close(conn);
	libpq_script_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_holds_what_is_its_own),
		cmocka_unit_test(test_another_pass_has_begun),
	};

	return cmocka_run_group_tests_name("large_object_table", tests, NULL, NULL);
}
