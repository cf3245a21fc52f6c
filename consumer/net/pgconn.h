/*
 * pgconn.h
 *    A connection to a PostgreSQL server.  A request to stop ends every wait
 *    on it.
 *
 * There are two ways to use it.
 *
 * 1. pgconn_exec() and the functions like it wait for the server's answer.
 * They wait for the socket and for a request to stop at the same time, and fail
 * with ERR_INTERRUPTED when a stop is requested.
 *
 * 2. While a stream runs, nothing may wait.  The users of the event loop then
 * call libpq's asynchronous functions with the handle that pgconn_raw()
 * returns.
 *
 * Every error message names the server by the label given at opening (`source`,
 * `target "…"`), and every Error has the SQLSTATE where the server sent one.
 */
#ifndef PENSTOCK_NET_PGCONN_H
#define PENSTOCK_NET_PGCONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/host_lookup.h"

typedef struct PgConn PgConn;

/*
 * Makes a PgConn of a libpq connection that is open or being opened.  Takes
 * ownership of `pg`; copies `label`.  To open a connection see pgconn_open.h.
 */
PgConn *pgconn_new(PGconn *pg, const char *label);

/*
 * Says which hosts the user has asked for, if libpq got others (see
 * host_lookup.h).  Takes the texts of the list.
 */
void pgconn_set_asked_hosts(PgConn *conn, HostList *asked);

/*
 * Returns the parameters of the connection, as PQconninfo() does, with the
 * hosts that the user has asked for.  The caller frees them with
 * PQconninfoFree().
 */
PQconninfoOption *pgconn_parameters(const PgConn *conn);

/*
 * Sets how many milliseconds each answer of the server may take; -1, as at the
 * start: no limit.
 */
void pgconn_set_patience(PgConn *conn, int64_t patience_ms);

/*
 * Closes the connection.  A statement that still runs is cancelled first,
 * unless pgconn_set_lasting() has said that it is to run to its end.  Accepts
 * NULL.
 */
void pgconn_close(PgConn *conn);

/*
 * Sets whether the server is to run a statement to its end although the
 * connection is closed, or lost, meanwhile; false at the start.
 */
void pgconn_set_lasting(PgConn *conn, bool lasting);

/* Returns libpq's handle, borrowed, for libpq's asynchronous functions. */
PGconn *pgconn_raw(const PgConn *conn);

/* Returns the label given at opening; borrowed. */
const char *pgconn_label(const PgConn *conn);

/*
 * For assertions: whether the session can be in a transaction that has not
 * failed, and whether it can be outside of a transaction.  Both are true of a
 * connection that is lost.
 */
bool pgconn_can_be_inside(const PgConn *conn);
bool pgconn_can_be_outside(const PgConn *conn);

/* Returns the server's version, as PG_VERSION_NUM. */
int pgconn_server_version_num(const PgConn *conn);

/*
 * Runs one statement and waits for its result.  `params` are `param_count`
 * strings or NULLs, sent in text format.  If `result` is NULL, the result is
 * discarded; otherwise the caller clears it with PQclear().  A statement that
 * starts a COPY is a success, and leaves the connection in COPY mode.
 */
MUST_CHECK Rc pgconn_exec_params(PgConn *conn, const char *sql, int param_count,
								 const char *const *params, PGresult **result,
								 Error *err);
MUST_CHECK Rc pgconn_exec(PgConn *conn, const char *sql, PGresult **result,
						  Error *err);

/*
 * Runs a statement that contains a password.  Error messages quote `shown`
 * instead of the statement.
 */
MUST_CHECK Rc pgconn_exec_secret(PgConn *conn, const char *sql,
								 const char *shown, Error *err);

/*
 * Waits for the next result of the statements sent, like PQgetResult(): *result
 * is NULL when there is none left.  Returns RC_OK for a result that is an
 * error, too: see pgconn_check_result().
 */
MUST_CHECK Rc pgconn_get_result(PgConn *conn, PGresult **result, Error *err);

/*
 * Gets the next result of the statements sent, like pgconn_get_result(), but
 * without waiting.  Returns RC_AGAIN if no result has arrived yet.  For a
 * connection that broke libpq makes a result, which says why.
 */
MUST_CHECK Rc pgconn_take_result(PgConn *conn, PGresult **result);

/*
 * Reads all results of the statements sent, which must not be COPY, without
 * waiting.  Returns RC_AGAIN if more results may arrive, and RC_FAIL if one of
 * them is an error.  *rows is set to the number of rows that a result reports;
 * unchanged if none reports one.
 */
MUST_CHECK Rc pgconn_take_ended(PgConn *conn, int64_t *rows, Error *err);

/* Waits until libpq's output buffer has been sent to the server. */
MUST_CHECK Rc pgconn_flush(PgConn *conn, Error *err);

/*
 * Sends what is in libpq's output buffer, and waits until a result has arrived.
 * Returns RC_AGAIN if none has arrived within `timeout_ms`; the connection can
 * then only be closed.
 */
MUST_CHECK Rc pgconn_await_result(PgConn *conn, int64_t timeout_ms, Error *err);

/*
 * Returns RC_OK for a result that is not an error.  Otherwise fills `err` from
 * the result and returns RC_FAIL.  A NULL result means that the connection
 * broke.  Does not clear the result.
 */
MUST_CHECK Rc pgconn_check_result(PgConn *conn, const PGresult *result,
								  Error *err);

/*
 * Fills `err` with `what`, the label and libpq's message about the connection;
 * returns RC_FAIL.
 */
MUST_CHECK Rc pgconn_connection_error(PgConn *conn, const char *what,
									  Error *err);

/*
 * Makes the connection string with which a child process can open the same
 * connection.  The string has no password; *password is the password, or NULL
 * if there is none.  The caller frees both.  It gives the child the password in
 * the environment variable PGPASSWORD, so that no list of processes shows it.
 */
void pgconn_child_conninfo(const PgConn *conn, char **conninfo,
						   char **password);

/*
 * The search path.
 *
 * We open a connection with search_path = pg_catalog, so that unqualified names
 * in our statements mean the system's objects.  But when we write a row, the
 * server calls functions of users: in check constraints, in expressions of
 * indexes, in triggers that are ENABLE ALWAYS.  These functions may use names
 * without a schema, which the server has to find in the search_path of the
 * database and the role, as it does for the application.  A session that writes
 * users' rows sets that search_path (the "own path"), and its statements
 * schema-qualify all names, those of operators too.
 */
#define PGCONN_SET_OWN_PATH_SQL         "SET search_path TO DEFAULT"
#define PGCONN_SET_LOCAL_OWN_PATH_SQL   "SET LOCAL search_path TO DEFAULT"
#define PGCONN_SET_LOCAL_PLAIN_PATH_SQL "SET LOCAL search_path = pg_catalog"

/*
 * Sets search_path to pg_catalog ("plain path"), and back to the default of the
 * database and role ("own path").  In a transaction that has failed,
 * pgconn_set_own_path() does nothing: the rollback restores the own path.
 */
MUST_CHECK Rc pgconn_set_plain_path(PgConn *conn, Error *err);
MUST_CHECK Rc pgconn_set_own_path(PgConn *conn, Error *err);

/*
 * If the error is undefined_function, adds a hint how to set the search_path.
 */
void pgconn_explain_path(Error *err);

#endif /* PENSTOCK_NET_PGCONN_H */
