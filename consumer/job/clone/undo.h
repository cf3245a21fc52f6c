/*
 * undo.h
 *    Removes what a failed clone must not leave on the servers.
 */
#ifndef PENSTOCK_JOB_CLONE_UNDO_H
#define PENSTOCK_JOB_CLONE_UNDO_H

#include "job/clone/state.h"

/*
 * Drops a slot through an ordinary connection; blocks.  If the slot is in use,
 * tries for some time, because the walsender of a closed connection may not
 * have ended yet.
 */
MUST_CHECK Rc clone_drop_slot(PgConn *source, const char *name, Error *err);

/*
 * To be called after a failure; blocks.  If something was copied, logs how a
 * later run can continue.  Otherwise drops the slot if this run has created it,
 * and removes the work lists.  Errors are logged.
 */
void clone_undo(Clone *clone);

/*
 * Removes from a target by which columns the rows of a clone that is given up
 * were placed; blocks.
 */
MUST_CHECK Rc clone_forget_columns(const Clone *clone, PgConn *target,
								   Error *err);

#endif /* PENSTOCK_JOB_CLONE_UNDO_H */
