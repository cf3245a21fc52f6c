/*
 * batch.c
 *    Arrays of transactions, changes and frames.
 */
#include "sink/postgres/plan/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define CAPACITY_FIRST 64

/*
 * Number of last frames among which a frame is found, so that it is not counted
 * twice.
 */
#define TURNS_SEEN 4

/* Returns the array, enlarged if it has no room for another element. */
static void *
grow(void *array, size_t count, size_t *capacity, size_t size)
{
	ASSERT(count <= *capacity);
	if (count < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : CAPACITY_FIRST;
	return xrealloc_array(array, *capacity, size);
}

void
batch_reset(Batch *batch)
{
	for (size_t i = 0; i < batch->frame_count; i++)
		frame_unref(batch->frames[i].frame);
	batch->txn_count = 0;
	batch->change_count = 0;
	batch->frame_count = 0;
	batch->bytes = 0;
	batch->continues = false;
	batch->relation_count = 0;
	hash_index_reset(&batch->relation_index);
}

void
batch_release(Batch *batch)
{
	batch_reset(batch);
	free(batch->txns);
	free(batch->changes);
	free(batch->frames);
	free(batch->relations);
	hash_index_release(&batch->relation_index);
	*batch = (Batch){0};
}

size_t
batch_complete_count(const Batch *batch)
{
	size_t count = batch->txn_count;

	if (count > 0 && !batch->txns[count - 1].complete)
		count--;
	return count;
}

void
batch_begin(Batch *batch, const TxnInfo *txn)
{
	ASSERT(batch->txn_count == 0 || batch->txns[batch->txn_count - 1].complete);
	/* Transactions come in the order of their commits. */
	CHECK(batch->txn_count == 0 ||
		  txn->end_lsn > batch->txns[batch->txn_count - 1].txn.end_lsn);
	batch->txns = grow(batch->txns, batch->txn_count, &batch->txn_capacity,
					   sizeof(batch->txns[0]));
	batch->txns[batch->txn_count++] = (BatchTxn){
		.txn = *txn, .change_first = batch->change_count};

	/* The router frees the string with the next transaction. */
	batch->txns[batch->txn_count - 1].txn.origin = NULL;
}

/*
 * Returns the bytes to count for a frame: if it is one of the last frames, only
 * what it has grown since.  Two frames may alternate (see route/moving_row.h).
 */
static size_t
bytes_to_count(const Batch *batch, const Frame *frame, size_t bytes)
{
	size_t count = batch->frame_count;
	size_t first = count > TURNS_SEEN ? count - TURNS_SEEN : 0;

	for (size_t i = count; i-- > first;)
		if (batch->frames[i].frame == frame)
			return bytes - batch->frames[i].own_bytes;
	return bytes;
}

/* Adds a reference to a frame, unless the last change is in the same frame. */
static void
keep_frame(Batch *batch, Frame *frame)
{
	size_t own_bytes = frame_bytes(frame);
	size_t bytes = bytes_to_count(batch, frame, own_bytes);
	struct BatchFrame *last;

	ASSERT(frame->references > 0);
	if (batch->frame_count == 0 ||
		batch->frames[batch->frame_count - 1].frame != frame)
	{
		batch->frames = grow(batch->frames, batch->frame_count,
							 &batch->frame_capacity, sizeof(batch->frames[0]));
		batch->frames[batch->frame_count++] = (struct BatchFrame){
			.frame = frame_ref(frame)};
	}
	last = &batch->frames[batch->frame_count - 1];
	last->change_count++;
	last->bytes += bytes;
	last->own_bytes = own_bytes;
	batch->bytes += bytes;
}

static uint64_t
hash_pointer(const void *pointer)
{
	return ((uintptr_t) pointer >> 4) * UINT64_C(0x9e3779b97f4a7c15);
}

static void
note_relation(Batch *batch, const Relation *relation)
{
	uint64_t hash = hash_pointer(relation);
	HashSearch search = hash_search_begin(&batch->relation_index, hash);
	size_t number;

	while (hash_search_next(&search, &number))
		if (batch->relations[number] == relation)
			return;
	batch->relations = grow(batch->relations, batch->relation_count,
							&batch->relation_capacity,
							sizeof(batch->relations[0]));
	hash_index_add(&batch->relation_index, hash, batch->relation_count);
	batch->relations[batch->relation_count++] = relation;
}

static void
note_relations(Batch *batch, const Change *change)
{
	if (change->relation != NULL)
		note_relation(batch, change->relation);
	else if (change->kind == CHANGE_TRUNCATE)
		for (int i = 0; i < change->truncate->relation_count; i++)
			note_relation(batch, change->truncate->relations[i]);
}

void
batch_add(Batch *batch, Frame *frame, const Change *change)
{
	ASSERT(batch->txn_count > 0);
	ASSERT(!batch->txns[batch->txn_count - 1].complete);
	keep_frame(batch, frame);
	batch->changes = grow(batch->changes, batch->change_count,
						  &batch->change_capacity, sizeof(batch->changes[0]));
	batch->changes[batch->change_count++] = change;
	note_relations(batch, change);
}

bool
batch_is_full(const Batch *batch, size_t relations_max)
{
	return batch->txn_count >= BATCH_TXNS_MAX ||
		   batch->relation_count >= relations_max;
}

void
batch_commit(Batch *batch)
{
	ASSERT(batch->txn_count > 0);
	ASSERT(!batch->txns[batch->txn_count - 1].complete);
	batch->txns[batch->txn_count - 1].complete = true;
}

/*
 * Returns the index of the first frame with changes from `change_first` on,
 * which are the last transaction's.  A frame has changes of one transaction
 * only.
 */
static size_t
first_frame_of_changes(const Batch *batch, size_t change_first)
{
	size_t frame = batch->frame_count;
	size_t changes = batch->change_count;

	ASSERT(change_first <= batch->change_count);
	while (frame > 0 && changes > change_first)
		changes -= batch->frames[--frame].change_count;
	ASSERT(changes == change_first);
	return frame;
}

void
batch_split(Batch *batch, size_t txn_index, Batch *to)
{
	size_t change_first = batch->txns[txn_index].change_first;
	size_t frame_first = first_frame_of_changes(batch, change_first);
	size_t f = frame_first;

	ASSERT(batch_is_empty(to));
	ASSERT(txn_index > 0 && txn_index < batch->txn_count);
	for (size_t t = txn_index, c = change_first; t < batch->txn_count; t++)
	{
		size_t change_end = batch_txn_end(batch, t);

		batch_begin(to, &batch->txns[t].txn);
		while (c < change_end)
		{
			for (size_t i = 0; i < batch->frames[f].change_count; i++)
				batch_add(to, batch->frames[f].frame, batch->changes[c++]);
			f++;
		}
		if (batch->txns[t].complete)
			batch_commit(to);
	}
	for (f = frame_first; f < batch->frame_count; f++)
	{
		ASSERT(batch->bytes >= batch->frames[f].bytes);
		batch->bytes -= batch->frames[f].bytes;
		frame_unref(batch->frames[f].frame); /* batch_add() has given `to` a
											  * reference of its own */
	}
	batch->frame_count = frame_first;
	batch->change_count = change_first;
	batch->txn_count = txn_index;
}

void
batch_split_incomplete(Batch *batch, Batch *to)
{
	ASSERT(batch->txn_count > 0);
	if (!batch->txns[batch->txn_count - 1].complete && batch->txn_count > 1)
		batch_split(batch, batch->txn_count - 1, to);
}

/* Removes the first `drop` elements of an array. */
static void
shift(void *array, size_t drop, size_t count, size_t size)
{
	ASSERT(drop <= count);
	memmove(array, (char *) array + drop * size, (count - drop) * size);
}

void
batch_drop(Batch *batch, size_t txn_count)
{
	size_t change_first;
	size_t frame_first;

	ASSERT(txn_count <= batch->txn_count);
	if (txn_count == 0)
		return;
	ASSERT(batch->txns[txn_count - 1].complete);
	if (txn_count == batch->txn_count)
	{
		batch_reset(batch);
		return;
	}
	change_first = batch->txns[txn_count].change_first;
	frame_first = first_frame_of_changes(batch, change_first);
	for (size_t f = 0; f < frame_first; f++)
	{
		ASSERT(batch->bytes >= batch->frames[f].bytes);
		batch->bytes -= batch->frames[f].bytes;
		frame_unref(batch->frames[f].frame);
	}
	shift(batch->txns, txn_count, batch->txn_count, sizeof(batch->txns[0]));
	shift(batch->changes, change_first, batch->change_count,
		  sizeof(batch->changes[0]));
	shift(batch->frames, frame_first, batch->frame_count,
		  sizeof(batch->frames[0]));
	batch->txn_count -= txn_count;
	batch->change_count -= change_first;
	batch->frame_count -= frame_first;
	for (size_t t = 0; t < batch->txn_count; t++)
		batch->txns[t].change_first -= change_first;
	batch->continues = false;
}

void
batch_continue(const Batch *batch, Batch *next)
{
	const BatchTxn *last = &batch->txns[batch->txn_count - 1];

	ASSERT(batch->txn_count > 0);
	if (last->complete)
		return;
	ASSERT(batch_is_empty(next));
	batch_begin(next, &last->txn);
	next->continues = true;
}

size_t
batch_change_txn_index(const Batch *batch, size_t change_index)
{
	size_t low = 0;
	size_t high = batch->txn_count;

	ASSERT(change_index < batch->change_count);
	while (high - low > 1)
	{
		size_t middle = low + (high - low) / 2;

		if (batch->txns[middle].change_first <= change_index)
			low = middle;
		else
			high = middle;
	}
	ASSERT(batch->txns[low].change_first <= change_index);
	return low;
}

const TxnInfo *
batch_change_txn(const Batch *batch, size_t change_index)
{
	return &batch->txns[batch_change_txn_index(batch, change_index)].txn;
}

void
batch_truncate(Batch *batch, size_t txn_count)
{
	ASSERT(txn_count > 0 && txn_count < batch->txn_count);
	ASSERT(batch->txns[txn_count - 1].complete);
	batch->change_count = batch->txns[txn_count].change_first;
	batch->txn_count = txn_count;
}
