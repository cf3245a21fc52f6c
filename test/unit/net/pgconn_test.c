/*
 * pgconn_test.c
 *    Results, errors and lost connections, at each statement.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/task.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"
#include "support/libpq_script.h"

/* More than any of these tests takes. */
#define HANGS_S 20

static const PgConnOptions options = {.conninfo = "host=/script",
									  .label = "target \"a\"",
									  .application_name = "test",
									  .kind = PGCONN_DATA};

static PgConn *
open_script(const LibpqStep *steps)
{
	PgConn *conn = NULL;
	Error err = {0};

	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	if (pgconn_open(&conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	return conn;
}

static void
close_script(PgConn *conn, Error *err)
{
	error_reset(err);
	pgconn_close(conn);
	libpq_script_end();
}

static void
test_rows_are_handed_over(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "SELECT 1", .answer = LIBPQ_ROWS, .rows = "1|\\N\n2|two\n"},
		{0}};
	PgConn *conn = open_script(steps);
	PGresult *result = NULL;
	Error err = {0};

	assert_int_equal(pgconn_exec(conn, "SELECT 1", &result, &err), RC_OK);
	assert_int_equal(PQntuples(result), 2);
	assert_true(PQgetisnull(result, 0, 1));
	assert_string_equal(PQgetvalue(result, 1, 1), "two");
	PQclear(result);
	close_script(conn, &err);
}

static void
test_a_refusal_has_all_that_the_server_says(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "SELECT 1",
		 .answer = LIBPQ_ERROR,
		 .sqlstate = "42P01",
		 .message = "relation\ndoes not exist"},
		{.sql = "SELECT 2", .answer = LIBPQ_ROWS, .rows = "2\n"},
		{0}};
	PgConn *conn = open_script(steps);
	PGresult *result = NULL;
	Error err = {0};

	assert_int_equal(pgconn_exec(conn, "SELECT 1", &result, &err), RC_FAIL);
	assert_null(result);
	assert_int_equal(err.code, ERR_SQL);
	assert_string_equal(err.sqlstate, "42P01");
	assert_string_equal(err.message,
						"target \"a\" reports: relation; does not exist");
	error_reset(&err);

	/* The connection is as good as before. */
	assert_int_equal(pgconn_exec(conn, "SELECT 2", &result, &err), RC_OK);
	PQclear(result);
	close_script(conn, &err);
}

static void
test_a_lost_connection_stays_lost(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "SELECT 1", .answer = LIBPQ_LOST},
									  {0}};
	PgConn *conn = open_script(steps);
	PGresult *result = NULL;
	Error err = {0};

	for (int i = 0; i < 2; i++)
	{
		assert_int_equal(pgconn_exec(conn, "SELECT 1", &result, &err), RC_FAIL);
		assert_null(result);
		assert_int_equal(err.code, ERR_CONNECT);
		assert_string_equal(err.message,
							"lost the connection to target \"a\": server "
							"closed the connection unexpectedly");
		error_reset(&err);
	}
	close_script(conn, &err);
}

static void
test_copy_is_left_to_the_caller(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "COPY t FROM STDIN", .answer = LIBPQ_COPY_IN}, {0}};
	PgConn *conn = open_script(steps);
	PGresult *result = NULL;
	Error err = {0};
	size_t length;

	assert_int_equal(pgconn_exec(conn, "COPY t FROM STDIN", NULL, &err), RC_OK);
	assert_int_equal(PQputCopyData(pgconn_raw(conn), "1\n", 2), 1);
	assert_int_equal(PQputCopyEnd(pgconn_raw(conn), NULL), 1);
	assert_int_equal(pgconn_get_result(conn, &result, &err), RC_OK);
	assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
	PQclear(result);
	assert_string_equal(libpq_script_copied(&length), "1\n");
	close_script(conn, &err);
}

/* Whatever fails while a connection is set up, it is closed. */
static void
test_nothing_is_left_of_a_connection_that_fails(void **state UNUSED)
{
	static const LibpqStep steps[] = {{0}};
	int statements;

	close_script(open_script(steps), &(Error){0});
	statements = libpq_script_statements();
	assert_int_equal(statements, 2);
	for (int n = 1; n <= statements; n++)
		for (int lost = 0; lost < 2; lost++)
		{
			PgConn *conn = NULL;
			Error err = {0};

			libpq_script_begin(steps);
			libpq_script_always(libpq_script_connecting);
			libpq_script_fail_at(n, lost ? LIBPQ_LOST : LIBPQ_ERROR, "42501");
			assert_int_equal(pgconn_open(&conn, &options, &err), RC_FAIL);
			assert_null(conn);
			assert_int_equal(err.code, lost ? ERR_CONNECT : ERR_SQL);
			close_script(conn, &err);
		}
}

