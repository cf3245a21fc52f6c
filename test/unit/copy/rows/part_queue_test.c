/*
 * part_queue_test.c
 *    The order in which tables are copied, and the parts into which they are
 *    divided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "copy/rows/part_queue.h"

/* Of a page that is full of rows, with nothing out of line. */
#define BLOCK_BYTES 8192
#define PART_BLOCKS (PART_BYTES / BLOCK_BYTES)

static CopyTable
table_of(int64_t blocks)
{
	return (CopyTable){.heap_blocks = blocks, .bytes = blocks * BLOCK_BYTES};
}

/* Takes all parts of a table, which have to be one behind the other. */
static int
take_all(PartQueue *queue, const CopyTable *table)
{
	int64_t next = 0;
	int count = 0;
	CopyPart part;

	while (part_queue_take(queue, &part))
	{
		assert_ptr_equal(part.table, table);
		assert_int_equal(part.first_block, next);
		next = part.end_block;
		count++;
	}
	/* The last is open at its end. */
	assert_int_equal(next, 0);
	return count;
}

static void
a_small_table_is_one_part(void **state UNUSED)
{
	CopyTable table = table_of(PART_BLOCKS / 2);
	PartQueue queue;
	CopyPart part;

	part_queue_init(&queue, 4);
	assert_int_equal(part_queue_add(&queue, &table), 1);
	assert_true(part_queue_take(&queue, &part));
	assert_int_equal(part.first_block, 0);
	assert_int_equal(part.end_block, 0);
	assert_false(part_queue_take(&queue, &part));
	part_queue_release(&queue);
}

static void
a_large_table_is_shared(void **state UNUSED)
{
	CopyTable table = table_of(5 * PART_BLOCKS + 1);
	PartQueue queue;

	part_queue_init(&queue, 4);
	assert_int_equal(part_queue_add(&queue, &table), 6);
	assert_int_equal(table.parts_left, 6);
	assert_int_equal(part_count(&table, 4), 6);
	assert_int_equal(take_all(&queue, &table), 6);
	part_queue_release(&queue);
}

static void
one_job_takes_tables_whole(void **state UNUSED)
{
	CopyTable table = table_of(5 * PART_BLOCKS);
	PartQueue queue;

	part_queue_init(&queue, 1);
	assert_int_equal(part_queue_add(&queue, &table), 1);
	assert_int_equal(part_count(&table, 1), 1);
	assert_int_equal(take_all(&queue, &table), 1);
	part_queue_release(&queue);
}

static void
what_is_out_of_line_counts(void **state UNUSED)
{
	/* A few blocks, whose rows have large values elsewhere. */
	CopyTable table = {.heap_blocks = 100, .bytes = 10 * PART_BYTES};
	PartQueue queue;

	part_queue_init(&queue, 3);
	assert_in_range(part_queue_add(&queue, &table), 8, 11);
	assert_int_equal(take_all(&queue, &table), (int) table.parts_left);
	part_queue_release(&queue);
}

static void
fewer_blocks_than_parts_are_a_part_each(void **state UNUSED)
{
	CopyTable table = {.heap_blocks = 3, .bytes = 100 * PART_BYTES};
	PartQueue queue;

	part_queue_init(&queue, 3);
	assert_int_equal(part_queue_add(&queue, &table), 3);
	assert_int_equal(take_all(&queue, &table), 3);
	part_queue_release(&queue);
}

static void
what_cannot_be_read_in_parts_is_not(void **state UNUSED)
{
	CopyTable table = {.heap_blocks = 0, .bytes = 100 * PART_BYTES};
	PartQueue queue;

	part_queue_init(&queue, 3);
	assert_int_equal(part_queue_add(&queue, &table), 1);
	assert_int_equal(take_all(&queue, &table), 1);
	part_queue_release(&queue);
}

static void
a_part_put_back_comes_behind_with_the_rest(void **state UNUSED)
{
	CopyTable large = table_of(3 * PART_BLOCKS);
	CopyTable small = table_of(1);
	PartQueue queue;
	CopyPart refused;
	CopyPart part;

	part_queue_init(&queue, 2);
	part_queue_add(&queue, &large);
	part_queue_add(&queue, &small);
	assert_true(part_queue_take(&queue, &refused));
	part_queue_put_back(&queue, refused);
	assert_true(part_queue_take(&queue, &part));
	assert_ptr_equal(part.table, &small);
	assert_true(part_queue_take(&queue, &part));
	assert_ptr_equal(part.table, &large);
	assert_int_equal(part.first_block, 0);
	assert_int_equal(part.end_block, refused.end_block);
	assert_true(part_queue_take(&queue, &part));
	assert_int_equal(part.first_block, refused.end_block);
	assert_true(part_queue_take(&queue, &part));
	assert_int_equal(part.end_block, 0);
	assert_false(part_queue_take(&queue, &part));
	part_queue_release(&queue);
}

static void
what_is_put_back_again_and_again_stays(void **state UNUSED)
{
	CopyTable tables[70];
	PartQueue queue;
	CopyPart part;

	part_queue_init(&queue, 2);
	for (int i = 0; i < 70; i++)
	{
		tables[i] = table_of(1);
		part_queue_add(&queue, &tables[i]);
	}
	for (int i = 0; i < 10000; i++)
	{
		assert_true(part_queue_take(&queue, &part));
		assert_ptr_equal(part.table, &tables[i % 70]);
		part_queue_put_back(&queue, part);
	}
	assert_in_range(queue.size, 70, 512);
	part_queue_release(&queue);
}

static void
a_table_can_be_dropped(void **state UNUSED)
{
	CopyTable large = table_of(3 * PART_BLOCKS);
	CopyTable small = table_of(1);
	PartQueue queue;
	CopyPart part;

	part_queue_init(&queue, 2);
	part_queue_add(&queue, &large);
	part_queue_add(&queue, &small);
	assert_true(part_queue_take(&queue, &part));
	part_queue_put_back(&queue, part);
	part_queue_drop(&queue, &large);
	assert_true(part_queue_take(&queue, &part));
	assert_ptr_equal(part.table, &small);
	assert_false(part_queue_take(&queue, &part));
	part_queue_release(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_table_is_one_part),
		cmocka_unit_test(a_large_table_is_shared),
		cmocka_unit_test(one_job_takes_tables_whole),
		cmocka_unit_test(what_is_out_of_line_counts),
		cmocka_unit_test(fewer_blocks_than_parts_are_a_part_each),
		cmocka_unit_test(what_cannot_be_read_in_parts_is_not),
		cmocka_unit_test(a_part_put_back_comes_behind_with_the_rest),
		cmocka_unit_test(what_is_put_back_again_and_again_stays),
		cmocka_unit_test(a_table_can_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
