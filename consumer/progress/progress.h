/*
 * progress.h
 *    Computes from the positions of all targets which position to confirm to
 *    the source.
 *
 * The source keeps its WAL from the confirmed position on.  We confirm the end
 * of a transaction only when the transaction is durable on every target.  A
 * target also records, durably, positions of the source's WAL up to which there
 * were no changes for it.  So the confirmed position is never beyond what is
 * recorded on each target.  A target that has recorded less than its slot has
 * confirmed is not the database that the slot's changes were applied to.
 *
 * Invariants: the confirmed position never decreases and is never greater than
 * the received or the applied one.
 */
#ifndef PENSTOCK_PROGRESS_PROGRESS_H
#define PENSTOCK_PROGRESS_PROGRESS_H

#include <stdbool.h>

#include "model/lsn.h"

typedef struct Progress
{
	Lsn received;  /* LSN before which everything was passed to the sinks */
	Lsn confirmed; /* LSN before which everything is durable on all targets */
	Lsn applied;   /* LSN before which everything is committed on all targets */
} Progress;

/* The positions of one target. */
typedef struct ProgressTarget
{
	Lsn applied;
	Lsn durable;
} ProgressTarget;

/* Starts with the position that is already confirmed to the source. */
void progress_init(Progress *progress, Lsn confirmed);

/*
 * Records that everything before `lsn` was received and passed to the sinks.
 * `lsn` is the end of a transaction, or the position of a keepalive.  A lower
 * LSN than before is ignored.
 */
void progress_received(Progress *progress, Lsn lsn);

/*
 * Recomputes `confirmed` and `applied` from the positions of the targets, of
 * which there is one at least.  What is durable on a target is also applied.
 */
void progress_update(Progress *progress, const ProgressTarget *targets,
					 int target_count);

#endif /* PENSTOCK_PROGRESS_PROGRESS_H */
