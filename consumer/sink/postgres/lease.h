/*
 * lease.h
 *    What a lease with another token means for the PostgreSQL sink.
 *
 * Whoever changes the state of a table, or puts up a fence, gives the lease of
 * the pipeline another token.  Then the sink can commit nothing any more, and
 * has to be opened again.
 */
#ifndef PENSTOCK_SINK_POSTGRES_LEASE_H
#define PENSTOCK_SINK_POSTGRES_LEASE_H

#include "sink/postgres/sink_state.h"

/*
 * Sets the error for a lease with another token: a command has changed the
 * state of a table, or has put up a fence, so what is being applied cannot be
 * committed.
 */
MUST_CHECK Rc lease_states_changed(const PostgresSink *self, PgConn *conn,
								   Error *err);

/*
 * Opens another connection to the target; the existing ones may be in
 * transactions.
 */
MUST_CHECK Rc lease_open_connection(const PostgresSink *self, PgConn **conn,
									Error *err);

/*
 * Replaces an error that was, or may have been, caused by states that have
 * changed: the lease has another token.  Such an error is transient.  If the
 * target is unreachable now, or a stop was requested, it is not known whether
 * the lease (ERR_CONFIG) belongs to another follower.  The next attempt will
 * find out; the source does not let two followers use the slot.
 */
void lease_explain_failure(const PostgresSink *self, Error *err);

/* Waits for a joining table.  RC_AGAIN: it is still joining. */
MUST_CHECK Rc lease_wait_for_table(PostgresSink *self, Error *err);

#endif
