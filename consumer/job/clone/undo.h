/*
 * undo.h
 *    The end of a clone that failed.
 */
#ifndef PENSTOCK_JOB_CLONE_UNDO_H
#define PENSTOCK_JOB_CLONE_UNDO_H

#include "job/clone/state.h"

/*
 * Drops a slot through an ordinary connection.  Waits for what still uses it
 * but is about to notice that we are gone.
 */
MUST_CHECK Rc clone_drop_slot(PgConn *source, const char *name, Error *err);

/*
 * Where something was copied that a later run can go on with, says so.  Else
 * drops the slot if this run has created it, and removes the work list.  What
 * goes wrong is logged.
 */
void clone_undo(Clone *clone);

#endif /* PENSTOCK_JOB_CLONE_UNDO_H */
