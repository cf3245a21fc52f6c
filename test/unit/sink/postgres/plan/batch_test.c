/*
 * batch_test.c
 *    Changes and frames in a batch, also after it was split.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/postgres/plan/batch.h"
#include "support/frames.h"

#define FRAME_BYTES 10000

static int frames_alive;

static void
count_down(void *memory)
{
	frames_alive -= *(int *) memory;
}

/* A frame with changes, of which the caller has the only reference. */
static Frame *
new_frame(size_t change_count)
{
	static int one = 1;
	Frame *frame = frames_new(change_count);

	frame->message = &one;
	frame->message_free = count_down;
	frame->message_bytes = FRAME_BYTES - arena_bytes(frame->arena);
	frame->change_count = change_count;
	frames_alive++;
	return frame;
}

/* Adds a frame and gives the caller's reference back. */
static void
add_frame(Batch *batch, size_t change_count)
{
	Frame *frame = new_frame(change_count);

	for (size_t i = 0; i < change_count; i++)
		batch_add(batch, frame, &frame->changes[i]);
	frame_unref(frame);
}

static void
begin(Batch *batch, uint32_t xid)
{
	batch_begin(batch, &(TxnInfo){.xid = xid, .end_lsn = xid});
}

static void
frames_live_as_long_as_their_changes(void **state UNUSED)
{
	Batch batch = {0};

	assert_true(batch_is_empty(&batch));
	begin(&batch, 1);
	add_frame(&batch, 3);
	add_frame(&batch, 1);
	batch_commit(&batch);
	assert_int_equal(frames_alive, 2);
	assert_int_equal(batch.change_count, 4);
	assert_int_equal(batch.frame_count, 2);
	assert_int_equal(batch.bytes, 2 * FRAME_BYTES);
	batch_reset(&batch);
	assert_int_equal(frames_alive, 0);
	assert_true(batch_is_empty(&batch));
	assert_int_equal(batch.bytes, 0);
	begin(&batch, 2);
	add_frame(&batch, 1);
	batch_release(&batch);
	assert_int_equal(frames_alive, 0);
}

/* What is made of a change is allocated in its frame. */
static void
frames_count_with_what_they_have_grown(void **state UNUSED)
{
	Batch batch = {0};
	Frame *first = new_frame(3);
	Frame *second = new_frame(1);
	size_t grown;

	begin(&batch, 1);
	batch_add(&batch, first, &first->changes[0]);
	arena_alloc(first->arena, 5000);
	grown = frame_bytes(first);
	assert_true(grown >= FRAME_BYTES + 5000);
	batch_add(&batch, first, &first->changes[1]);
	assert_int_equal(batch.bytes, grown);
	batch_add(&batch, second, &second->changes[0]);
	arena_alloc(first->arena, 5000);
	batch_add(&batch, first, &first->changes[2]);
	assert_int_equal(batch.bytes, frame_bytes(first) + FRAME_BYTES);
	batch_commit(&batch);
	begin(&batch, 2);
	add_frame(&batch, 1);
	batch_commit(&batch);
	batch_drop(&batch, 1);
	assert_int_equal(batch.bytes, FRAME_BYTES);
	batch_release(&batch);
	frame_unref(first);
	frame_unref(second);
	assert_int_equal(frames_alive, 0);
}

static void
transactions_without_changes_fill_it(void **state UNUSED)
{
	Batch batch = {0};

	for (uint32_t xid = 1; xid < BATCH_TXNS_MAX; xid++)
	{
		begin(&batch, xid);
		batch_commit(&batch);
	}
	assert_false(batch_is_full(&batch, BATCH_RELATIONS_MAX));
	begin(&batch, BATCH_TXNS_MAX);
	assert_true(batch_is_full(&batch, BATCH_RELATIONS_MAX));
	batch_release(&batch);
}

