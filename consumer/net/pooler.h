/*
 * pooler.h
 *    Detects connection poolers between us and a server.
 *
 * A pooler in transaction mode runs each transaction of ours in any session of
 * the server, and between two transactions it gives that session to other
 * clients.  What we set in the session (session_replication_role, an origin,
 * prepared statements) would be in effect for other clients of the pooler, and
 * not for us.  So we refuse such a pooler.  A pooler in session mode, which
 * keeps one session for each connection, is as good as the server itself.
 *
 * We detect a pooler before we set anything in the session: it invents the
 * backend PID that it reports when we connect, so that PID is not the one which
 * pg_backend_pid() returns.  To find the mode, we call pg_backend_pid() in two
 * connections in turn.  With a pooler in session mode each connection always
 * gets its own PID, and the two PIDs differ.
 */
#ifndef PENSTOCK_NET_POOLER_H
#define PENSTOCK_NET_POOLER_H

#include <stdbool.h>

#include "net/pgconn.h"

/*
 * Finds whether the connection goes through a pooler.  *pid is the PID of the
 * backend that has answered, or 0 if there is no pooler.  The caller must not
 * have set anything in the session.  Waits.
 */
MUST_CHECK Rc pooler_find(PgConn *conn, int *pid, Error *err);

/*
 * Fails with ERR_CONFIG if the pooler does not keep sessions.  `pid` is the PID
 * that pooler_find() has returned.  `other` is another connection of the same
 * kind, in which nothing was set.  Returns RC_AGAIN if `other` got no answer
 * within 3 seconds, or within at_most_ms if that is less and not 0, nor soon
 * after that, although `conn` was answered and has kept its session.  Waits.
 */
MUST_CHECK Rc pooler_check(PgConn *conn, int pid, PgConn *other, int at_most_ms,
						   Error *err);

/*
 * The same without another connection, for a pooler that does not accept one.
 * Does not notice each pooler that does not keep sessions: one may give us the
 * same session again by chance.  Waits.
 */
MUST_CHECK Rc pooler_check_alone(PgConn *conn, int pid, Error *err);

/*
 * Fills `err` as pooler_check() does, for a caller that notices during its work
 * that its session was exchanged.
 */
MUST_CHECK Rc pooler_set_refused(const PgConn *conn, Error *err);

/* Whether the error is that of pooler_check() and pooler_set_refused(). */
bool pooler_is_refused(const Error *err);

#endif /* PENSTOCK_NET_POOLER_H */
