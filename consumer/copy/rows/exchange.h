/*
 * exchange.h
 *    What COPY's two ends say, without waiting for it.
 */
#ifndef PENSTOCK_COPY_ROWS_EXCHANGE_H
#define PENSTOCK_COPY_ROWS_EXCHANGE_H

#include <stdint.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Takes the answer to a COPY that was begun, which must have status `expected`,
 * and to what was sent with it.  RC_AGAIN: it is not here yet.
 */
MUST_CHECK Rc exchange_take_started(PgConn *conn, ExecStatusType expected,
									Error *err);

/*
 * A target that spoke while it should listen, or that cannot be sent to, has
 * failed: interrupts the copy and reads the error, for which it waits.
 */
MUST_CHECK Rc exchange_interrupt(PgConn *target, Error *err);

/* Interrupts the copy if the target has said something. */
MUST_CHECK Rc exchange_check_quiet(PgConn *target, Error *err);

/* For poll(): what waiting for an answer means; to send may still be due. */
short exchange_events(PgConn *conn);

#endif /* PENSTOCK_COPY_ROWS_EXCHANGE_H */
