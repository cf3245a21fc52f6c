/*
 * pooler.h
 *    Connection poolers between us and a server.
 *
 * A pooler in transaction mode gives each transaction of ours any session of
 * the server, and between two of them that session to somebody else.  What we
 * set in it (session_replication_role, an origin, prepared statements) would be
 * in effect for others, and not for us.  Only a session that stays ours is
 * good: the server itself, or a pooler in session mode.
 *
 * A pooler makes up what it tells of the backend's PID when it lets us in; that
 * tells that there is one, before anything was set.  In which mode it is shows
 * when two connections ask in turn which backend they have: with a session of
 * its own, each always has the same, and another than the other one.
 */
#ifndef PENSTOCK_NET_POOLER_H
#define PENSTOCK_NET_POOLER_H

#include <stdbool.h>

#include "net/pgconn.h"

/*
 * Looks whether the connection goes through a pooler.  *pid is the PID of the
 * backend that has answered, or 0 if there is no pooler.  Nothing may have been
 * set in the session.  Waits.
 */
MUST_CHECK Rc pooler_find(PgConn *conn, int *pid, Error *err);

/*
 * ERR_CONFIG if the pooler does not keep sessions.  `pid` is as found above;
 * `other` is another connection of the same kind, in which nothing was set.
 * RC_AGAIN: that one has got no answer in time: in 3 seconds, or in at_most_ms,
 * if that is less and not 0.  Waits.
 */
MUST_CHECK Rc pooler_check(PgConn *conn, int pid, PgConn *other, int at_most_ms,
						   Error *err);

/* The same error, for a session that is found to have changed at work. */
MUST_CHECK Rc pooler_set_refused(const PgConn *conn, Error *err);

/* Whether an error is that one. */
bool pooler_is_refused(const Error *err);

#endif /* PENSTOCK_NET_POOLER_H */
