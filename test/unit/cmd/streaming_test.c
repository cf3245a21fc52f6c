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
	const Streaming streaming = {0};

	assert_false(streaming_is_over(&streaming, 0, INT64_MAX));
	assert_false(streaming_is_over(&streaming, 7, INT64_MAX));
}

static void
it_is_over_when_the_transaction_has_passed(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0);
	assert_true(streaming.held);
	assert_false(streaming_is_over(&streaming, 0, SECOND_US));
	assert_false(streaming_is_over(&streaming, 8, SECOND_US));
	assert_true(streaming_is_over(&streaming, 7, SECOND_US));
	streaming_release(&streaming, true);
	assert_false(streaming.held);
}

static void
one_that_is_not_known_does_not_pass(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 0, 0);
	assert_false(streaming_is_over(&streaming, 0, SECOND_US));
}

static void
the_time_doubles_until_one_passes(void **state UNUSED)
{
	Streaming streaming = {0};

	streaming_hold(&streaming, 7, 0);
	assert_false(streaming_is_over(&streaming, 0, 60 * SECOND_US - 1));
	assert_true(streaming_is_over(&streaming, 0, 60 * SECOND_US));
	streaming_release(&streaming, false);
	streaming_hold(&streaming, 8, 0);
	assert_false(streaming_is_over(&streaming, 0, 120 * SECOND_US - 1));
	assert_true(streaming_is_over(&streaming, 0, 120 * SECOND_US));
	streaming_release(&streaming, true);
	streaming_hold(&streaming, 9, 0);
	assert_true(streaming_is_over(&streaming, 0, 60 * SECOND_US));
	for (int i = 0; i < 10; i++)
		streaming_hold(&streaming, 9, 0);
	assert_true(streaming_is_over(&streaming, 0, 3600 * SECOND_US));
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
