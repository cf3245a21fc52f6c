/*
 * row_key_test.c
 *    Whether a key identifies its row.
 *
 * The table has a key of two columns, a and b, before a column v.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/postgres/plan/row_key.h"

#define COLUMNS 3

static TargetColumn columns[COLUMNS] = {
	{.source_index = 0, .key = true},
	{.source_index = 1, .key = true},
	{.source_index = 2},
};
static const TargetTable keyed = {
	.column_count = COLUMNS, .columns = columns, .key_count = 2};

static TargetColumn plain_columns[COLUMNS] = {
	{.source_index = 0}, {.source_index = 1}, {.source_index = 2}};
static const TargetTable keyless = {.column_count = COLUMNS,
									.columns = plain_columns};

static void
expect(ValueKind a, ValueKind b, ValueKind v, bool is_there, bool is_unique)
{
	const Value row[COLUMNS] = {{.kind = a}, {.kind = b}, {.kind = v}};

	assert_int_equal(row_key_is_there(&keyed, row), is_there);
	assert_int_equal(row_key_is_unique(&keyed, row), is_unique);
}

static void
values_of_other_columns_do_not_count(void **state UNUSED)
{
	expect(VALUE_INTEGER, VALUE_TEXT, VALUE_INTEGER, true, true);
	expect(VALUE_INTEGER, VALUE_TEXT, VALUE_NULL, true, true);
	expect(VALUE_INTEGER, VALUE_TEXT, VALUE_UNCHANGED, true, true);
	expect(VALUE_INTEGER, VALUE_TEXT, VALUE_MISSING, true, true);
}

static void
a_key_that_was_not_sent_is_not_there(void **state UNUSED)
{
	expect(VALUE_MISSING, VALUE_TEXT, VALUE_INTEGER, false, false);
	expect(VALUE_INTEGER, VALUE_UNCHANGED, VALUE_INTEGER, false, false);
}

/* Two rows may have it; but changes of them have the same hash. */
static void
a_key_with_a_null_is_there_and_not_unique(void **state UNUSED)
{
	const Value one[COLUMNS] = {{.kind = VALUE_INTEGER, .integer = 7},
								{.kind = VALUE_NULL},
								{.kind = VALUE_INTEGER, .integer = 1}};
	const Value other[COLUMNS] = {{.kind = VALUE_INTEGER, .integer = 7},
								  {.kind = VALUE_NULL},
								  {.kind = VALUE_INTEGER, .integer = 2}};

	expect(VALUE_INTEGER, VALUE_NULL, VALUE_INTEGER, true, false);
	expect(VALUE_NULL, VALUE_NULL, VALUE_INTEGER, true, false);
	assert_true(row_key_hash(&keyed, one) == row_key_hash(&keyed, other));
}

static void
without_a_key_no_row_is_unique(void **state UNUSED)
{
	const Value row[COLUMNS] = {{.kind = VALUE_INTEGER},
								{.kind = VALUE_INTEGER},
								{.kind = VALUE_INTEGER}};

	assert_true(row_key_is_there(&keyless, row));
	assert_false(row_key_is_unique(&keyless, row));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_other_columns_do_not_count),
		cmocka_unit_test(a_key_that_was_not_sent_is_not_there),
		cmocka_unit_test(a_key_with_a_null_is_there_and_not_unique),
		cmocka_unit_test(without_a_key_no_row_is_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
