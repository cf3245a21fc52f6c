/*
 * writer.h
 *    Sessions that write rows of users' tables on a target, but for those that
 *    apply the stream: copies, and what empties tables for them.
 *
 * What they write is the pipeline's as much as what is applied, and is marked
 * like that (see origin.h): else a pipeline the other way round would send the
 * rows, or a TRUNCATE, back to where they came from.  Several write at once, so
 * each has one of the pipeline's further origins.
 */
#ifndef PENSTOCK_NET_WRITER_H
#define PENSTOCK_NET_WRITER_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"

/*
 * Opens a session for a pipeline; waits.  *marked is false, and it is no error,
 * if what it writes cannot be marked.  On success *conn is the caller's; after
 * a failure too, if it is not NULL.  It must be NULL before.
 */
MUST_CHECK Rc writer_open(PgConn **conn, const PgConnOptions *options,
						  const char *pipeline, bool *marked, Error *err);

/*
 * Closes a session of these when its work is done, and gives its mark back
 * before that, so that it is free as soon as this returns.  Does not wait for a
 * server that does not answer soon.  Accepts NULL.
 */
void writer_close(PgConn *conn);

/*
 * Says in the log that what is written is not marked: as a warning if the
 * target has a slot that would send it on.  `conn` is any session of it.
 */
void writer_say_unmarked(PgConn *conn, const char *component);

/*
 * Gives the session's mark back, and those of the pipeline's other sessions
 * that have ended; its work is done.  What fails is left to "penstock drop".
 * Accepts NULL.
 */
void writer_end(PgConn *conn, const char *pipeline);

#endif /* PENSTOCK_NET_WRITER_H */
