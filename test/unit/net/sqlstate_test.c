/*
 * sqlstate_test.c
 *    Which SQLSTATEs mean that the server is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/sqlstate.h"

static bool
is_gone(ErrorCode code, const char *sqlstate)
{
	Error err = {0};
	bool gone;

	(void) !error_set(&err, code, "failed");
	if (sqlstate != NULL)
		error_sqlstate(&err, sqlstate);
	gone = sqlstate_is_server_gone(&err);
	error_reset(&err);
	return gone;
}

static void
a_connection_that_is_not_to_be_had_is_gone(void **state UNUSED)
{
	assert_true(is_gone(ERR_CONNECT, NULL));
	assert_true(is_gone(ERR_CONNECT, "57P03"));
	assert_true(is_gone(ERR_CONNECT, "28P01"));
	assert_true(is_gone(ERR_CONNECT, "3D000"));
}

static void
a_session_that_the_server_ends_is_gone(void **state UNUSED)
{
	static const char *const states[] = {"08000", "08006", "53300",
										 "57P01", "57P02", "57P04"};

	for (size_t i = 0; i < LENGTH_OF(states); i++)
		assert_true(is_gone(ERR_SQL, states[i]));
}

/* Nor is one that has no room for rows, or in which a statement is stopped. */
static void
a_server_that_refuses_a_statement_is_there(void **state UNUSED)
{
	static const char *const states[] = {"23505", "40001", "40P01", "42P01",
										 "53100", "53200", "55P03", "57014",
										 "58030", "XX000"};

	for (size_t i = 0; i < LENGTH_OF(states); i++)
		assert_false(is_gone(ERR_SQL, states[i]));
	assert_false(is_gone(ERR_SQL, NULL));
	assert_false(is_gone(ERR_CONFLICT, NULL));
	assert_false(is_gone(ERR_INTERRUPTED, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_is_not_to_be_had_is_gone),
		cmocka_unit_test(a_session_that_the_server_ends_is_gone),
		cmocka_unit_test(a_server_that_refuses_a_statement_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