static void
test_whether_another_try_may_help(void **state UNUSED)
{
	static const struct
	{
		const char *message;
		ErrorCode code;
	} cases[] = {
		{"connection to server at \"a\" failed: Connection refused\n",
		 ERR_CONNECT},
		{"connection to server at \"a\" failed: FATAL:  57P03: the database "
		 "system is starting up\nLOCATION:  x\n",
		 ERR_CONNECT},
		{"connection to server at \"a\" failed: FATAL:  3D000: database "
		 "\"x\" does not exist\nLOCATION:  x\n",
		 ERR_CONFIG},
		{"connection to server at \"a\" failed: certificate verify failed\n",
		 ERR_CONFIG},
		{"connection to server at \"a\" failed: server does not support SSL, "
		 "but "
		 "SSL was required\n",
		 ERR_CONFIG},
		{"connection to server at \"a\" failed: SSL SYSCALL error: Connection "
		 "reset by peer\n",
		 ERR_CONNECT},
		{"connection to server at \"a\" failed: SSL error: unexpected eof "
		 "while "
		 "reading\n",
		 ERR_CONNECT},
		{"missing \"=\" after \"x\" in connection info string\n", ERR_CONFIG},
	};

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		static const LibpqStep steps[] = {{0}};
		PgConn *conn = NULL;
		Error err = {0};

		libpq_script_begin(steps);
		libpq_script_refuse(cases[i].message);
		assert_int_equal(pgconn_open(&conn, &options, &err), RC_FAIL);
		assert_int_equal(err.code, cases[i].code);
		assert_null(strstr(err.message, "LOCATION"));
		close_script(conn, &err);
	}
}

/* Whether the string for a child of a connection with `conninfo` has `part`. */
static bool
child_has(const char *conninfo, const char *part)
{
	static const LibpqStep steps[] = {{0}};
	const PgConnOptions other = {.conninfo = conninfo,
								 .label = "target \"a\"",
								 .application_name = "test",
								 .kind = PGCONN_DATA};
	char *child = NULL;
	char *password = NULL;
	PgConn *conn = NULL;
	Error err = {0};
	bool has;

	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	assert_int_equal(pgconn_open(&conn, &other, &err), RC_OK);
	pgconn_child_conninfo(conn, &child, &password);
	has = strstr(child, part) != NULL;
	free(child);
	free(password);
	close_script(conn, &err);
	return has;
}

/* Older programs do not know all of them. */
static void
test_a_child_gets_the_options_that_are_not_as_usual(void **state UNUSED)
{
	unsetenv("PGSSLSNI");
	assert_true(child_has("host=/script sslsni=0", "sslsni='0'"));
	assert_false(child_has("host=/script sslsni=1", "sslsni"));
	assert_true(child_has("host=/script sslsni=1", "host='/script'"));
	assert_true(child_has("host=/script port=5432", "port='5432'"));

	/* What the environment or a service would say otherwise. */
	setenv("PGSSLSNI", "0", 1);
	assert_true(child_has("host=/script sslsni=1", "sslsni='1'"));
	unsetenv("PGSSLSNI");
	assert_true(child_has("host=/script sslsni=1 service=a", "sslsni='1'"));
}

static Rc
connect_to(void *context, Error *err)
{
	const PgConnOptions silent = {.conninfo = context,
								  .label = "target \"a\"",
								  .application_name = "test",
								  .kind = PGCONN_DATA};
	PgConn *conn = NULL;
	Rc rc = pgconn_open(&conn, &silent, err);

	pgconn_close(conn);
	return rc;
}

/* Also one that may take for ever, and whether it answers then or not. */
static void
test_a_server_that_is_silent_keeps_nobody(void **state UNUSED)
{
	char conninfos[][64] = {"host=/script", "host=/script connect_timeout=60",
							"host=/script connect_timeout=0"};

	for (size_t i = 0; i < 2 * LENGTH_OF(conninfos); i++)
	{
		static const LibpqStep steps[] = {{0}};
		Error err = {0};
		Task *task;

		libpq_script_begin(steps);
		libpq_script_always(libpq_script_connecting);
		libpq_script_stall(true);
		task = task_new(connect_to, conninfos[i / 2]);
		alarm(HANGS_S);
		for (int n = 0; n < 3; n++)
			assert_int_equal(task_work(task, &err), RC_AGAIN);
		libpq_script_stall(false);
		if (i % 2 == 0)
			assert_int_equal(task_work(task, &err), RC_OK);
		task_free(task);
		alarm(0);
		libpq_script_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_handed_over),
		cmocka_unit_test(test_a_refusal_has_all_that_the_server_says),
		cmocka_unit_test(test_a_lost_connection_stays_lost),
		cmocka_unit_test(test_copy_is_left_to_the_caller),
		cmocka_unit_test(test_nothing_is_left_of_a_connection_that_fails),
		cmocka_unit_test(test_whether_another_try_may_help),
		cmocka_unit_test(test_a_child_gets_the_options_that_are_not_as_usual),
		cmocka_unit_test(test_a_server_that_is_silent_keeps_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
