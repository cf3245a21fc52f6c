/*
 * copied.h
 *    Records the tables that a clone has copied in penstock.copied_table.
 */
#ifndef PENSTOCK_JOB_CLONE_COPIED_H
#define PENSTOCK_JOB_CLONE_COPIED_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Records on a target which tables a follower of the source's pipeline may
 * follow: those of the source's catalog, and their partitions.  See
 * control/copy/copied_table.h.  Writes in the target's current transaction;
 * blocks.
 */
MUST_CHECK Rc clone_note_copied(const CloneSource *source, PgConn *target,
								Arena *arena, Error *err);

#endif /* PENSTOCK_JOB_CLONE_COPIED_H */
