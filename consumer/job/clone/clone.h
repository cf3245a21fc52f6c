/*
 * clone.h
 *    Copies schema and data of a source to the targets, as of the consistent
 *    point of a new slot.
 *
 * The steps, whose order matters, are:
 *
 *   1. We check source and targets, and refuse a clone that would fail, before
 *      we write anything.
 *   2. We create the slot, which exports a snapshot of its consistent point.
 *      The replication connection that has created it stays open and idle until
 *      all rows are read.
 *   3. For each target, we create the schema without indexes, and then copy the
 *      rows.  As soon as a table's rows are copied, we build its indexes and
 *      most of its constraints, while other tables are being copied.  A table
 * is locked only while it is read.  A table that was rewritten before it was
 *      read (see copy/rows/guard.h) is copied again under a newer snapshot.
 *   4. We end the snapshot, so that the source can vacuum again, because the
 *      next steps may take as long as those before.
 *   5. For each target, we build the remaining indexes, foreign keys and
 *      triggers, set the sequences, and run ANALYZE.
 *   6. For each target, we write the pipeline's progress.  A follower cannot
 *      start before that, so it never follows an incomplete copy.
 *
 * We record on the targets which tables are done (see
 * control/copy/work_list.h).  If the clone fails, is stopped or is killed, a
 * later run continues it, with the same slot.  It copies the remaining tables
 * under the snapshot of a temporary slot.  These copies are newer than the
 * consistent point of the pipeline's slot; the follower leaves out the changes
 * that they already contain (see control/copy/table_state.h).
 *
 * If the clone fails before anything was copied, we drop the slot that this run
 * has created, because it would keep the source's WAL for ever.
 */
#ifndef PENSTOCK_JOB_CLONE_CLONE_H
#define PENSTOCK_JOB_CLONE_CLONE_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Runs the clone, or with config->dry_run reports what it would do; blocks.
 * `first` is the configuration of the first source of `config`, and equal to
 * `config` if there is only one.  Returns RC_END if the clone has failed, which
 * was logged, together with what it has left on the servers.
 */
MUST_CHECK Rc clone_run(const Config *config, const Config *first,
						const Report *report, Error *err);

#endif /* PENSTOCK_JOB_CLONE_CLONE_H */
