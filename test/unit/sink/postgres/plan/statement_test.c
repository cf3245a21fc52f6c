/*
 * statement_test.c
 *    How many statements a connection keeps, and when they are removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/statement_cache.h"

/* Enough for so many ways of being null. */
#define COLUMNS 11

typedef struct Bench
{
	StatementCache *cache;
	TargetTable table;
	TargetColumn columns[COLUMNS];
	RelationColumn sources[COLUMNS];
} Bench;

/* A table without a key. */
static void
setup(Bench *bench)
{
	*bench = (Bench){.cache = statement_cache_new()};
	bench->table = (TargetTable){.name_sql = "\"item\"",
								 .column_count = COLUMNS,
								 .columns = bench->columns};
	for (int i = 0; i < COLUMNS; i++)
		bench->columns[i] = (TargetColumn){.source = &bench->sources[i],
										   .source_index = i,
										   .transfer = TRANSFER_SAME,
										   .wire_type = TYPE_INT4,
										   .name_sql = "\"c\"",
										   .equals_sql = "=",
										   .equal_is_same = true};
}

static void
teardown(Bench *bench)
{
	statement_cache_free(bench->cache);
}

/* The statement that removes a row of which these columns are null. */
static const Statement *
get(Bench *bench, int nulls)
{
	Value row[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		row[i] = (Value){.kind = (nulls >> i & 1) != 0 ? VALUE_NULL
													   : VALUE_INTEGER};
	return statement_get(bench->cache, STATEMENT_DELETE, &bench->table, NULL,
						 row);
}

static void
statements_beyond_the_limit_are_not_kept(void **state UNUSED)
{
	const Statement *passing;
	Bench bench;

	setup(&bench);
	for (int nulls = 0; nulls < STATEMENTS_MAX; nulls++)
	{
		assert_false(statement_cache_is_full(bench.cache));
		assert_string_not_equal(get(&bench, nulls)->name, "");
	}
	assert_true(statement_cache_is_full(bench.cache));
	assert_string_not_equal(get(&bench, 5)->name, "");
	for (int nulls = STATEMENTS_MAX; nulls < 1 << COLUMNS; nulls++)
	{
		passing = get(&bench, nulls);
		assert_string_equal(passing->name, "");
		assert_false(passing->prepared);
	}
	passing = get(&bench, STATEMENTS_MAX);
	assert_non_null(strstr(passing->sql, "DELETE FROM"));
	statement_cache_reset(bench.cache);
	assert_string_not_equal(get(&bench, STATEMENTS_MAX)->name, "");
	teardown(&bench);
}

static void
statements_of_a_forgotten_table_are_to_go(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	statement_cache_set_stale(bench.cache);
	assert_false(statement_cache_wants_reset(bench.cache)); /* there is none */
	(void) get(&bench, 0);
	assert_false(statement_cache_wants_reset(bench.cache));
	statement_cache_set_stale(bench.cache);
	assert_true(statement_cache_wants_reset(bench.cache));
	(void) get(&bench, 1);
	assert_true(statement_cache_wants_reset(bench.cache));
	statement_cache_reset(bench.cache);
	assert_false(statement_cache_wants_reset(bench.cache));
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_beyond_the_limit_are_not_kept),
		cmocka_unit_test(statements_of_a_forgotten_table_are_to_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
