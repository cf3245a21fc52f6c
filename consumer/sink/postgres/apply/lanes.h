/*
 * lanes.h
 *    The connections that apply source transactions as transactions of the
 *    target, several at once, and commit them in order; or the one connection
 *    that applies a few as one.  Nothing is waited for before a commit.
 *
 * The transactions of a batch go to the appliers in rotation.  Each applier
 * sends its own one after the other, without waiting for anything; what has to
 * wait waits on the target, for turns.  Each transaction has a turn, a number:
 *
 *   - An applier holds the lock of its next turn (an advisory lock of its
 *     session) before it commits in the turn that it has, and gives the lock of
 *     a turn back when that has been committed.  So whoever asks for a turn's
 *     lock waits until the turn is over: by induction over the turns, which
 *     works because they go round.
 *   - Before it moves progress and commits, a transaction waits for the turn
 *     before its own.
 *   - Before it begins, it waits for the turn of the last transaction that it
 *     depends on (see dependencies.h).
 *
 * The locks are only there to wait.  What keeps order is progress: it is moved
 * from the position of the transaction before, or the statement fails.  All
 * waiting is between locks of the target, so its deadlock detection sees a row
 * that is locked by a later transaction.
 *
 * When anything fails, all appliers give up what is open.  What is committed is
 * in order and whole; the first transaction that is not is applied alone, row
 * by row, and either succeeds or is what the sink fails with.  Then they go on.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LANES_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LANES_H

#include "sink/postgres/apply/applier.h"

/* Connections with which one target is written to. */
#define LANES_MAX 16

typedef struct Lanes Lanes;

/*
 * `leader` is borrowed, and used by the lanes alone while they are not idle.
 * Without more appliers it is the only lane.
 */
Lanes *lanes_new(Target *target, Applier *leader);

/* Closes the connections that were added.  Accepts NULL. */
void lanes_free(Lanes *lanes);

/* Adds an applier with this connection, which becomes theirs. */
void lanes_add(Lanes *lanes, PgConn *conn);

/* Starts to apply a batch that is not empty, of complete transactions; one at
 * the end that is not goes back to `batch`, which is empty otherwise. */
MUST_CHECK Rc lanes_start(Lanes *lanes, Batch *batch, Error *err);

bool lanes_is_idle(const Lanes *lanes);

/* As applier_forget_table(), for each applier.  Only when it is idle, and the
 * leader too. */
void lanes_forget_table(Lanes *lanes, const char *schema, const char *name);

/* Bytes of the batch that is being applied. */
size_t lanes_bytes(const Lanes *lanes);

/* As applier_work(); when it is idle, only notices a lost connection, and
 * leaves the leader alone. */
MUST_CHECK Rc lanes_work(Lanes *lanes, Error *err);

/* Adds what the connections wait for, apart from the leader's. */
void lanes_interest(const Lanes *lanes, Interest *interest);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LANES_H */