static void
tables_fill_it(void **state UNUSED)
{
	static Relation relations[200];
	Relation *truncated[] = {&relations[150], &relations[199]};
	TruncateInfo info = {.relation_count = 2, .relations = truncated};
	Batch batch = {0};
	Frame *frame = new_frame(1);

	begin(&batch, 1);
	for (size_t i = 0; i < 600; i++)
	{
		frame->changes[0].relation = &relations[i % 199];
		batch_add(&batch, frame, &frame->changes[0]);
	}
	assert_int_equal(batch.relation_count, 199);
	assert_false(batch_is_full(&batch, 200));
	frame->changes[0] = (Change){.kind = CHANGE_TRUNCATE, .truncate = &info};
	batch_add(&batch, frame, &frame->changes[0]);
	assert_int_equal(batch.relation_count, 200);
	assert_true(batch_is_full(&batch, 200));
	batch_reset(&batch);
	assert_int_equal(batch.relation_count, 0);
	batch_release(&batch);
	frame_unref(frame);
}

static void
complete_transactions_are_counted(void **state UNUSED)
{
	Batch batch = {0};

	assert_int_equal(batch_complete_count(&batch), 0);
	begin(&batch, 1);
	assert_int_equal(batch_complete_count(&batch), 0);
	batch_commit(&batch);
	assert_int_equal(batch_complete_count(&batch), 1);
	begin(&batch, 2);
	assert_int_equal(batch_complete_count(&batch), 1);
	batch_release(&batch);
}

static void
a_change_is_found_in_its_transaction(void **state UNUSED)
{
	Batch batch = {0};

	for (uint32_t xid = 1; xid <= 5; xid++)
	{
		begin(&batch, xid);
		if (xid != 3) /* a transaction without changes */
			add_frame(&batch, xid);
		batch_commit(&batch);
	}
	for (size_t i = 0, xid = 1; xid <= 5; xid++)
		for (size_t n = 0; xid != 3 && n < xid; n++)
			assert_int_equal(batch_change_txn(&batch, i++)->xid, xid);
	batch_release(&batch);
}

static void
an_incomplete_transaction_moves_to_the_next_batch(void **state UNUSED)
{
	Batch batch = {0};
	Batch next = {0};
	const Change *moved;

	begin(&batch, 1);
	add_frame(&batch, 2);
	batch_commit(&batch);
	begin(&batch, 2);
	add_frame(&batch, 1);
	add_frame(&batch, 3);
	moved = batch.changes[2];
	batch_split_incomplete(&batch, &next);
	assert_int_equal(batch.txn_count, 1);
	assert_int_equal(batch.change_count, 2);
	assert_int_equal(batch.frame_count, 1);
	assert_int_equal(batch.bytes, FRAME_BYTES);
	assert_int_equal(next.txn_count, 1);
	assert_int_equal(next.txns[0].txn.xid, 2);
	assert_int_equal(next.change_count, 4);
	assert_ptr_equal(next.changes[0], moved);
	assert_int_equal(next.bytes, 2 * FRAME_BYTES);
	assert_false(next.continues);
	batch_continue(&batch, &next);
	assert_int_equal(next.txn_count, 1);
	assert_int_equal(frames_alive, 3);
	batch_release(&batch);
	assert_int_equal(frames_alive, 2);
	batch_release(&next);
	assert_int_equal(frames_alive, 0);
}

static void
a_transaction_that_fills_a_batch_goes_on_in_the_next(void **state UNUSED)
{
	Batch batch = {0};
	Batch next = {0};

	begin(&batch, 1);
	add_frame(&batch, 2);
	batch_split_incomplete(&batch, &next);
	assert_int_equal(batch.change_count, 2);
	assert_true(batch_is_empty(&next));
	batch_continue(&batch, &next);
	assert_int_equal(next.txn_count, 1);
	assert_int_equal(next.txns[0].txn.xid, 1);
	assert_true(next.continues);
	add_frame(&next, 1);
	batch_commit(&next);
	assert_int_equal(batch_complete_count(&next), 1);
	batch_release(&batch);
	batch_release(&next);
	assert_int_equal(frames_alive, 0);
}

