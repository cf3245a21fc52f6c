/*
 * session.h
 *    The sessions that rows are copied between, and that build on the target.
 *
 * All wait until the session is ready.  Also after a failure *conn is the
 * caller's to close, if it is not NULL; it must be NULL before.
 */
#ifndef PENSTOCK_COPY_SESSION_H
#define PENSTOCK_COPY_SESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Opens a session that reads under an exported snapshot until it is closed, or,
 * with NULL for that, under those that its transactions take over.
 */
MUST_CHECK Rc session_open_source(PgConn **conn, const char *conninfo,
								  const char *snapshot, Error *err);

/* What a session of the target's role is not able to do, or is. */
typedef struct SessionRights
{
	bool triggers_fire; /* session_replication_role may not be set */
	bool marked;        /* what it writes is: see net/writer.h */
} SessionRights;

/*
 * Opens a session that writes rows for a pipeline, without waiting for the
 * disk, and without firing triggers or checking foreign keys, as far as the
 * role has the rights.
 */
MUST_CHECK Rc session_open_writer(PgConn **conn, const char *conninfo,
								  const char *label, const char *pipeline,
								  SessionRights *rights, Error *err);

/* Opens a session that only reads on the target. */
MUST_CHECK Rc session_open_reader(PgConn **conn, const char *conninfo,
								  const char *label, Error *err);

/*
 * Opens a session that builds indexes, with `work_mem` to sort in unless the
 * target's maintenance_work_mem is higher.
 */
MUST_CHECK Rc session_open_builder(PgConn **conn, const char *conninfo,
								   const char *label, const char *work_mem,
								   Error *err);

#endif /* PENSTOCK_COPY_SESSION_H */
