/*
 * batch.h
 *    A list of source transactions that are applied as one transaction of the
 *    target.
 *
 * A batch contains the changes of whole transactions, or of a part of one large
 * transaction, in the order of the source, and references to their frames.  It
 * is kept until the target has committed it, so that it can be applied in
 * another way if the first attempt is refused.
 *
 * A batch is full when it has the largest number of transactions or tables.
 * The limit on bytes is up to the caller.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H
#define PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/change.h"

/*
 * Largest number of transactions in a batch.  Transactions without changes for
 * the target count, too, and have no bytes.
 */
#define BATCH_TXNS_MAX ((size_t) 10000)

/*
 * Largest number of tables in a batch; each shape of a table counts.  Each
 * table must be looked up, and is locked by the target's transaction with its
 * indexes.
 */
#define BATCH_RELATIONS_MAX ((size_t) 500)

typedef struct BatchTxn
{
	TxnInfo txn; /* its origin is NULL, because the string may have been
				  * freed */
	size_t change_first;
	bool complete; /* whether its commit is in the batch */
} BatchTxn;

typedef struct Batch
{
	BatchTxn *txns;
	size_t txn_count;
	const Change **changes; /* changes of all transactions, in order; array is
							 * owned */
	size_t change_count;
	struct BatchFrame
	{
		Frame *frame;        /* holds a reference */
		size_t change_count; /* number of changes in this frame */
		size_t bytes;        /* bytes of the frame that are counted here … */
		size_t own_bytes;    /* … when the frame had this size */
	} * frames;
	size_t frame_count;
	size_t bytes;   /* counted bytes of all frames */
	bool continues; /* whether the first transaction began in an earlier
					 * batch */

	/* Relations of all changes since the batch was empty, each once. */
	const Relation **relations;
	size_t relation_count;
	HashIndex relation_index;

	size_t txn_capacity;
	size_t change_capacity;
	size_t frame_capacity;
	size_t relation_capacity;
} Batch;

/* Frees everything.  A zeroed Batch is empty. */
void batch_release(Batch *batch);

/* Empties a batch and releases the references; keeps the arrays. */
void batch_reset(Batch *batch);

static inline bool
batch_is_empty(const Batch *batch)
{
	return batch->txn_count == 0;
}

/* Returns the transaction to which changes are being added. */
static inline const TxnInfo *
batch_last_txn(const Batch *batch)
{
	ASSERT(batch->txn_count > 0);
	return &batch->txns[batch->txn_count - 1].txn;
}

/* Returns the number of complete transactions. */
size_t batch_complete_count(const Batch *batch);

/*
 * Whether the batch has the largest number of transactions, or `relations_max`
 * relations.
 */
bool batch_is_full(const Batch *batch, size_t relations_max);

void batch_begin(Batch *batch, const TxnInfo *txn);
void batch_add(Batch *batch, Frame *frame, const Change *change);
void batch_commit(Batch *batch);

/*
 * Removes all but the first `txn_count` transactions, all of which are
 * complete.
 */
void batch_truncate(Batch *batch, size_t txn_count);

/* Removes the first `txn_count` transactions, all of which are complete. */
void batch_drop(Batch *batch, size_t txn_count);

/*
 * Moves the transactions from index `txn_index`, which is not 0, to the empty
 * batch `to`.
 */
void batch_split(Batch *batch, size_t txn_index, Batch *to);

/*
 * Moves the last transaction to the empty batch `to`, if it is not complete and
 * there are complete ones before it.
 */
void batch_split_incomplete(Batch *batch, Batch *to);

/*
 * If the last transaction of `batch` is not complete, makes `next` continue it.
 */
void batch_continue(const Batch *batch, Batch *next);

/* Returns the index after a transaction's last change. */
static inline size_t
batch_txn_end(const Batch *batch, size_t txn_index)
{
	return txn_index + 1 < batch->txn_count
			   ? batch->txns[txn_index + 1].change_first
			   : batch->change_count;
}

/* Return the transaction of a change: its index, and the transaction itself. */
size_t batch_change_txn_index(const Batch *batch, size_t change_index);
const TxnInfo *batch_change_txn(const Batch *batch, size_t change_index);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_BATCH_H */
