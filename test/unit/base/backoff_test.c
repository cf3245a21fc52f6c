/*
 * backoff_test.c
 *    Pauses between attempts grow up to a limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

static void
test_pauses_grow_to_a_limit(void **state UNUSED)
{
	static const int64_t expected[] = {100, 200, 400, 500, 500};
	Backoff backoff = {.first_ms = 100, .max_ms = 500};

	for (size_t i = 0; i < LENGTH_OF(expected); i++)
	{
		assert_int_equal(backoff_ms(&backoff), expected[i]);
		assert_int_equal(backoff_take(&backoff), expected[i]);
	}
	backoff_reset(&backoff);
	assert_int_equal(backoff_ms(&backoff), 100);
}

static void
test_it_waits(void **state UNUSED)
{
	Backoff backoff = {.first_ms = 1, .max_ms = 10};
	Error err = {0};

	assert_int_equal(backoff_wait(&backoff, &err), RC_OK);
	assert_int_equal(backoff_ms(&backoff), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow_to_a_limit),
		cmocka_unit_test(test_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
