/*
 * proof.h
 *    Proves that the stream comes from the WAL that was applied to the
 *    targets.
 *
 * If a source's data directory is restored without recovery, say from a
 * snapshot of its disk, the source continues on its old timeline.  When it has
 * written enough WAL again, that WAL includes the LSNs recorded on the targets,
 * but with other transactions.  Without a check we would skip the new
 * transactions as already applied.
 *
 * The proof: a target has recorded commit LSN and commit time of the last
 * transaction applied to it.  If the slot starts at or before that commit, the
 * stream has to bring this transaction again, with the same LSN and time,
 * before it passes that LSN.  If the slot starts after the commit, the slot
 * itself is the proof, because we have confirmed that position to it.
 *
 * The transaction is sure to come again only if the plugin gets the same
 * options as before: with other options, or with tables left out, it may have
 * nothing to send.  Such a transaction `may_lack`.  It is a proof if it comes,
 * and WAL that has another transaction where it was is refused all the same.
 * But if nothing is there, nothing is known, and a warning says so.
 *
 * One case is not detected: the source has new WAL only between the last
 * transaction and the position that a target recorded because there were no
 * changes for it.
 */
#ifndef PENSTOCK_PROGRESS_PROOF_H
#define PENSTOCK_PROGRESS_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/change.h"
#include "model/lsn.h"

/* Largest number of sinks of a pipeline: its targets, and a log. */
#define PROOF_MAX 65

/*
 * A transaction that the stream has to bring again, and the target that has it.
 */
typedef struct ProofItem
{
	const char *label; /* name of the target, for messages; borrowed; or NULL */
	Lsn commit_lsn;
	int64_t commit_time_us; /* microseconds since 2000-01-01 UTC */
	bool may_lack;          /* whether the stream may not bring it although the
							 * WAL is the same */
	bool from_log;          /* whether the stream is that of a log */
} ProofItem;

typedef struct Proof
{
	ProofItem items[PROOF_MAX]; /* transactions that have not come yet */
	int count;
} Proof;

/*
 * Adds the last transaction that was applied to a target, unless the stream
 * starts (start_lsn) after it.  Nothing is added if item->commit_lsn is 0.  The
 * start may not be 0, because then the transaction could be one before it.
 */
void proof_add(Proof *proof, const ProofItem *item, Lsn start_lsn);

/* Whether a transaction of the proof has not come yet. */
static inline bool
proof_is_open(const Proof *proof)
{
	return proof->count > 0;
}

/*
 * Compares a transaction that has come, before any of it is passed to the
 * sinks.  Fails with ERR_CONFIG if it is another than the one that has to come
 * there.  Removes, with a warning, those that may lack and were passed.
 */
MUST_CHECK Rc proof_transaction(Proof *proof, const TxnInfo *txn, Error *err);

/*
 * Fails with ERR_CONFIG if a transaction of the proof is before `lsn`:
 * everything before `lsn` has come.  Removes, with a warning, those that may
 * lack.
 */
MUST_CHECK Rc proof_position(Proof *proof, Lsn lsn, Error *err);

#endif /* PENSTOCK_PROGRESS_PROOF_H */
