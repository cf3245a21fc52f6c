/*
 * lanes.h
 *    The connections that apply source transactions as transactions of the
 *    target, several at the same time, and commit them in order; or one
 *    connection that applies a few transactions as one.  No commit is waited
 *    for.
 *
 * The transactions of a batch are assigned to the appliers in rotation.  Each
 * applier sends its transactions one after the other, without waiting.  Where a
 * transaction must wait for another one, it waits on the target, with turns.
 * Each transaction has a turn, which is a number:
 *
 * - Before an applier commits in its turn, it holds the lock of its next turn
 *   (an advisory lock of its session).  It releases the lock of a turn after
 *   the commit in that turn.  So a session that requests the lock of a turn
 *   waits until that turn has ended; by induction this holds for all turns,
 *   because they rotate.
 *
 * - Before a transaction moves progress and commits, it waits for the previous
 *   turn.
 *
 * - Before a transaction begins, it waits for the turn of the last transaction
 *   that it depends on (dependencies.h).
 *
 * The locks are only used for waiting.  The order is guaranteed by progress:
 * the statement that moves it fails unless progress is at the end of the
 * previous transaction.  As all waiting is for locks of the target, its
 * deadlock detection notices if a row is locked by a later transaction.
 *
 * After any failure, all appliers roll back open transactions.  Committed
 * transactions are complete and in order.  The first transaction that is not
 * committed is applied alone, row by row; if it fails again, the sink fails
 * with its error, otherwise all appliers continue.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LANES_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LANES_H

#include "sink/postgres/apply/applier.h"

/* Largest number of connections that write to one target. */
#define LANES_MAX 16

typedef struct Lanes Lanes;

/*
 * Makes lanes.  `leader` is borrowed, and must be used by nobody else while the
 * lanes are not idle.  Without further appliers it is the only lane.
 */
Lanes *lanes_new(Target *target, Applier *leader);

/* Frees the lanes and closes the connections that were added.  Accepts NULL. */
void lanes_free(Lanes *lanes);

/* Adds an applier with this connection, of which it takes ownership. */
void lanes_add(Lanes *lanes, PgConn *conn);

/*
 * Starts to apply the complete transactions of a batch, which must have any.
 * `batch` is left with an incomplete last transaction, or empty.
 */
MUST_CHECK Rc lanes_start(Lanes *lanes, Batch *batch, Error *err);

bool lanes_is_idle(const Lanes *lanes);

/*
 * Calls applier_forget_table() for each applier.  Only when the lanes and the
 * leader are idle.
 */
void lanes_forget_table(Lanes *lanes, const char *schema, const char *name);

/* Returns the bytes of the batch that is being applied. */
size_t lanes_bytes(const Lanes *lanes);

/*
 * Works like applier_work(); while the lanes are idle, it only detects a lost
 * connection, and leaves the leader alone.
 */
MUST_CHECK Rc lanes_work(Lanes *lanes, Error *err);

/* Adds what the connections wait for, except the leader's. */
void lanes_interest(const Lanes *lanes, Interest *interest);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LANES_H */
