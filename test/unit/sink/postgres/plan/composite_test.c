/*
 * composite_test.c
 *    Which changes may be in one composite statement, and its SQL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/composite.h"
#include "sink/postgres/plan/statement_cache.h"
#include "support/target_tables.h"

typedef struct Bench
{
	TargetTables tables;
	Composite composite;
} Bench;

static void
setup(Bench *bench)
{
	*bench = (Bench){0};
	target_tables_init(&bench->tables);
}

static void
teardown(Bench *bench)
{
	target_tables_release(&bench->tables);
}

/* Adds a change; 0 is no row. */
static bool
add(Bench *bench, TestTable table, ChangeKind kind, int64_t old_id,
	int64_t new_id)
{
	Change change = {.kind = kind};

	if (old_id != 0)
		change.old_row = target_tables_row(&bench->tables, old_id,
										   VALUE_INTEGER);
	if (new_id != 0)
		change.new_row = target_tables_row(&bench->tables, new_id,
										   VALUE_INTEGER);
	return composite_add(&bench->composite, &bench->tables.tables[table],
						 &change);
}

static void
rows_of_their_own_go_together(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	assert_true(add(&bench, ITEM, CHANGE_UPDATE, 0, 1));
	assert_true(add(&bench, ITEM, CHANGE_UPDATE, 2, 2));
	assert_true(add(&bench, ITEM, CHANGE_DELETE, 3, 0));
	assert_true(add(&bench, ITEM, CHANGE_INSERT, 0, 4));
	assert_true(add(&bench, LOG, CHANGE_INSERT, 0, 1));
	assert_true(add(&bench, LOG, CHANGE_INSERT, 0, 1));
	teardown(&bench);
}

static void
what_could_meet_does_not(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	assert_true(add(&bench, ITEM, CHANGE_UPDATE, 0, 1));
	assert_false(add(&bench, ITEM, CHANGE_UPDATE, 0, 1));
	assert_false(add(&bench, ITEM, CHANGE_DELETE, 1, 0));
	assert_false(add(&bench, ITEM, CHANGE_INSERT, 0, 1));
	assert_false(add(&bench, ITEM, CHANGE_UPDATE, 5, 6)); /* its key moves */
	assert_false(add(&bench, LOG, CHANGE_UPDATE, 1, 1));
	assert_false(add(&bench, LOG, CHANGE_DELETE, 1, 0));
	assert_false(add(&bench, ODD, CHANGE_INSERT, 0, 9));
	bench.tables.tables[ITEM].policy = CONFLICT_SKIP;
	assert_false(add(&bench, ITEM, CHANGE_INSERT, 0, 9));
	teardown(&bench);
}

static void
there_is_a_limit(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	for (int i = 1; i <= COMPOSITE_CHANGES_MAX; i++)
		assert_true(add(&bench, ITEM, CHANGE_INSERT, 0, i));
	assert_false(add(&bench, ITEM, CHANGE_INSERT, 0, 1000));
	composite_reset(&bench.composite, false);
	bench.tables.tables[ITEM].column_count = COMPOSITE_PARAMS_MAX;
	assert_false(add(&bench, ITEM, CHANGE_INSERT, 0, 1));
	teardown(&bench);
}

