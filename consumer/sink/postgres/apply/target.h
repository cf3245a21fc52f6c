/*
 * target.h
 *    What all connections that apply changes to one target have in common.
 *
 * The lease and how far the target is belong to the target, whichever of its
 * connections commits.  A commit is noted first (`noted_lsn`: the progress
 * table has it) and durable when the target's WAL has been flushed beyond it;
 * only then does the sink's durable_lsn move.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/policy.h"
#include "sink/durable.h"
#include "sink/sink.h"

/* Below this, a batch has to wait for more, and is not worth folding for its
 * size alone. */
#define BATCH_BYTES_MIN (1 * MB)

/* How long a transaction waits for others that are applied with it, while the
 * source always has more. */
#define BATCH_AGE_MS_MAX 1000

/* How often the target is asked whether it has flushed, while it is idle. */
#define FLUSH_CHECK_INTERVAL_MS 100

/* Checks after which the flush is forced, by a commit that waits for it. */
#define FLUSH_CHECKS_MAX 10

typedef struct Target
{
	SinkReport *report;       /* of its sink; its positions are moved here */
	const SinkOrders *orders; /* that its sink has */
	char *label;
	char *pipeline;
	int64_t lease_token;
	bool independent_tables;    /* foreign keys and triggers do not fire */
	bool per_transaction;       /* each source transaction is one there, too */
	const ConflictRules *rules; /* or NULL */
	int64_t conflicts;          /* that were settled */
	size_t relations_max;       /* of a batch; less once the target was out of
								   locks or memory */

	/*
	 * A transaction is open here that is in progress on the source, or its
	 * first changes have come: what is started from then on may have to wait
	 * for its locks, and they for what comes later in the stream.  What was
	 * started before is over before it takes any; see open_txns.h.
	 */
	bool has_open_transactions;

	Lsn noted_lsn;  /* that the progress table has */
	Lsn placed_lsn; /* source position of the last commit in `durable`, of
						which it is known where the target's WAL ended */
	DurableQueue durable;
	int flush_checks;            /* since the last commit */
	int64_t flush_checked_at_us; /* when the target was last asked */
	int64_t position_at_us;      /* when progress last moved there */
} Target;

/* Sets, in a transaction, how long it waits for a lock while others are open.
 */
extern const char target_lock_timeout_sql[];

/* The same as the target is now, where another timeout was in force. */
const char *target_restore_lock_timeout_sql(const Target *target);

/* Whether the next commit has to wait for the target's disk. */
bool target_must_flush(const Target *target);

/* Whether something was committed that is not known to be on the disk. */
static inline bool
target_awaits_flush(const Target *target)
{
	return target->report->durable_lsn < target->noted_lsn;
}

/* When the target is asked next whether it is. */
static inline int64_t
target_next_check_us(const Target *target)
{
	return target->flush_checked_at_us + FLUSH_CHECK_INTERVAL_MS * 1000;
}

/* Commits took place that moved progress to `source_lsn`; after them the
 * target's WAL ended at `target_lsn`. */
void target_note_commit(Target *target, Lsn source_lsn, Lsn target_lsn);

/* A commit took place, of one source transaction; where the target's WAL ends
 * is not known yet. */
void target_note_txn(Target *target, const TxnInfo *txn, size_t rows);

/* The target's WAL is flushed up to here. */
void target_note_flush(Target *target, Lsn target_flush_lsn);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H */
