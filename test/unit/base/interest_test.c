/*
 * interest_test.c
 *    A set of descriptors and the earliest deadline to wait for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/interest.h"

/* More than connections that a follower has at a time. */
#define MANY 5000

static void
test_takes_any_number_of_descriptors(void **state)
{
	Interest interest = INTEREST_NONE;

	(void) state;
	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < MANY; i++)
			interest_add(&interest, i, POLLIN);
		interest_add(&interest, -1, POLLIN);
		assert_int_equal(interest.count, MANY);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(interest.fds[i].fd, i);
		interest_reset(&interest);
		assert_int_equal(interest.count, 0);
	}
	interest_release(&interest);
	interest_release(&interest);
}

static void
test_has_the_first_deadline(void **state)
{
	Interest interest = INTEREST_NONE;
	int64_t now_us = clock_monotonic_us();

	(void) state;
	assert_true(interest_left_ms(&interest) == INT64_MAX);
	interest_until(&interest, now_us + 90000000);
	interest_until(&interest, now_us + 60000000);
	interest_until(&interest, now_us + 70000000);
	assert_in_range(interest_left_ms(&interest), 1, 60000);
	interest_until(&interest, now_us - 1);
	assert_int_equal(interest_left_ms(&interest), 0);
	interest_reset(&interest);
	assert_true(interest_left_ms(&interest) == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_any_number_of_descriptors),
		cmocka_unit_test(test_has_the_first_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