/* Parameters are counted through; what only looks like one stays. */
static void
the_statement_fails_unless_each_found_its_row(void **state UNUSED)
{
	GivenParam params[COMPOSITE_PARAMS_MAX];
	Bench bench;
	Buf sql;

	setup(&bench);
	buf_init(&sql, 10 * KB);
	assert_true(add(&bench, ITEM, CHANGE_UPDATE, 0, 1));
	assert_true(add(&bench, LOG, CHANGE_INSERT, 0, 1));
	assert_true(add(&bench, ITEM, CHANGE_DELETE, 2, 0));
	(void) composite_build(&sql, &bench.composite, false, params);
	assert_string_equal(
		sql.data,
		"WITH c1 AS (UPDATE ONLY \"item\" AS t SET \"id\" = $1, \"$1\" = $2"
		" WHERE t.\"id\" "
		"OPERATOR(pg_catalog.=) $3 RETURNING 1),"
		" c2 AS (INSERT INTO \"log\" (\"id\", \"$1\")"
		" OVERRIDING SYSTEM VALUE VALUES ($4, $5)),"
		" c3 AS (DELETE FROM ONLY \"item\" AS t WHERE t.\"id\" "
		"OPERATOR(pg_catalog.=) $6"
		" RETURNING 1)"
		" SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) WHERE (SELECT "
		"true FROM c1)"
		" AND (SELECT true FROM c3)");
	buf_reset(&sql);
	bench.composite.moves_progress = true;
	(void) composite_build(&sql, &bench.composite, false, params);
	assert_non_null(strstr(sql.data, " WHERE pipeline OPERATOR(pg_catalog.=) "
									 "$7::pg_catalog.text"));
	assert_non_null(strstr(sql.data, " AND end_lsn OPERATOR(pg_catalog.=) "
									 "$14::pg_catalog.pg_lsn"
									 " AND (SELECT true FROM c1)"
									 " AND (SELECT true FROM c3)"));
	buf_release(&sql);
	teardown(&bench);
}

/* One condition for all of its tables, each of them once. */
static void
the_statement_fails_if_a_table_has_changed(void **state UNUSED)
{
	GivenParam params[COMPOSITE_PARAMS_MAX];
	Bench bench;
	Buf sql;

	setup(&bench);
	buf_init(&sql, 10 * KB);
	bench.tables.tables[ITEM].name_sql = "\"It's\"";
	bench.tables.tables[ITEM].fingerprint = -5;
	bench.tables.tables[LOG].fingerprint = 7;
	assert_true(add(&bench, ITEM, CHANGE_UPDATE, 0, 1));
	assert_true(add(&bench, LOG, CHANGE_INSERT, 0, 1));
	assert_true(add(&bench, ITEM, CHANGE_DELETE, 2, 0));
	(void) composite_build(&sql, &bench.composite, true, params);
	assert_non_null(
		strstr(sql.data, " SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) "
						 "WHERE pg_temp.penstock_current( "
						 "E'{\"\\\\\"It''s\\\\\"\",\"\\\\\"log\\\\\"\"}',"
						 " '{-5,7}') AND (SELECT true FROM c1)"));
	buf_reset(&sql);
	bench.composite.moves_progress = true;
	(void) composite_build(&sql, &bench.composite, true, params);
	assert_non_null(strstr(sql.data, " AND end_lsn OPERATOR(pg_catalog.=) "
									 "$14::pg_catalog.pg_lsn"
									 " AND pg_temp.penstock_current("));
	buf_release(&sql);
	teardown(&bench);
}

/* What comes but a few times is not worth a statement of its own. */
static void
a_statement_is_made_for_what_comes_again(void **state UNUSED)
{
	StatementCache *cache = statement_cache_new();
	const Statement *first;
	Bench bench;

	setup(&bench);
	assert_true(add(&bench, ITEM, CHANGE_INSERT, 0, 1));
	for (int i = 0; i < COMPOSITE_USES_MIN; i++)
		assert_null(statement_get_composite(cache, &bench.composite));
	first = statement_get_composite(cache, &bench.composite);
	assert_non_null(first);
	assert_ptr_equal(statement_get_composite(cache, &bench.composite), first);
	bench.composite.moves_progress = true;
	assert_null(statement_get_composite(cache, &bench.composite));
	teardown(&bench);
	statement_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_their_own_go_together),
		cmocka_unit_test(what_could_meet_does_not),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(the_statement_fails_unless_each_found_its_row),
		cmocka_unit_test(the_statement_fails_if_a_table_has_changed),
		cmocka_unit_test(a_statement_is_made_for_what_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
