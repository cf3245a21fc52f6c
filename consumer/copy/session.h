/*
 * session.h
 *    Opens the sessions that read rows on the source, write them on the target,
 *    and build indexes there.
 *
 * All functions block until the session is ready.  *conn must be NULL before
 * the call.  The caller closes *conn if it is not NULL, after a failure too.
 */
#ifndef PENSTOCK_COPY_SESSION_H
#define PENSTOCK_COPY_SESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Opens a session with the source.  It is in a transaction that has imported
 * `snapshot`, or, if that is NULL, in no transaction.
 */
MUST_CHECK Rc session_open_source(PgConn **conn, const char *conninfo,
								  const char *snapshot, Error *err);

/* What the role of a target's session has no privilege for, or was given. */
typedef struct SessionRights
{
	bool triggers_fire; /* whether triggers fire: the role has no privilege to
						 * set session_replication_role */
	bool marked;        /* whether the session's writes are marked with a
						 * replication origin: see net/writer.h */
} SessionRights;

/*
 * Opens a session that writes rows on the target for a pipeline.  It has
 * synchronous_commit = off, and session_replication_role = replica if the role
 * has the privilege to set it, so that triggers do not fire and foreign keys
 * are not checked.
 */
MUST_CHECK Rc session_open_writer(PgConn **conn, const char *conninfo,
								  const char *label, const char *pipeline,
								  SessionRights *rights, Error *err);

/* Opens a session that only reads on the target, with the same settings. */
MUST_CHECK Rc session_open_reader(PgConn **conn, const char *conninfo,
								  const char *label, Error *err);

/*
 * Opens a session that builds indexes on the target.  Its maintenance_work_mem
 * is `work_mem`, unless the target's own setting is higher.
 */
MUST_CHECK Rc session_open_builder(PgConn **conn, const char *conninfo,
								   const char *label, const char *work_mem,
								   Error *err);

#endif /* PENSTOCK_COPY_SESSION_H */
