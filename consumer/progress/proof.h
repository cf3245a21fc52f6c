/*
 * proof.h
 *    Whether the stream is of the WAL that the targets have been fed from.
 *
 * A source that was put back to an earlier state without recovery, say from a
 * snapshot of its disk, goes on with the timeline that it had.  Once it has
 * written enough, the positions of the targets are in its WAL again, but what
 * they had is not; its new transactions there would be taken for old ones.
 *
 * A target knows the last transaction that it applied.  If the slot starts at
 * or before that one's commit, it has to come once more, at the same position
 * and with the same time, before the stream is beyond it.  If the slot starts
 * after it, the slot itself is the proof: it was told so by us.
 *
 * It has to come only if the source is told the same as then: under other
 * options, or with tables left out, it may have nothing to send.  Then there is
 * nothing to be proved.
 *
 * This does not prove that nothing was written anew after the last
 * transaction, up to the position that a target has noted because there was
 * nothing for it.
 */
#ifndef PENSTOCK_PROGRESS_PROOF_H
#define PENSTOCK_PROGRESS_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/change.h"
#include "model/lsn.h"

/* As many as a pipeline has targets at most. */
#define PROOF_MAX 64

/* A transaction that has to come, and for whom. */
typedef struct ProofItem
{
	const char *label; /* the target, for messages; borrowed; or NULL */
	Lsn commit_lsn;
	int64_t commit_time_us; /* since 2000-01-01 UTC */
} ProofItem;

typedef struct Proof
{
	ProofItem items[PROOF_MAX]; /* that have not come */
	int count;
} Proof;

/*
 * Adds what a target has applied last, if the stream starts at `start_lsn`.
 * Without a commit LSN there is nothing to be proved.
 */
void proof_add(Proof *proof, const ProofItem *item, Lsn start_lsn);

/* Whether something has not come. */
static inline bool
proof_is_open(const Proof *proof)
{
	return proof->count > 0;
}

/* A transaction comes, before any of it is handed on. */
MUST_CHECK Rc proof_transaction(Proof *proof, const TxnInfo *txn, Error *err);

/* Everything before a position has come. */
MUST_CHECK Rc proof_position(Proof *proof, Lsn lsn, Error *err);

#endif /* PENSTOCK_PROGRESS_PROOF_H */
