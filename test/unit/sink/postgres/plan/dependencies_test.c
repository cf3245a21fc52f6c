/*
 * dependencies_test.c
 *    Which transactions of a batch must wait for which.
 *
 * The window is wide, so that nothing counts as committed, unless a test says
 * otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/postgres/plan/dependencies.h"
#include "support/frames.h"
#include "support/target_tables.h"

#define WIDE 100

typedef struct Bench
{
	TargetTables tables;
	Batch batch;
	Dependencies *dependencies;
} Bench;

static void
setup(Bench *bench)
{
	*bench = (Bench){.dependencies = dependencies_new()};
	target_tables_init(&bench->tables);
}

static void
teardown(Bench *bench)
{
	batch_release(&bench->batch);
	dependencies_free(bench->dependencies);
	target_tables_release(&bench->tables);
}

/* A transaction with one change; 0 is no row. */
static void
change(Bench *bench, TestTable table, ChangeKind kind, int64_t old_id,
	   int64_t new_id)
{
	static const TruncateInfo of_nothing = {0};
	Change made = {.kind = kind};
	Frame *frame;

	if (kind == CHANGE_TRUNCATE)
		made.truncate = &of_nothing;
	else
		made.relation = bench->tables.relations[table];
	if (old_id != 0)
		made.old_row = target_tables_row(&bench->tables, old_id, VALUE_INTEGER);
	if (new_id != 0)
		made.new_row = target_tables_row(&bench->tables, new_id, VALUE_INTEGER);
	frame = frames_of(&made);
	batch_begin(&bench->batch,
				&(TxnInfo){.xid = 1, .end_lsn = bench->batch.txn_count + 1});
	batch_add(&bench->batch, frame, frame->changes);
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
	const uint32_t *found = dependencies_find(bench->dependencies,
											  &bench->batch, target_tables_get,
											  &bench->tables, window);

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
	bench.tables.tables[ITEM].policy = CONFLICT_SKIP;
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
