/*
 * connect.h
 *    Reaching a server, and what to say if that fails, then or later.
 */
#ifndef PENSTOCK_CHECK_CONNECT_H
#define PENSTOCK_CHECK_CONNECT_H

#include "check/context.h"
#include "check/query.h"

/*
 * Connects to a server whose name is set in `server`, says whether its version
 * is supported, and reads who it is.  On success server->conn is the caller's;
 * on failure it may be, too: close it either way.
 */
MUST_CHECK Rc check_connect(CheckContext *context, const char *conninfo,
							CheckServer *server, ServerFacts *facts,
							Error *err);

/* Opens a session that looks at a server; waits.  Close *conn either way. */
MUST_CHECK Rc check_open_session(PgConn **conn, const char *conninfo,
								 const char *name, Error *err);

/*
 * Ends the checks of a server: what kept them from going on becomes a finding,
 * unless it was that a stop was asked for.
 */
MUST_CHECK Rc check_finish_server(CheckContext *context,
								  const CheckServer *server, Rc rc, Error *err);

#endif /* PENSTOCK_CHECK_CONNECT_H */
