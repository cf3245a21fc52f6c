/*
 * throttle_test.c
 *    A throttle limits bytes per second, and makes up for exceeding the limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "copy/rows/throttle.h"

#define SECOND_US INT64_C(1000000)

static void
without_a_rate_there_is_no_limit(void **state UNUSED)
{
	Throttle throttle;

	throttle_init(&throttle, 0, 0);
	throttle_take(&throttle, INT64_MAX);
	assert_true(throttle_fill(&throttle, 1) == INT64_MAX);
	assert_int_equal(throttle_wait_ms(&throttle), 0);
}

static void
a_pause_is_worth_no_more_than_a_burst(void **state UNUSED)
{
	Throttle throttle;

	throttle_init(&throttle, 10000, 0);
	assert_int_equal(throttle_fill(&throttle, 0), 0);
	assert_int_equal(throttle_wait_ms(&throttle), THROTTLE_PAUSE_MS);
	assert_int_equal(throttle_fill(&throttle, 50000), 500);
	assert_int_equal(throttle_wait_ms(&throttle), 0);
	assert_int_equal(throttle_fill(&throttle, 3600 * SECOND_US), 1000);
}

static void
what_was_taken_too_much_is_waited_for(void **state UNUSED)
{
	Throttle throttle;

	throttle_init(&throttle, 10000, 0);
	throttle_take(&throttle, 20000);
	assert_int_equal(throttle_wait_ms(&throttle), 2000 + THROTTLE_PAUSE_MS);
	assert_int_equal(throttle_fill(&throttle, SECOND_US), 0);
	assert_int_equal(throttle_fill(&throttle, 2 * SECOND_US), 0);
	assert_int_equal(throttle_fill(&throttle, 2 * SECOND_US + 10000), 100);
}

static void
time_too_short_for_a_byte_adds_up(void **state UNUSED)
{
	Throttle throttle;

	throttle_init(&throttle, 10000, 0);
	for (int64_t us = 10; us < 100; us += 10)
		assert_int_equal(throttle_fill(&throttle, us), 0);
	assert_int_equal(throttle_fill(&throttle, 100), 1);
}

static void
the_highest_rate_does_not_overflow(void **state UNUSED)
{
	const int64_t rate = INT64_C(64) << 30;
	Throttle throttle;

	throttle_init(&throttle, rate, 0);
	assert_true(throttle_fill(&throttle, 86400 * SECOND_US - 1) ==
				rate * THROTTLE_BURST_MS / 1000);
}

static void
those_who_share_get_equal_parts(void **state UNUSED)
{
	Throttle throttle;
	int64_t taken[3];

	throttle_init(&throttle, 30000, 0);
	for (int i = 0; i < 3; i++)
	{
		taken[i] = throttle_share(&throttle, SECOND_US, 3 - i);
		throttle_take(&throttle, taken[i]);
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(taken[i], 998, 1002);
	assert_int_equal(throttle_share(&throttle, SECOND_US, 3), 0);
}

static void
without_a_rate_there_is_nothing_to_share(void **state UNUSED)
{
	Throttle throttle;

	throttle_init(&throttle, 0, 0);
	assert_true(throttle_share(&throttle, 1, 3) > INT64_MAX / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rate_there_is_no_limit),
		cmocka_unit_test(a_pause_is_worth_no_more_than_a_burst),
		cmocka_unit_test(what_was_taken_too_much_is_waited_for),
		cmocka_unit_test(time_too_short_for_a_byte_adds_up),
		cmocka_unit_test(the_highest_rate_does_not_overflow),
		cmocka_unit_test(those_who_share_get_equal_parts),
		cmocka_unit_test(without_a_rate_there_is_nothing_to_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
