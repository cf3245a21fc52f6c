/*
 * out_of_room_test.c
 *    Too few locks on a target: the error is final only if other sessions do
 *    not hold them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/apply/out_of_room.h"
#include "support/libpq_script.h"

#define HINT "You might need to increase max_locks_per_transaction."

typedef struct Bench
{
	PgConn *conn;
	Error err;
} Bench;

static void
setup(Bench *bench, const LibpqStep *steps, const char *sqlstate,
	  const char *hint)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = "target \"a\"",
										  .application_name = "test",
										  .kind = PGCONN_DATA};

	*bench = (Bench){0};
	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	if (pgconn_open(&bench->conn, &options, &bench->err) != RC_OK)
		fail_msg("%s", bench->err.message);
	assert_int_equal(error_set(&bench->err, ERR_SQL, "out of shared memory"),
					 RC_FAIL);
	error_sqlstate(&bench->err, sqlstate);
	if (hint != NULL)
		error_hint(&bench->err, "%s", hint);
	error_context(&bench->err, "applying");
}

static void
teardown(Bench *bench)
{
	error_reset(&bench->err);
	pgconn_close(bench->conn);
	libpq_script_end();
}

static void
assert_unchanged(const Bench *bench)
{
	assert_int_equal(bench->err.code, ERR_SQL);
	assert_string_equal(bench->err.message, "out of shared memory");
}

/* The server is not even asked. */
static void
what_is_not_about_locks_stays_as_it_is(void **state UNUSED)
{
	static const LibpqStep none[] = {{0}};
	Bench bench;

	setup(&bench, none, "53200", "Some other hint.");
	assert_true(out_of_room_is(&bench.err));
	out_of_room_explain(bench.conn, &bench.err);
	assert_unchanged(&bench);
	teardown(&bench);
	setup(&bench, none, "53200", NULL);
	out_of_room_explain(bench.conn, &bench.err);
	assert_unchanged(&bench);
	teardown(&bench);
	setup(&bench, none, "53100", HINT);
	assert_false(out_of_room_is(&bench.err));
	out_of_room_explain(bench.conn, &bench.err);
	assert_unchanged(&bench);
	teardown(&bench);
}

static void
it_is_final_if_others_have_few_locks(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "pg_catalog.pg_locks",
									   .answer = LIBPQ_ROWS,
									   .rows = "64|6400|3199\n"},
									  {0}};
	Bench bench;

	setup(&bench, steps, "53200", HINT);
	out_of_room_explain(bench.conn, &bench.err);
	assert_int_equal(bench.err.code, ERR_LIMIT);
	assert_string_equal(bench.err.sqlstate, "53200");
	assert_non_null(strstr(bench.err.message, "target \"a\""));
	assert_non_null(strstr(bench.err.detail, "about 6400 locks"));
	assert_non_null(strstr(bench.err.hint, "Raise max_locks_per_transaction"));
	assert_string_equal(bench.err.context, "applying");
	teardown(&bench);
}

/* It may pass when they have given theirs back. */
static void
it_is_not_if_others_have_many(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "pg_catalog.pg_locks",
									   .answer = LIBPQ_ROWS,
									   .rows = "64|6400|3200\n"},
									  {0}};
	Bench bench;

	setup(&bench, steps, "53200", HINT);
	out_of_room_explain(bench.conn, &bench.err);
	assert_unchanged(&bench);
	teardown(&bench);
}

static void
it_is_not_if_nobody_can_say(void **state UNUSED)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST};

	for (size_t i = 0; i < LENGTH_OF(answers); i++)
	{
		const LibpqStep steps[] = {
			{.sql = "pg_catalog.pg_locks", .answer = answers[i]}, {0}};
		Bench bench;

		setup(&bench, steps, "53200", HINT);
		out_of_room_explain(bench.conn, &bench.err);
		assert_unchanged(&bench);
		teardown(&bench);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_about_locks_stays_as_it_is),
		cmocka_unit_test(it_is_final_if_others_have_few_locks),
		cmocka_unit_test(it_is_not_if_others_have_many),
		cmocka_unit_test(it_is_not_if_nobody_can_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
