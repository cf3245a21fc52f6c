/*
 * connect.h
 *    Connects to a server for the checks, and makes a finding of an error that
 *    ends them.
 */
#ifndef PENSTOCK_CHECK_CONNECT_H
#define PENSTOCK_CHECK_CONNECT_H

#include "check/context.h"
#include "check/query.h"

/*
 * Connects to the server whose name is in `server`, adds findings about the
 * connection and the server's version, and reads *facts; blocks.  The caller
 * closes server->conn, after a failure too.
 */
MUST_CHECK Rc check_connect(CheckContext *context, const char *conninfo,
							CheckServer *server, ServerFacts *facts,
							Error *err);

/* Opens a session for queries of the checks; blocks.  The caller closes *conn,
 * after a failure too. */
MUST_CHECK Rc check_open_session(PgConn **conn, const char *conninfo,
								 const char *name, Error *err);

/*
 * Ends the checks of a server, which have returned `rc`.  Makes a finding of
 * the error in *err and returns RC_OK, unless the error is ERR_INTERRUPTED.
 */
MUST_CHECK Rc check_finish_server(CheckContext *context,
								  const CheckServer *server, Rc rc, Error *err);

#endif /* PENSTOCK_CHECK_CONNECT_H */
