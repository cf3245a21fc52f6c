/*
 * streaming_test.c
 *    How long the plugin is not asked for open transactions after one was
 *    refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "pipeline/streaming.h"

#define SECOND_US INT64_C(1000000)

/* Confirmed, where it does not matter. */
#define ANYWHERE UINT64_MAX

static void
assert_goes_on(const Streaming *streaming, int64_t now_us)
{
	assert_int_equal(streaming_end(streaming, ANYWHERE, now_us),
					 STREAMING_GOES_ON);
}

static void
assert_ends(const Streaming *streaming, int64_t now_us, StreamingEnd end)
{
	assert_int_equal(streaming_end(streaming, ANYWHERE, now_us), end);
}

static void
nothing_is_over_that_was_not_held(void **state UNUSED)
{
	Streaming streaming = {0};

	assert_goes_on(&streaming, INT64_MAX);
	streaming_pass(&streaming, 7);
	assert_goes_on(&streaming, INT64_MAX);
}

static void
it_is_over_when_the_transaction_has_passed(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0, 0);
	assert_true(streaming.held);
	assert_goes_on(&streaming, SECOND_US);
	streaming_pass(&streaming, 8);
	assert_goes_on(&streaming, SECOND_US);
	streaming_pass(&streaming, 7);
	assert_ends(&streaming, SECOND_US, STREAMING_PASSED);
	streaming_pass(&streaming, 8);
	assert_ends(&streaming, SECOND_US, STREAMING_PASSED);
	streaming_release(&streaming, STREAMING_PASSED);
	assert_false(streaming.held);
	streaming_hold(&streaming, 7, 0, 0);
	assert_goes_on(&streaming, SECOND_US);
}

static void
one_that_is_not_known_does_not_pass(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 0, 0, 0);
	streaming_pass(&streaming, 0);
	assert_goes_on(&streaming, SECOND_US);
}

static void
the_time_doubles_until_one_passes(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0, 0);
	assert_goes_on(&streaming, 60 * SECOND_US - 1);
	assert_ends(&streaming, 60 * SECOND_US, STREAMING_EXPIRED);
	streaming_release(&streaming, STREAMING_EXPIRED);
	streaming_hold(&streaming, 8, 0, 0);
	assert_goes_on(&streaming, 120 * SECOND_US - 1);
	assert_ends(&streaming, 120 * SECOND_US, STREAMING_EXPIRED);
	streaming_pass(&streaming, 8);
	streaming_release(&streaming, STREAMING_PASSED);
	streaming_hold(&streaming, 9, 0, 0);
	assert_ends(&streaming, 60 * SECOND_US, STREAMING_EXPIRED);
	for (int i = 0; i < 10; i++)
		streaming_hold(&streaming, 9, 0, 0);
	assert_ends(&streaming, 3600 * SECOND_US, STREAMING_EXPIRED);
}

static void
it_is_over_when_what_the_target_had_is_confirmed(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 100, 0);
	assert_int_equal(streaming_end(&streaming, 99, SECOND_US),
					 STREAMING_GOES_ON);
	streaming_pass(&streaming, 7);
	assert_int_equal(streaming_end(&streaming, 99, SECOND_US),
					 STREAMING_GOES_ON);
	assert_int_equal(streaming_end(&streaming, 100, SECOND_US),
					 STREAMING_REACHED);
	assert_int_equal(streaming_end(&streaming, 99, 60 * SECOND_US),
					 STREAMING_EXPIRED);
}

static void
what_was_confirmed_to_no_avail_is_not_waited_for_again(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 100, 0);
	streaming_release(&streaming, STREAMING_REACHED);
	streaming_hold(&streaming, 8, 100, 0);
	assert_goes_on(&streaming, 60 * SECOND_US - 1);
	streaming_pass(&streaming, 8);
	assert_ends(&streaming, SECOND_US, STREAMING_PASSED);
	streaming_release(&streaming, STREAMING_PASSED);
	streaming_hold(&streaming, 9, 101, 0);
	assert_ends(&streaming, SECOND_US, STREAMING_REACHED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_over_that_was_not_held),
		cmocka_unit_test(it_is_over_when_the_transaction_has_passed),
		cmocka_unit_test(one_that_is_not_known_does_not_pass),
		cmocka_unit_test(the_time_doubles_until_one_passes),
		cmocka_unit_test(it_is_over_when_what_the_target_had_is_confirmed),
		cmocka_unit_test(
			what_was_confirmed_to_no_avail_is_not_waited_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
