/*
 * batch.h
 *    Source transactions that are applied as one.
 *
 * A batch keeps the changes of whole transactions, or of a part of one large
 * transaction, in source order, together with references to their frames.  It
 * stays as it is until the target has it, so that it can be applied in another
 * way when the first one is refused.
 *
 * It is full when it holds so many bytes, transactions or tables that no more
 * should be added; whoever fills it decides on bytes.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H
#define PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/change.h"

/* Transactions of a batch.  Those of which nothing is for the target are in it
 * as well, and have no bytes. */
#define BATCH_TXNS_MAX ((size_t) 10000)

/* Tables of a batch, each shape of one for itself: each of them has to be
 * looked up, and is locked in the target's transaction, with its indexes. */
#define BATCH_RELATIONS_MAX ((size_t) 500)

typedef struct BatchTxn
{
	TxnInfo txn; /* without its origin, whose string may be gone */
	size_t change_first;
	bool complete; /* its commit was seen */
} BatchTxn;

typedef struct Batch
{
	BatchTxn *txns;
	size_t txn_count;
	const Change **changes; /* of all transactions, one after the other */
	size_t change_count;
	struct BatchFrame
	{
		Frame *frame;        /* a reference */
		size_t change_count; /* that are of it */
		size_t bytes;        /* that are counted for it here … */
		size_t own_bytes;    /* … when it had this many */
	} * frames;
	size_t frame_count;
	size_t bytes;   /* of the frames */
	bool continues; /* its first transaction began in an earlier batch */

	/* Relations of the changes that were added since it was empty, each once.
	 */
	const Relation **relations;
	size_t relation_count;
	HashIndex relation_index;

	size_t txn_capacity;
	size_t change_capacity;
	size_t frame_capacity;
	size_t relation_capacity;
} Batch;

/* A zeroed Batch is empty.  _release gives everything back. */
void batch_release(Batch *batch);

/* Empties it, giving back the references, and keeps the arrays. */
void batch_reset(Batch *batch);

static inline bool
batch_is_empty(const Batch *batch)
{
	return batch->txn_count == 0;
}

/* The transaction that changes are being added to. */
static inline const TxnInfo *
batch_last_txn(const Batch *batch)
{
	ASSERT(batch->txn_count > 0);
	return &batch->txns[batch->txn_count - 1].txn;
}

/* Number of its transactions that are complete. */
size_t batch_complete_count(const Batch *batch);

/* Whether it holds so many transactions, or this many relations. */
bool batch_is_full(const Batch *batch, size_t relations_max);

void batch_begin(Batch *batch, const TxnInfo *txn);
void batch_add(Batch *batch, Frame *frame, const Change *change);
void batch_commit(Batch *batch);

/* Leaves only the first transactions, all of them complete. */
void batch_truncate(Batch *batch, size_t txn_count);

/* Removes the first transactions, all of which are complete. */
void batch_drop(Batch *batch, size_t txn_count);

/* Moves the transactions from an index on, which is not 0, to an empty batch
 * `to`. */
void batch_split(Batch *batch, size_t txn_index, Batch *to);

/*
 * Moves a last transaction that is not complete to an empty batch `to`, if
 * there are complete ones before it.
 */
void batch_split_incomplete(Batch *batch, Batch *to);

/* If the last transaction of `batch` is not complete, makes `next` its
 * continuation. */
void batch_continue(const Batch *batch, Batch *next);

/* The index after a transaction's last change. */
static inline size_t
batch_txn_end(const Batch *batch, size_t txn_index)
{
	return txn_index + 1 < batch->txn_count
			   ? batch->txns[txn_index + 1].change_first
			   : batch->change_count;
}

/*
 * The index of a change's transaction, and the transaction.
 */
size_t batch_change_txn_index(const Batch *batch, size_t change_index);
const TxnInfo *batch_change_txn(const Batch *batch, size_t change_index);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H */
