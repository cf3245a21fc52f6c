/*
 * writer.h
 *    Sessions that write rows of users' tables on a target outside of the
 *    stream.
 *
 * A copy of a table uses such sessions, and so does the TRUNCATE before a copy.
 *
 * Their changes have to be marked with a replication origin like those of the
 * stream (see origin.h).  Without the mark a pipeline in the other direction
 * would send the rows, or the TRUNCATE, back to where they came from.  Several
 * sessions write at the same time, so each uses one of the pipeline's further
 * origins.
 */
#ifndef PENSTOCK_NET_WRITER_H
#define PENSTOCK_NET_WRITER_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"

/*
 * Opens a session for a pipeline, and sets a free further origin in it; waits.
 * *marked is false, and the function succeeds, if the session cannot have an
 * origin.  *conn must be NULL before.  If it is not NULL afterwards, it belongs
 * to the caller, after a failure, too.
 */
MUST_CHECK Rc writer_open(PgConn **conn, const PgConnOptions *options,
						  const char *pipeline, bool *marked, Error *err);

/*
 * Closes a session of writer_open() and releases its origin before that, so
 * that another session can use the origin as soon as this function returns.
 * Waits for the server at most a second.  Accepts NULL.
 */
void writer_close(PgConn *conn);

/*
 * Logs that the rows written have no origin: as a warning if the target's
 * database has a logical slot, whose reader could send them on.  `conn` is any
 * session of the target.
 */
void writer_say_unmarked(PgConn *conn);

/*
 * Releases the session's origin, and drops the pipeline's further origins that
 * no session uses.  The session can write no marked rows afterwards.  Ignores
 * failures: "penstock drop" drops what is left.  Accepts NULL.
 */
void writer_end(PgConn *conn, const char *pipeline);

#endif /* PENSTOCK_NET_WRITER_H */
