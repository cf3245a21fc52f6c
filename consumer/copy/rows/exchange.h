/*
 * exchange.h
 *    Answers of the servers at both ends of a COPY, without blocking.
 */
#ifndef PENSTOCK_COPY_ROWS_EXCHANGE_H
#define PENSTOCK_COPY_ROWS_EXCHANGE_H

#include <stdint.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Takes the answers to a message that ends with COPY: those of the statements
 * before COPY, and that of COPY, whose status must be `expected`.  Does not
 * block: returns RC_AGAIN if the server has not answered all of them yet.
 */
MUST_CHECK Rc exchange_take_started(PgConn *conn, ExecStatusType expected,
									Error *err);

/*
 * Called when the target has sent something in the middle of COPY FROM STDIN,
 * or cannot be sent to, which both mean that it has failed: ends the COPY and
 * returns the target's error.  Blocks until the target has answered.
 */
MUST_CHECK Rc exchange_interrupt(PgConn *target, Error *err);

/* Calls exchange_interrupt() if the target has sent something, and returns
 * RC_OK otherwise.  Does not block otherwise. */
MUST_CHECK Rc exchange_check_quiet(PgConn *target, Error *err);

/* Returns the events to poll() for while we wait for an answer: POLLIN, and
 * POLLOUT if libpq has not sent all of its buffer yet. */
short exchange_events(PgConn *conn);

#endif /* PENSTOCK_COPY_ROWS_EXCHANGE_H */
