/*
 * copied.h
 *    What a target is told of the tables that a clone has copied.
 */
#ifndef PENSTOCK_JOB_CLONE_COPIED_H
#define PENSTOCK_JOB_CLONE_COPIED_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Notes, for the pipeline of a source, which tables may be followed:
 * those of its catalog, and what they consist of.  See copied_table.h.  In the
 * transaction that is open on the target.  Waits for both.
 */
MUST_CHECK Rc clone_note_copied(const CloneSource *source, PgConn *target,
								Arena *arena, Error *err);

#endif /* PENSTOCK_JOB_CLONE_COPIED_H */
