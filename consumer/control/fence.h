/*
 * fence.h
 *    The table penstock.fence on the target: positions at which a follower is
 *    to hold.
 *
 * A fence is a row and a lock.  The row says where; whoever put it up holds an
 * advisory lock in a session, so that a fence does not outlive it.  As states
 * of tables do (see table_state.h), a row comes under a lock of the pipeline's
 * progress row and together with a new lease token: the follower finds out, and
 * nothing that it had under way is committed after the fence.
 */
#ifndef PENSTOCK_CONTROL_FENCE_H
#define PENSTOCK_CONTROL_FENCE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Takes the lock, for as long as this connection lasts.  *taken is false if
 * somebody else has it.
 */
MUST_CHECK Rc fence_take(PgConn *target, const char *pipeline, bool *taken,
						 Error *err);

/* Writes the row, in the current transaction. */
MUST_CHECK Rc fence_write(PgConn *target, const char *pipeline, Lsn lsn,
						  Error *err);

/* Where a follower has to hold; *lsn is 0 if it has not, because there is no
 * row, or nobody has the lock.  Waits. */
MUST_CHECK Rc fence_read(PgConn *target, const char *pipeline, Lsn *lsn,
						 Error *err);

/* Removes the row, in the current transaction. */
MUST_CHECK Rc fence_remove(PgConn *target, const char *pipeline, Error *err);

#endif /* PENSTOCK_CONTROL_FENCE_H */
