/*
 * given_test.c
 *    The parameters of a statement, and that its SQL numbers them as they are
 *    sent.
 *
 * The table is item (a int4, b int4, c int4, d int4), whose key is b, or which
 * has no key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/settle.h"
#include "sink/postgres/plan/statement.h"

#define COLUMNS 4
#define KEY     1

/* In a list: "+a" is a new value of a, "?b" is one of b that finds the row. */
#define LIST_SIZE 64

typedef struct Bench
{
	TargetTable table;
	TargetColumn columns[COLUMNS];
	RelationColumn sources[COLUMNS];
	Relation relation;
	Value set[COLUMNS];
	Value find[COLUMNS];
	Given given;
	char list[LIST_SIZE];
} Bench;

/* Rows as letters: v is a value, n null, u a value that was left unchanged, and
 * - no value. */
static void
fill_row(Value *row, const char *letters)
{
	for (int i = 0; i < COLUMNS; i++)
		row[i] = (Value){.kind = letters[i] == 'v'   ? VALUE_INTEGER
								 : letters[i] == 'n' ? VALUE_NULL
								 : letters[i] == 'u' ? VALUE_UNCHANGED
													 : VALUE_MISSING,
						 .integer = i};
}

static void
setup(Bench *bench, bool has_key)
{
	static const char *const names[COLUMNS] = {"a", "b", "c", "d"};

	*bench = (Bench){.relation = {.schema = "public", .name = "item"}};
	bench->table = (TargetTable){.name_sql = "item",
								 .relation = &bench->relation,
								 .column_count = COLUMNS,
								 .key_count = has_key ? 1 : 0,
								 .policy = CONFLICT_OVERWRITE,
								 .columns = bench->columns};
	for (int i = 0; i < COLUMNS; i++)
		bench->columns[i] = (TargetColumn){.source = &bench->sources[i],
										   .source_index = i,
										   .transfer = TRANSFER_SAME,
										   .base_type = TYPE_INT4,
										   .wire_type = TYPE_INT4,
										   .name_sql = names[i],
										   .equals_sql = "=",
										   .equal_is_same = true,
										   .key = has_key && i == KEY};
}

static const char *
list(Bench *bench, StatementKind kind, const char *set, const char *find)
{
	size_t length = 0;

	fill_row(bench->set, set);
	fill_row(bench->find, find);
	given_init(&bench->given, kind, &bench->table, bench->set, bench->find, 0);
	bench->list[0] = '\0';
	for (int i = 0; i < bench->given.count; i++)
	{
		const GivenParam *param = &bench->given.params[i];

		length += (size_t) snprintf(bench->list + length, LIST_SIZE - length,
									"%s%s%s", i > 0 ? " " : "",
									param->role == GIVEN_SET ? "+" : "?",
									bench->columns[param->column].name_sql);
	}
	return bench->list;
}

static void
new_values_come_before_what_finds_a_row_by_its_key(void **state UNUSED)
{
	Bench bench;

	setup(&bench, true);
	assert_string_equal(list(&bench, STATEMENT_INSERT, "vnvv", "----"),
						"+a +b +c +d");
	assert_string_equal(list(&bench, STATEMENT_UPDATE, "vvun", "-v--"),
						"+a +b +d ?b");
	assert_string_equal(list(&bench, STATEMENT_DELETE, "----", "nvvv"), "?b");
	assert_string_equal(list(&bench, STATEMENT_FETCH, "uvuv", "-v--"), "?b");
	assert_string_equal(list(&bench, STATEMENT_REPLACE, "vvun", "-v--"),
						"?b +a +b +d");
}

static void
without_a_key_what_finds_the_row_comes_first(void **state UNUSED)
{
	Bench bench;

	setup(&bench, false);
	assert_string_equal(list(&bench, STATEMENT_UPDATE, "vvuv", "vnv-"),
						"?a ?c +a +b +d");
	assert_string_equal(list(&bench, STATEMENT_DELETE, "----", "vnuv"),
						"?a ?d");
	assert_string_equal(list(&bench, STATEMENT_SETTLE_UPDATE, "vvuv", "vnv-"),
						"?a ?c +a +b +d");
}

