/*
 * clone.h
 *    Copies schema and data to the targets, as they were at the point where the
 *    new slot starts.
 *
 * The order matters, and is this:
 *
 *   1. Look at both sides, and refuse before anything is written.
 *   2. Create the slot; it exports the snapshot of its starting point.  The
 *      connection that did it stays open, idle, until all rows are read.
 *   3. For each target: schema without indexes, then the rows.  Indexes and
 *      most constraints are built meanwhile, as soon as a table's rows are in.
 *      A table is locked only while it is read.  One that was rewritten before
 *      its turn came (see guard.h) is read again under a newer snapshot.
 *   4. Let go of the snapshot, so that the source can clean up again, for what
 *      follows may take as long as all before.
 *   5. For each target: what is left of the indexes, foreign keys, triggers;
 *      sequences; statistics.
 *   6. For each target: progress.  Until it is written nobody can follow a copy
 *      that is not whole.
 *
 * What is done is noted on the targets (see work_list.h).  If anything fails,
 * or we are asked to stop, or killed, a later run goes on from there: with the
 * same slot, and with the snapshot of a temporary one for the tables that are
 * left. These are newer than the slot's starting point then; following leaves
 * out what they have already (see table_state.h).
 *
 * If it fails before anything was copied, the slot that this run created is
 * dropped, for it would keep the source's WAL for ever.
 */
#ifndef PENSTOCK_JOB_CLONE_CLONE_H
#define PENSTOCK_JOB_CLONE_CLONE_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Clones, or with config->dry_run reports what that would do; `first` is the
 * configuration of the first source of `config`, or all of it.  Waits until it
 * is done.  RC_END: it failed; that was logged, with what it has left on the
 * servers.
 */
MUST_CHECK Rc clone_run(const Config *config, const Config *first,
						const Report *report, Error *err);

#endif /* PENSTOCK_JOB_CLONE_CLONE_H */
