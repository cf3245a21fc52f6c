/*
 * fence.h
 *    The table penstock.fence on a target: positions at which followers must
 *    stop.
 *
 * A fence consists of a row with the position, and an advisory lock that the
 * session of "penstock fence" holds, so the fence ends with that session.  A
 * row is written while the pipeline's progress row is locked, and together with
 * a new lease token (see table_state.h for the same protocol).  So the follower
 * notices the fence, and cannot commit anything after its position.
 */
#ifndef PENSTOCK_CONTROL_FENCE_H
#define PENSTOCK_CONTROL_FENCE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Takes the lock until the end of the session; does not wait for it.  *taken is
 * false if another session has it.
 */
MUST_CHECK Rc fence_take(PgConn *target, const char *pipeline, bool *taken,
						 Error *err);

/* Writes the row in the current transaction; waits. */
MUST_CHECK Rc fence_write(PgConn *target, const char *pipeline, Lsn lsn,
						  Error *err);

/*
 * Reads the position at which a follower must stop; 0: none, because there is
 * no row, or no session has the lock.  Waits.
 */
MUST_CHECK Rc fence_read(PgConn *target, const char *pipeline, Lsn *lsn,
						 Error *err);

/* Removes the row in the current transaction; waits. */
MUST_CHECK Rc fence_remove(PgConn *target, const char *pipeline, Error *err);

#endif /* PENSTOCK_CONTROL_FENCE_H */