/* Arrays for many rows: those of an update do not set what finds them. */
static void
many_rows_are_given_in_arrays(void **state UNUSED)
{
	Bench bench;

	setup(&bench, true);
	assert_string_equal(list(&bench, STATEMENT_INSERT_MANY, "vvvv", "vvvv"),
						"+a +b +c +d");
	assert_string_equal(list(&bench, STATEMENT_UPDATE_MANY, "vvuv", "vvuv"),
						"+a +d ?b");
	assert_string_equal(list(&bench, STATEMENT_DELETE_MANY, "-v--", "-v--"),
						"?b");
	assert_string_equal(list(&bench, STATEMENT_UPDATE_RECORDS, "vvvv", "vvvv"),
						"");
	assert_true(given_has(&bench.given, GIVEN_SET, 0));
}

/* The text of a statement does not depend on whether a key is null. */
static void
a_key_is_given_even_where_it_is_null(void **state UNUSED)
{
	Bench bench;

	setup(&bench, true);
	assert_string_equal(list(&bench, STATEMENT_DELETE, "----", "-n--"), "?b");
}

/* The largest number of a parameter in a text, and whether all up to it occur.
 */
static int
count_numbers(const char *sql)
{
	bool found[64] = {false};
	int max = 0;

	for (; (sql = strchr(sql, '$')) != NULL; sql++)
	{
		int number = (int) strtol(sql + 1, NULL, 10);

		assert_in_range(number, 1, 63);
		found[number] = true;
		max = number > max ? number : max;
	}
	for (int i = 1; i <= max; i++)
		assert_true(found[i]);
	return max;
}

static void
check_text(Bench *bench, StatementKind kind, const char *set, const char *find)
{
	bool settles = statement_settled_kind(kind) != kind;
	Buf sql;

	buf_init(&sql, 10 * KB);
	(void) list(bench, kind, set, find);
	if (settles)
		settle_build_sql(&sql, &bench->given);
	else
		statement_build(&sql, &bench->given);

	/* Settling takes the pipeline, the transaction and its position as well. */
	assert_int_equal(count_numbers(sql.data),
					 bench->given.count + (settles ? 3 : 0));
	buf_release(&sql);
}

static void
a_text_has_a_number_for_each_value(void **state UNUSED)
{
	for (int has_key = 0; has_key <= 1; has_key++)
		for (int kind = STATEMENT_INSERT; kind <= STATEMENT_SETTLE_DELETE;
			 kind++)
		{
			Bench bench;

			setup(&bench, has_key != 0);
			if (kind == STATEMENT_UPDATE_RECORDS ||
				(!has_key && statement_kind_is_many((StatementKind) kind)))
				continue;
			check_text(&bench, (StatementKind) kind, "vvnv", "vvnv");
		}
}

static void
numbers_begin_after_what_comes_before(void **state UNUSED)
{
	Bench bench;
	Buf sql;

	setup(&bench, true);
	fill_row(bench.set, "vuuu");
	fill_row(bench.find, "-v--");
	given_init(&bench.given, STATEMENT_UPDATE, &bench.table, bench.set,
			   bench.find, 7);
	buf_init(&sql, KB);
	statement_build(&sql, &bench.given);
	assert_string_equal(sql.data,
						"UPDATE ONLY item AS t SET a = $8 WHERE t.b = $9");
	buf_release(&sql);
}

static void
values_are_sent_in_the_order_of_the_list(void **state UNUSED)
{
	Params *params = params_new();
	Bench bench;

	setup(&bench, true);
	(void) list(&bench, STATEMENT_UPDATE, "vuvu", "-v--");
	given_add_params(params, bench.given.params, bench.given.count,
					 &bench.table, bench.set, bench.find);
	assert_int_equal(params->count, 3);
	assert_int_equal(params->values[0][3], 0);
	assert_int_equal(params->values[1][3], 2);
	assert_int_equal(params->values[2][3], 1);
	params_free(params);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_values_come_before_what_finds_a_row_by_its_key),
		cmocka_unit_test(without_a_key_what_finds_the_row_comes_first),
		cmocka_unit_test(many_rows_are_given_in_arrays),
		cmocka_unit_test(a_key_is_given_even_where_it_is_null),
		cmocka_unit_test(a_text_has_a_number_for_each_value),
		cmocka_unit_test(numbers_begin_after_what_comes_before),
		cmocka_unit_test(values_are_sent_in_the_order_of_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
