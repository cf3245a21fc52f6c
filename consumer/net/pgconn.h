/*
 * pgconn.h
 *    A connection to a PostgreSQL server, used without ever blocking on
 * anything that a signal could not end.
 *
 * Two ways of use.  While a program sets things up it wants an answer before
 * it goes on: pgconn_exec() and friends wait, but for the
 * socket and a stop request at once, and fail with ERR_INTERRUPTED when asked
 * to stop.  While a stream runs nothing may wait: the event loop's users work
 * on pgconn_raw() with libpq's asynchronous functions.
 *
 * Every failure tells which server it was by the label given at opening
 * (`source`, `target "…"`), and carries the SQLSTATE where there is one.
 */
#ifndef PENSTOCK_NET_PGCONN_H
#define PENSTOCK_NET_PGCONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct PgConn PgConn;

/*
 * A connection of libpq's that is open, or on its way, and belongs to the
 * PgConn from then on; `label` is copied.  See pgconn_open.h for opening one.
 */
PgConn *pgconn_new(PGconn *pg, const char *label);

/* How long each answer may take; -1, as at the start: for ever. */
void pgconn_set_patience(PgConn *conn, int64_t patience_ms);

/* Closes; a statement that still runs is cancelled first.  Accepts NULL. */
void pgconn_close(PgConn *conn);

/* libpq's own handle, borrowed; for asynchronous use. */
PGconn *pgconn_raw(const PgConn *conn);

/* The label given at opening. */
const char *pgconn_label(const PgConn *conn);

/* The server's version, as PG_VERSION_NUM. */
int pgconn_server_version_num(const PgConn *conn);

/*
 * Runs one statement and waits for its result.  `params` are `param_count`
 * strings or NULLs, sent in text format.  If `result` is NULL the result is
 * discarded, else the caller clears it with PQclear().  A statement that
 * returns COPY leaves the connection in that state and is a success.
 */
MUST_CHECK Rc pgconn_exec_params(PgConn *conn, const char *sql, int param_count,
								 const char *const *params, PGresult **result,
								 Error *err);
MUST_CHECK Rc pgconn_exec(PgConn *conn, const char *sql, PGresult **result,
						  Error *err);

/* The same for what has passwords in it: messages have `shown` instead. */
MUST_CHECK Rc pgconn_exec_secret(PgConn *conn, const char *sql,
								 const char *shown, Error *err);

/*
 * Waits for the next result of what was sent, as PQgetResult(): *result is
 * NULL when there is none left.  A result that is an error is RC_OK too: see
 * pgconn_check_result().
 */
MUST_CHECK Rc pgconn_get_result(PgConn *conn, PGresult **result, Error *err);

/* The same without waiting.  RC_AGAIN: none is here yet.  A connection that
 * broke has a result, too, which says why. */
MUST_CHECK Rc pgconn_take_result(PgConn *conn, PGresult **result);

/*
 * Takes the results of statements that end, to the last, without waiting.
 * RC_AGAIN: there may be more to come.  RC_FAIL: one of them is an error. *rows
 * is set to the number of rows of a result that has counted some.
 */
MUST_CHECK Rc pgconn_take_ended(PgConn *conn, int64_t *rows, Error *err);

/* Waits until all that was sent has left for the server. */
MUST_CHECK Rc pgconn_flush(PgConn *conn, Error *err);

/*
 * Sends the rest, and waits until a result is here, or for so long.  RC_AGAIN:
 * there was none in time, and the connection is good for nothing but closing.
 */
MUST_CHECK Rc pgconn_await_result(PgConn *conn, int64_t timeout_ms, Error *err);

/*
 * Turns a result that is an error into an Error (RC_FAIL); a good one is
 * RC_OK.  Does not clear the result.  A NULL result stands for a connection
 * that broke.
 */
MUST_CHECK Rc pgconn_check_result(PgConn *conn, const PGresult *result,
								  Error *err);

/* Fills an Error from libpq's message about the connection; RC_FAIL. */
MUST_CHECK Rc pgconn_connection_error(PgConn *conn, const char *what,
									  Error *err);

/*
 * The connection string of an open connection without its password, for a
 * child process, and the password apart.  Both are freed by the caller;
 * *password may be NULL.  The child gets the password through PGPASSWORD in
 * its environment, so that it never shows in a process list.
 */
void pgconn_child_conninfo(const PgConn *conn, char **conninfo,
						   char **password);

/*
 * The search path.
 *
 * A connection is opened with pg_catalog alone, so that names in our statements
 * mean what they say.  But a row that is written calls functions of users: in
 * checks, in expressions of indexes, in triggers that fire always.  These may
 * name things without a schema, and find them by the path of the database and
 * the role, as they do for the application.  What writes users' rows sets that
 * path, and names all that it needs by schema, operators too.
 */
#define PGCONN_SET_OWN_PATH_SQL         "SET search_path TO DEFAULT"
#define PGCONN_SET_LOCAL_OWN_PATH_SQL   "SET LOCAL search_path TO DEFAULT"
#define PGCONN_SET_LOCAL_PLAIN_PATH_SQL "SET LOCAL search_path = pg_catalog"

/* Takes pg_catalog alone for a while, and the own path again.  The latter
 * leaves a transaction that has failed alone: rolled back, it has it anyway. */
MUST_CHECK Rc pgconn_set_plain_path(PgConn *conn, Error *err);
MUST_CHECK Rc pgconn_set_own_path(PgConn *conn, Error *err);

/* Says of an error that a function is not found what can be done about it. */
void pgconn_explain_path(Error *err);

#endif /* PENSTOCK_NET_PGCONN_H */