static void
a_complete_batch_is_not_split(void **state UNUSED)
{
	Batch batch = {0};
	Batch next = {0};

	begin(&batch, 1);
	add_frame(&batch, 1);
	batch_commit(&batch);
	begin(&batch, 2);
	batch_commit(&batch);
	batch_split_incomplete(&batch, &next);
	batch_continue(&batch, &next);
	assert_int_equal(batch.txn_count, 2);
	assert_true(batch_is_empty(&next));
	batch_release(&batch);
	batch_release(&next);
}

/* The string given with a transaction may go before the batch does. */
static void
a_transaction_keeps_no_string_that_is_not_its_own(void **state UNUSED)
{
	Batch batch = {0};
	char origin[] = "elsewhere";

	batch_begin(&batch, &(TxnInfo){.xid = 1, .origin = origin});
	assert_null(batch.txns[0].txn.origin);
	batch_release(&batch);
}

static void
transactions_that_are_done_can_be_dropped(void **state UNUSED)
{
	Batch batch = {0};

	for (uint32_t xid = 1; xid <= 4; xid++)
	{
		begin(&batch, xid);
		add_frame(&batch, xid);
		batch_commit(&batch);
	}
	batch_drop(&batch, 0);
	assert_int_equal(batch.txn_count, 4);
	batch_drop(&batch, 2);
	assert_int_equal(frames_alive, 2);
	assert_int_equal(batch.txn_count, 2);
	assert_int_equal(batch.change_count, 7);
	assert_int_equal(batch.bytes, 2 * FRAME_BYTES);
	assert_int_equal(batch_change_txn(&batch, 2)->xid, 3);
	assert_int_equal(batch_change_txn(&batch, 3)->xid, 4);
	assert_int_equal(batch_txn_end(&batch, 0), 3);
	assert_int_equal(batch_txn_end(&batch, 1), 7);
	batch_drop(&batch, 2);
	assert_true(batch_is_empty(&batch));
	assert_int_equal(frames_alive, 0);
	batch_release(&batch);
}

static void
transactions_behind_one_can_be_split_off(void **state UNUSED)
{
	Batch batch = {0};
	Batch rest = {0};

	for (uint32_t xid = 1; xid <= 3; xid++)
	{
		begin(&batch, xid);
		add_frame(&batch, xid);
		add_frame(&batch, 1);
		if (xid < 3)
			batch_commit(&batch);
	}
	batch_split(&batch, 1, &rest);
	assert_int_equal(batch.txn_count, 1);
	assert_int_equal(batch.change_count, 2);
	assert_int_equal(batch.bytes, 2 * FRAME_BYTES);
	assert_int_equal(rest.txn_count, 2);
	assert_int_equal(rest.change_count, 7);
	assert_int_equal(rest.bytes, 4 * FRAME_BYTES);
	assert_true(rest.txns[0].complete);
	assert_false(rest.txns[1].complete);
	assert_int_equal(batch_change_txn(&rest, 2)->xid, 2);
	assert_int_equal(batch_change_txn(&rest, 3)->xid, 3);
	batch_release(&batch);
	assert_int_equal(frames_alive, 4);
	batch_release(&rest);
	assert_int_equal(frames_alive, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_live_as_long_as_their_changes),
		cmocka_unit_test(transactions_that_are_done_can_be_dropped),
		cmocka_unit_test(transactions_behind_one_can_be_split_off),
		cmocka_unit_test(frames_count_with_what_they_have_grown),
		cmocka_unit_test(transactions_without_changes_fill_it),
		cmocka_unit_test(tables_fill_it),
		cmocka_unit_test(complete_transactions_are_counted),
		cmocka_unit_test(a_change_is_found_in_its_transaction),
		cmocka_unit_test(an_incomplete_transaction_moves_to_the_next_batch),
		cmocka_unit_test(a_transaction_that_fills_a_batch_goes_on_in_the_next),
		cmocka_unit_test(a_complete_batch_is_not_split),
		cmocka_unit_test(a_transaction_keeps_no_string_that_is_not_its_own),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
