/*
 * value_test.c
 *    Integers of the stream in words, as a server prints them: the expected
 *    texts are what PostgreSQL 15 says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/relation.h"
#include "model/value.h"

typedef struct Printed
{
	int64_t number;
	const char *text;
} Printed;

static void
assert_prints(uint32_t type_oid, const Printed *expected, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		Buf buf;

		buf_init(&buf, KB);
		value_append_integer(&buf, type_oid, expected[i].number);
		assert_string_equal(buf.data, expected[i].text);
		buf_release(&buf);
	}
}

static void
infinities_are_the_ends_of_their_types(void **state UNUSED)
{
	static const Printed dates[] = {{INT32_MIN, "-infinity"},
									{INT32_MAX, "infinity"}};
	static const Printed timestamps[] = {{INT64_MIN, "-infinity"},
										 {INT64_MAX, "infinity"}};

	assert_prints(TYPE_DATE, dates, LENGTH_OF(dates));
	assert_prints(TYPE_TIMESTAMP, timestamps, LENGTH_OF(timestamps));
	assert_prints(TYPE_TIMESTAMPTZ, timestamps, LENGTH_OF(timestamps));
}

static void
dates_follow_the_gregorian_calendar_both_ways(void **state UNUSED)
{
	static const Printed dates[] = {
		{-2451507, "4713-01-01 BC"},
		{-746117, "0044-03-15 BC"},
		{-731887, "0005-02-29 BC"},
		{-731522, "0004-02-28 BC"},
		{-730427, "0001-02-28 BC"},
		{-730120, "0001-12-31 BC"},
		{-730119, "0001-01-01"},
		{-146038, "1600-02-29"},
		{-36525, "1899-12-31"},
		{-36466, "1900-02-28"},
		{-36465, "1900-03-01"},
		{-1, "1999-12-31"},
		{0, "2000-01-01"},
		{59, "2000-02-29"},
		{365, "2000-12-31"},
		{1520, "2004-02-29"},
		{36583, "2100-02-28"},
		{36584, "2100-03-01"},
		{2921939, "9999-12-31"},
		{2921940, "10000-01-01"},
		{2145031948, "5874897-12-31"},
	};

	assert_prints(TYPE_DATE, dates, LENGTH_OF(dates));
}

static void
timestamps_are_printed_without_trailing_zeros(void **state UNUSED)
{
	static const Printed timestamps[] = {
		{INT64_C(-211810204800000000), "4713-01-01 00:00:00 BC"},
		{INT64_C(-63082281600000001), "0001-12-31 23:59:59.999999 BC"},
		{INT64_C(-63082281600000000), "0001-01-01 00:00:00"},
		{INT64_C(-60039345417999900), "0097-06-05 04:03:02.0001"},
		{INT64_C(-946684800500000), "1969-12-31 23:59:59.5"},
		{-1, "1999-12-31 23:59:59.999999"},
		{0, "2000-01-01 00:00:00"},
		{1, "2000-01-01 00:00:00.000001"},
		{100000, "2000-01-01 00:00:00.1"},
		{INT64_C(762525296789000), "2024-02-29 12:34:56.789"},
		{INT64_C(9223371331199999999), "294276-12-31 23:59:59.999999"},
	};

	assert_prints(TYPE_TIMESTAMP, timestamps, LENGTH_OF(timestamps));
}

static void
a_zone_stands_before_the_era(void **state UNUSED)
{
	static const Printed timestamps[] = {
		{INT64_C(-211810204800000000), "4713-01-01 00:00:00+00 BC"},
		{100000, "2000-01-01 00:00:00.1+00"},
	};

	assert_prints(TYPE_TIMESTAMPTZ, timestamps, LENGTH_OF(timestamps));
}

static void
a_day_has_a_time_at_its_end(void **state UNUSED)
{
	static const Printed times[] = {
		{0, "00:00:00"},
		{INT64_C(3723040000), "01:02:03.04"},
		{INT64_C(43200000001), "12:00:00.000001"},
		{INT64_C(86399999999), "23:59:59.999999"},
		{INT64_C(86400000000), "24:00:00"},
	};

	assert_prints(TYPE_TIME, times, LENGTH_OF(times));
}

static void
numbers_and_booleans_are_printed_as_such(void **state UNUSED)
{
	static const Printed booleans[] = {{0, "f"}, {1, "t"}};
	static const Printed numbers[] = {
		{0, "0"},
		{-32768, "-32768"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};

	assert_prints(TYPE_BOOL, booleans, LENGTH_OF(booleans));
	assert_prints(TYPE_INT8, numbers, LENGTH_OF(numbers));
	assert_prints(TYPE_OID, &(Printed){UINT32_MAX, "4294967295"}, 1);
}

/* Whatever number a source sends, it is printed within bounds. */
static void
numbers_that_no_server_has_are_printed_too(void **state UNUSED)
{
	static const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1, INT64_MAX,
									  INT64_MAX - 1};
	static const uint32_t types[] = {TYPE_DATE, TYPE_TIME, TYPE_TIMESTAMP,
									 TYPE_TIMESTAMPTZ, TYPE_BOOL};

	for (size_t i = 0; i < LENGTH_OF(numbers); i++)
		for (size_t j = 0; j < LENGTH_OF(types); j++)
		{
			Buf buf;

			buf_init(&buf, 64);
			value_append_integer(&buf, types[j], numbers[i]);
			assert_false(buf.overflowed);
			buf_release(&buf);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(infinities_are_the_ends_of_their_types),
		cmocka_unit_test(dates_follow_the_gregorian_calendar_both_ways),
		cmocka_unit_test(timestamps_are_printed_without_trailing_zeros),
		cmocka_unit_test(a_zone_stands_before_the_era),
		cmocka_unit_test(a_day_has_a_time_at_its_end),
		cmocka_unit_test(numbers_and_booleans_are_printed_as_such),
		cmocka_unit_test(numbers_that_no_server_has_are_printed_too),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
