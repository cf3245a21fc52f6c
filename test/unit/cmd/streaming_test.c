/*
 * streaming_test.c
 *    How long sessions do without transactions in progress.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "cmd/streaming.h"

#define SECOND_US INT64_C(1000000)

static void
nothing_is_over_that_was_not_held(void **state UNUSED)
{
	Streaming streaming = {0};

	assert_false(streaming_is_over(&streaming, INT64_MAX));
	streaming_pass(&streaming, 7);
	assert_false(streaming_is_over(&streaming, INT64_MAX));
}

static void
it_is_over_when_the_transaction_has_passed(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0);
	assert_true(streaming.held);
	assert_false(streaming_is_over(&streaming, SECOND_US));
	streaming_pass(&streaming, 8);
	assert_false(streaming_is_over(&streaming, SECOND_US));
	streaming_pass(&streaming, 7);
	assert_true(streaming_is_over(&streaming, SECOND_US));
	streaming_pass(&streaming, 8);
	assert_true(streaming_is_over(&streaming, SECOND_US));
	streaming_release(&streaming);
	assert_false(streaming.held);
	streaming_hold(&streaming, 7, 0);
	assert_false(streaming_is_over(&streaming, SECOND_US));
}

static void
one_that_is_not_known_does_not_pass(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 0, 0);
	streaming_pass(&streaming, 0);
	assert_false(streaming_is_over(&streaming, SECOND_US));
}

static void
the_time_doubles_until_one_passes(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0);
	assert_false(streaming_is_over(&streaming, 60 * SECOND_US - 1));
	assert_true(streaming_is_over(&streaming, 60 * SECOND_US));
	streaming_release(&streaming);
	streaming_hold(&streaming, 8, 0);
	assert_false(streaming_is_over(&streaming, 120 * SECOND_US - 1));
	assert_true(streaming_is_over(&streaming, 120 * SECOND_US));
	streaming_pass(&streaming, 8);
	streaming_release(&streaming);
	streaming_hold(&streaming, 9, 0);
	assert_true(streaming_is_over(&streaming, 60 * SECOND_US));
	for (int i = 0; i < 10; i++)
		streaming_hold(&streaming, 9, 0);
	assert_true(streaming_is_over(&streaming, 3600 * SECOND_US));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_over_that_was_not_held),
		cmocka_unit_test(it_is_over_when_the_transaction_has_passed),
		cmocka_unit_test(one_that_is_not_known_does_not_pass),
		cmocka_unit_test(the_time_doubles_until_one_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
