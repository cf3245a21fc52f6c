/*
 * dependencies_test.c
 *    Which transactions wait for which.
 *
 * The tables are item (id int4 key, v text), where nothing but the key is
 * unique, log (id int4, v text), which has no key, and odd, which has another
 * unique index.  The window is wide, so that nothing counts as committed,
 * unless a test says otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/dependencies.h"

#define COLUMNS 2
#define WIDE    100

typedef enum TestTable
{
	ITEM,
	LOG,
	ODD,
	TABLE_COUNT,
} TestTable;

typedef struct Bench
{
	Arena *arena;
	Batch batch;
	Dependencies *dependencies;
	Relation *relations[TABLE_COUNT];
	TargetTable tables[TABLE_COUNT];
	TargetColumn columns[TABLE_COUNT][COLUMNS];
} Bench;

static void
setup(Bench *bench)
{
	*bench = (Bench){.arena = arena_new(KB)};
	bench->dependencies = dependencies_new();
	for (int t = 0; t < TABLE_COUNT; t++)
	{
		bench->relations[t] = relation_new(COLUMNS);
		bench->tables[t] = (TargetTable){
			.relation = bench->relations[t],
			.column_count = COLUMNS,
			.columns = bench->columns[t],
			.key_count = t == LOG ? 0 : 1,
			.nothing_fires = true,
			.has_independent_rows = t != ODD,
			.top_hash = (uint64_t) t * 1000,
		};
		for (int i = 0; i < COLUMNS; i++)
			bench->columns[t][i] = (TargetColumn){.source_index = i,
												  .key = i == 0 && t != LOG};
	}
}

static void
teardown(Bench *bench)
{
	batch_release(&bench->batch);
	for (int t = 0; t < TABLE_COUNT; t++)
		relation_unref(bench->relations[t]);
	dependencies_free(bench->dependencies);
	arena_free(bench->arena);
}

static const TargetTable *
lookup(void *context, const Relation *relation)
{
	Bench *bench = context;

	for (int t = 0; t < TABLE_COUNT; t++)
		if (bench->relations[t] == relation)
			return &bench->tables[t];
	return NULL;
}

static Value *
row(Bench *bench, int64_t id, ValueKind kind)
{
	Value *values = arena_calloc(bench->arena, COLUMNS, sizeof(Value));

	values[0].kind = kind;
	values[0].integer = id;
	values[1].kind = VALUE_NULL;
	return values;
}

/* A transaction with one change; 0 is no row. */
static void
change(Bench *bench, TestTable table, ChangeKind kind, int64_t old_id,
	   int64_t new_id)
{
	Arena *arena = arena_new(KB);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));
	Change *made = arena_calloc(arena, 1, sizeof(Change));

	frame->arena = arena;
	frame->references = 1;
	made->kind = kind;
	if (kind == CHANGE_TRUNCATE)
		made->truncate = arena_calloc(arena, 1, sizeof(TruncateInfo));
	else
		made->relation = bench->relations[table];
	if (old_id != 0)
		made->old_row = row(bench, old_id, VALUE_INTEGER);
	if (new_id != 0)
		made->new_row = row(bench, new_id, VALUE_INTEGER);
	batch_begin(&bench->batch, &(TxnInfo){.xid = 1});
	batch_add(&bench->batch, frame, made);
	batch_commit(&bench->batch);
	frame_unref(frame);
}

static void
insert(Bench *bench, TestTable table, int64_t id)
{
	change(bench, table, CHANGE_INSERT, 0, id);
}

static void
update(Bench *bench, TestTable table, int64_t id)
{
	change(bench, table, CHANGE_UPDATE, 0, id);
}

/* Compares with the numbers, from 1, of the transactions that are waited for.
 */
static void
assert_depends(Bench *bench, size_t window, const uint32_t *expected)
{
	const uint32_t *found = dependencies_find(
		bench->dependencies, &bench->batch, lookup, bench, window);

	for (size_t i = 0; i < bench->batch.txn_count; i++)
		assert_int_equal(found[i], expected[i]);
}

static void
changes_of_one_row_are_made_in_order(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, ITEM, 1);
	insert(&bench, ITEM, 2);
	update(&bench, ITEM, 1);
	change(&bench, ITEM, CHANGE_DELETE, 2, 0);
	update(&bench, ITEM, 1);
	insert(&bench, ITEM, 3);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 0, 1, 2, 3, 0});
	teardown(&bench);
}

static void
a_key_that_changes_is_both_keys(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, ITEM, 1);
	update(&bench, ITEM, 2);
	change(&bench, ITEM, CHANGE_UPDATE, 1, 3);
	insert(&bench, ITEM, 1);
	update(&bench, ITEM, 3);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 0, 1, 3, 3});
	teardown(&bench);
}

static void
equal_keys_of_different_tables_are_different_rows(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, ITEM, 1);
	insert(&bench, LOG, 1);
	insert(&bench, LOG, 1);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 0, 0});
	teardown(&bench);
}

static void
rows_without_a_key_are_found_in_order(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, LOG, 1);
	insert(&bench, ITEM, 1);
	change(&bench, LOG, CHANGE_DELETE, 1, 0);
	insert(&bench, LOG, 1);
	insert(&bench, ITEM, 2);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 0, 2, 3, 3});
	teardown(&bench);
}

static void
other_unique_indexes_and_truncate_are_for_one_at_a_time(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, ITEM, 1);
	insert(&bench, ODD, 1);
	insert(&bench, ODD, 2);
	insert(&bench, ITEM, 2);
	change(&bench, ITEM, CHANGE_TRUNCATE, 0, 0);
	insert(&bench, ITEM, 3);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 1, 2, 3, 4, 5});
	teardown(&bench);
}

static void
a_table_whose_conflicts_are_settled_is_in_order(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.tables[ITEM].policy = CONFLICT_SKIP;
	insert(&bench, ITEM, 1);
	insert(&bench, ITEM, 2);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 1});
	teardown(&bench);
}

static void
a_key_that_is_not_in_the_log_waits_for_all(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	insert(&bench, ITEM, 1);
	change(&bench, ITEM, CHANGE_UPDATE, 2, 3);
	((Value *) (uintptr_t) bench.batch.changes[1]->new_row)[0]
		.kind = VALUE_UNCHANGED;
	insert(&bench, ITEM, 4);
	assert_depends(&bench, WIDE, (uint32_t[]){0, 1, 2});
	teardown(&bench);
}

static void
what_is_committed_anyway_is_not_waited_for(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	update(&bench, ITEM, 1);
	update(&bench, ITEM, 1);
	update(&bench, ITEM, 2);
	update(&bench, ITEM, 1);
	update(&bench, ITEM, 3);
	update(&bench, ITEM, 2);
	assert_depends(&bench, 3, (uint32_t[]){0, 1, 0, 2, 0, 0});
	assert_depends(&bench, 2, (uint32_t[]){0, 1, 0, 0, 0, 0});
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_one_row_are_made_in_order),
		cmocka_unit_test(a_key_that_changes_is_both_keys),
		cmocka_unit_test(equal_keys_of_different_tables_are_different_rows),
		cmocka_unit_test(rows_without_a_key_are_found_in_order),
		cmocka_unit_test(
			other_unique_indexes_and_truncate_are_for_one_at_a_time),
		cmocka_unit_test(a_table_whose_conflicts_are_settled_is_in_order),
		cmocka_unit_test(a_key_that_is_not_in_the_log_waits_for_all),
		cmocka_unit_test(what_is_committed_anyway_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("dependencies", tests, NULL, NULL);
}
