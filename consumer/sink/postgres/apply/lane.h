/*
 * lane.h
 *    One connection that applies changes, in libpq's pipeline mode.
 *
 * Statements are sent without waiting for earlier results.  Each statement has
 * an expectation.  Results are received in the order of the statements, and
 * each is returned with its expectation.  After a failure, the server skips
 * everything up to the next sync; the results of skipped statements must be
 * ignored.
 *
 * Nothing here waits.  If the socket does not accept more data,
 * lane_is_blocked() returns true, and the caller must stop sending until it
 * does not.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LANE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/pgconn.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/* Largest number of statements without a received result. */
#define LANE_EXPECTATIONS_MAX 4096

typedef struct Lane Lane;

/* What the receiver expects of a statement's result. */
typedef struct Expectation
{
	int kind; /* defined by the caller */
	int64_t rows_expected;
	size_t change_index;
	size_t txn_first; /* of a commit: index of the first transaction … */
	size_t txn_index; /* … and of the last one */
	const TargetTable *table;
} Expectation;

/* Makes a lane; takes ownership of the connection. */
Lane *lane_new(PgConn *conn);

/* Frees a lane and closes its connection.  Accepts NULL. */
void lane_free(Lane *lane);

PgConn *lane_conn(const Lane *lane);

/* Whether every statement was answered. */
bool lane_is_empty(const Lane *lane);

/*
 * Whether sending must pause, because the socket or the list of expectations is
 * full.
 */
bool lane_is_blocked(const Lane *lane);

/* Whether data wait for the socket. */
bool lane_wants_write(const Lane *lane);

/* Sends a statement without parameters. */
MUST_CHECK Rc lane_send_sql(Lane *lane, const char *sql,
							const Expectation *expectation, Error *err);

/*
 * Sends a statement with parameters; prepares it before if it is not prepared.
 */
MUST_CHECK Rc lane_send_statement(Lane *lane, Statement *statement,
								  const Params *params,
								  const Expectation *expectation, Error *err);

/*
 * Sends a sync, which ends a round: the server answers it after everything
 * before.
 */
MUST_CHECK Rc lane_send_sync(Lane *lane, Error *err);

/* Flushes libpq's buffer, as far as the socket accepts it. */
MUST_CHECK Rc lane_flush(Lane *lane, Error *err);

/*
 * Returns the next result.  RC_OK: *result, which the caller must clear,
 * belongs to *expectation.  RC_END: a sync was answered.  RC_AGAIN: nothing was
 * received yet.
 */
MUST_CHECK Rc lane_receive(Lane *lane, PGresult **result,
						   Expectation *expectation, Error *err);

/*
 * Leave pipeline mode, for COPY and for statements that are waited for, and
 * enter it again.  Only between rounds.
 */
MUST_CHECK Rc lane_leave_pipeline(Lane *lane, Error *err);
MUST_CHECK Rc lane_enter_pipeline(Lane *lane, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LANE_H */
