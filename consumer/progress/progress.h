/*
 * progress.h
 *    From what each target has to what the source may forget.
 *
 * The source keeps its WAL from the confirmed position on.  That position may
 * only pass a transaction when every target has it durably.  A target also
 * notes, durably, the positions at which there was nothing for it; so the
 * confirmed position is never beyond what each target itself knows, and a
 * target that knows less than its slot confirmed is not the one we fed.
 *
 * Invariants: the confirmed position never moves back and never passes the
 * received one.
 */
#ifndef PENSTOCK_PROGRESS_PROGRESS_H
#define PENSTOCK_PROGRESS_PROGRESS_H

#include <stdbool.h>

#include "model/lsn.h"

typedef struct Progress
{
	Lsn received;  /* everything before was handed to the targets */
	Lsn confirmed; /* everything before is durable on all of them */
	Lsn applied;   /* everything before can be seen on all of them */
} Progress;

/* Where one target is. */
typedef struct ProgressTarget
{
	Lsn applied;
	Lsn durable;
} ProgressTarget;

/* Starts from the position that is confirmed already. */
void progress_init(Progress *progress, Lsn confirmed);

/*
 * Notes that everything before `lsn` was received: the end of a transaction
 * whose last change was handed on, or a keepalive's position.  A lower one than
 * before is ignored.
 */
void progress_received(Progress *progress, Lsn lsn);

/* Recomputes the positions from where the targets are. */
void progress_update(Progress *progress, const ProgressTarget *targets,
					 int target_count);

#endif /* PENSTOCK_PROGRESS_PROGRESS_H */
