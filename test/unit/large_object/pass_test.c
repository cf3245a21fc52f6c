/*
 * pass_test.c
 *    The number of transactions since the last pass over large objects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/macros.h"
#include "large_object/pass.h"

#define EPOCH (INT64_C(1) << 32)

static const LargeObjectPoint last = {
	.system = "7000", .timeline = 1, .xmin = 3 * EPOCH - 10};

static void
it_counts_from_the_snapshot_of_the_last_pass(void **state UNUSED)
{
	LargeObjectPoint now = last;

	assert_int_equal(large_objects_age(&last, &now, last.xmin), 0);
	now.xmin += 5;
	assert_int_equal(large_objects_age(&last, &now, last.xmin + 7), 7);
}

static void
it_counts_on_where_numbers_begin_again(void **state UNUSED)
{
	LargeObjectPoint now = last;

	now.xmin = 3 * EPOCH + 20;
	assert_int_equal(large_objects_age(&last, &now, now.xmin + 1), 31);
}

static void
half_of_all_numbers_later_nothing_is_known(void **state UNUSED)
{
	LargeObjectPoint now = last;

	assert_int_equal(large_objects_age(&last, &now, last.xmin + EPOCH / 2 - 1),
					 EPOCH / 2 - 1);
	assert_int_equal(large_objects_age(&last, &now, last.xmin + EPOCH / 2), -1);
	now.xmin += EPOCH;
	assert_int_equal(large_objects_age(&last, &now, now.xmin), -1);
}

static void
of_another_server_or_timeline_nothing_is_known(void **state UNUSED)
{
	const LargeObjectPoint never = {0};
	LargeObjectPoint now = last;

	assert_int_equal(large_objects_age(&never, &now, now.xmin), -1);
	now.timeline = 2;
	assert_int_equal(large_objects_age(&last, &now, now.xmin), -1);
	now = last;
	now.system[0] = '8';
	assert_int_equal(large_objects_age(&last, &now, now.xmin), -1);
}

/* A server that was set back. */
static void
after_a_number_that_is_not_reached_nothing_is_known(void **state UNUSED)
{
	LargeObjectPoint now = last;

	now.xmin--;
	assert_int_equal(large_objects_age(&last, &now, last.xmin), -1);
}

static void
it_reads_from_the_server_of_the_stream(void **state UNUSED)
{
	const SourceIdentity stream = {.system_identifier = "7000", .timeline = 2};
	LargeObjectServer server = {
		.point = {.system = "7000", .timeline = 2, .xmin = 1}, .lsn = 0x100};

	assert_true(large_objects_is_source(&server, &stream, 0x100));
	assert_false(large_objects_is_source(&server, &stream, 0x101));
	server.point.timeline = 1;
	assert_false(large_objects_is_source(&server, &stream, 0x100));
	server.is_standby = true;
	assert_true(large_objects_is_source(&server, &stream, 0x100));
	server.point.system[0] = '8';
	assert_false(large_objects_is_source(&server, &stream, 0x100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_from_the_server_of_the_stream),
		cmocka_unit_test(it_counts_from_the_snapshot_of_the_last_pass),
		cmocka_unit_test(it_counts_on_where_numbers_begin_again),
		cmocka_unit_test(half_of_all_numbers_later_nothing_is_known),
		cmocka_unit_test(of_another_server_or_timeline_nothing_is_known),
		cmocka_unit_test(after_a_number_that_is_not_reached_nothing_is_known),
	};

	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
