/*
 * target.h
 *    What all connections that apply changes to one target share.
 *
 * The lease and the progress belong to the target, whichever connection
 * commits.  A commit is first noted (`noted_lsn`: penstock.progress has it).
 * It is durable when the target's WAL was flushed beyond it; only then the
 * sink's durable_lsn moves.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/policy.h"
#include "sink/durable.h"
#include "sink/sink.h"

/*
 * Size in bytes below which a batch waits for more, and is not folded because
 * of its size alone.
 */
#define BATCH_BYTES_MIN (1 * MB)

/*
 * Milliseconds that a transaction waits for others that are applied with it, if
 * the source always has more.
 */
#define BATCH_AGE_MS_MAX 1000

/*
 * Milliseconds between two queries for the flush position while the target is
 * idle.
 */
#define FLUSH_CHECK_INTERVAL_MS 100

/*
 * Number of such queries after which a commit that waits for the disk forces
 * the flush.
 */
#define FLUSH_CHECKS_MAX 10

typedef struct Target
{
	SinkReport *report;       /* report of the sink, whose positions are moved
							   * here */
	const SinkOrders *orders; /* orders of the sink */
	char *label;
	char *pipeline;
	int64_t lease_token;
	bool independent_tables;    /* whether foreign keys and triggers do not
								 * fire */
	bool per_transaction;       /* whether each source transaction is one on the
								 * target, too */
	const ConflictRules *rules; /* NULL: conflicts stop the sink */
	int64_t conflicts;          /* number of settled conflicts */
	size_t relations_max;       /* largest number of relations in a batch;
								 * reduced after the target had too little
								 * memory or locks */

	/*
	 * Whether a transaction that is in progress on the source is open on the
	 * target, or its first changes have arrived.  What is started from then on
	 * may have to wait for its locks, while it waits for later parts of the
	 * stream.  What was started before ends before the transaction takes any
	 * locks; see open_txns.h.
	 */
	bool has_open_transactions;

	Lsn noted_lsn;  /* source LSN that penstock.progress has */
	Lsn placed_lsn; /* source LSN of the last commit in `durable`, for which the
					 * end of the target's WAL is known */
	DurableQueue durable;
	int flush_checks;            /* number of queries since the last commit */
	int64_t flush_checked_at_us; /* time of the last query */
	int64_t position_at_us;      /* time at which progress last moved */
} Target;

/*
 * SQL that limits how long a transaction waits for a lock while others are
 * open.
 */
extern const char target_lock_timeout_sql[];

/* Returns SQL that sets the current limit again after another one. */
const char *target_restore_lock_timeout_sql(const Target *target);

/* Whether the next commit must wait for the target's disk. */
bool target_must_flush(const Target *target);

/* Whether there is a commit that is not known to be flushed. */
static inline bool
target_awaits_flush(const Target *target)
{
	return target->report->durable_lsn < target->noted_lsn;
}

/* Returns the time of the next query for the flush position. */
static inline int64_t
target_next_check_us(const Target *target)
{
	return target->flush_checked_at_us + FLUSH_CHECK_INTERVAL_MS * 1000;
}

/*
 * Records commits that have moved progress to `source_lsn`, after which the
 * target's WAL ended at `target_lsn`.
 */
void target_note_commit(Target *target, Lsn source_lsn, Lsn target_lsn);

/*
 * Records the commit of one source transaction; the end of the target's WAL
 * after it is not known yet.
 */
void target_note_txn(Target *target, const TxnInfo *txn, size_t rows);

/* Records that the target has flushed its WAL up to this LSN. */
void target_note_flush(Target *target, Lsn target_flush_lsn);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TARGET_H */
