/*
 * sums_test.c
 *    Which ranges differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "verify/sums.h"

static void
equal_lists_have_no_difference(void **state UNUSED)
{
	const RangeSum sums[] = {{3, 2, "17", "-4"}, {9, 1, "5", "6"}};
	int ranges[4];

	assert_int_equal(sums_compare(sums, 2, sums, 2, ranges), 0);
	assert_int_equal(sums_compare(NULL, 0, NULL, 0, ranges), 0);
}

/* Each of count and sums is enough. */
static void
any_part_of_a_range_counts(void **state UNUSED)
{
	const RangeSum source[] = {{0, 2, "1", "1"}};
	const RangeSum others[] = {
		{0, 3, "1", "1"}, {0, 2, "2", "1"}, {0, 2, "1", "2"}};
	int ranges[2];

	for (size_t i = 0; i < LENGTH_OF(others); i++)
	{
		assert_int_equal(sums_compare(source, 1, &others[i], 1, ranges), 1);
		assert_int_equal(ranges[0], 0);
	}
}

static void
a_range_that_one_side_lacks_differs(void **state UNUSED)
{
	const RangeSum source[] = {
		{1, 1, "1", "1"}, {4, 1, "1", "1"}, {7, 1, "1", "1"}};
	const RangeSum target[] = {
		{2, 1, "1", "1"}, {4, 1, "1", "1"}, {8, 1, "1", "1"}};
	int ranges[6];

	assert_int_equal(sums_compare(source, 3, target, 3, ranges), 4);
	assert_int_equal(ranges[0], 1);
	assert_int_equal(ranges[1], 2);
	assert_int_equal(ranges[2], 7);
	assert_int_equal(ranges[3], 8);
	assert_int_equal(sums_compare(source, 3, NULL, 0, ranges), 3);
	assert_int_equal(sums_compare(NULL, 0, target, 3, ranges), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_lists_have_no_difference),
		cmocka_unit_test(any_part_of_a_range_counts),
		cmocka_unit_test(a_range_that_one_side_lacks_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
