/*
 * lane.h
 *    One connection that applies changes, in libpq's pipeline mode.
 *
 * Statements are sent without waiting for the results of those before them.
 * Each is sent together with what is expected of it; results come back in the
 * same order, and each meets its expectation.  After a failure the server skips
 * everything up to the next sync; those results come back too and are to be
 * ignored.
 *
 * Nothing here waits.  A lane whose socket takes no more says so
 * (lane_is_blocked()), and its user stops sending until it does.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LANE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/pgconn.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/* Statements that may be under way. */
#define LANE_EXPECTATIONS_MAX 4096

typedef struct Lane Lane;

/* What is expected of a statement's result; read by whoever receives it. */
typedef struct Expectation
{
	int kind; /* the user's own */
	int64_t rows_expected;
	size_t change_index;
	size_t txn_first; /* of a commit: the transactions that it is of … */
	size_t txn_index; /* … up to this one */
	const TargetTable *table;
} Expectation;

/* Takes ownership of the connection. */
Lane *lane_new(PgConn *conn);

/* Closes the connection as well.  Accepts NULL. */
void lane_free(Lane *lane);

PgConn *lane_conn(const Lane *lane);

/* Whether nothing that was sent is still to be answered. */
bool lane_is_empty(const Lane *lane);

/* Whether sending must pause: the socket, or the list of expectations, is
 * full. */
bool lane_is_blocked(const Lane *lane);

/* Whether the socket has to take something before anything else can go. */
bool lane_wants_write(const Lane *lane);

/* Sends a statement without parameters. */
MUST_CHECK Rc lane_send_sql(Lane *lane, const char *sql,
							const Expectation *expectation, Error *err);

/* Sends a statement with parameters, preparing it first if it is not yet. */
MUST_CHECK Rc lane_send_statement(Lane *lane, Statement *statement,
								  const Params *params,
								  const Expectation *expectation, Error *err);

/* Ends a round: the server answers when it has done everything before. */
MUST_CHECK Rc lane_send_sync(Lane *lane, Error *err);

/* Hands what libpq has collected to the socket, as far as it takes it. */
MUST_CHECK Rc lane_flush(Lane *lane, Error *err);

/*
 * The next result.  RC_OK: *result, which the caller clears, belongs to
 * *expectation.  RC_END: a sync was reached.  RC_AGAIN: none is here yet.
 */
MUST_CHECK Rc lane_receive(Lane *lane, PGresult **result,
						   Expectation *expectation, Error *err);

/* Leaves pipeline mode, for COPY and for statements that are waited for, and
 * enters it again.  Only between rounds. */
MUST_CHECK Rc lane_leave_pipeline(Lane *lane, Error *err);
MUST_CHECK Rc lane_enter_pipeline(Lane *lane, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LANE_H */
