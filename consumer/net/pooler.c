/*
 * pooler.c
 *    Whose backend answers.
 */
#include "net/pooler.h"

#include <stdlib.h>
#include <string.h>

/* How often both connections are asked: other clients of the pooler may have
 * taken the session that we had, and ours may by chance be the same again. */
#define ROUNDS 10

/* How long the second connection may have to wait: a pooler in session mode may
 * have no session to spare. */
#define ANSWER_MS_MAX 3000

/* In the message, and what it is known by. */
#define REFUSED "is behind a connection pooler that does not keep sessions"

/*
 * Nothing may be set for the session before it is known to be ours: hence
 * LOCAL.  A role's time-out may be shorter than a new backend's first query
 * takes.
 */
static const char pid_sql[] = "SET LOCAL statement_timeout = 0;"
							  "SELECT pg_catalog.pg_backend_pid()";

Rc
pooler_set_refused(const PgConn *conn, Error *err)
{
	PGconn *pg = pgconn_raw(conn);
	Rc rc = error_set(err, ERR_CONFIG, "%s " REFUSED, pgconn_label(conn));

	error_detail(err,
				 "What answers at host \"%s\", port %s, is a pooler in "
				 "transaction mode (such as PgBouncer): it gives each "
				 "transaction another session of the server.",
				 PQhost(pg), PQport(pg));
	error_hint(err, "Connect to the server itself, or to a pool with "
					"pool_mode = session.");
	return rc;
}

bool
pooler_is_refused(const Error *err)
{
	return err->code == ERR_CONFIG && strstr(err->message, REFUSED) != NULL;
}

/* There is a result without rows in front. */
static void
take_pid(const PGresult *result, int *pid)
{
	if (PQntuples(result) > 0)
		*pid = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
}

/* Of the connection that is to be used, which has to wait anyway. */
static MUST_CHECK Rc
ask_pid(PgConn *conn, int *pid, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn, pid_sql, &result, err);

	if (rc == RC_OK)
		take_pid(result, pid);
	PQclear(result);
	return rc;
}

/* RC_AGAIN: there was no answer in time, and the connection is of no use. */
static MUST_CHECK Rc
ask_other_pid(PgConn *other, int wait_ms, int *pid, Error *err)
{
	PGresult *result = NULL;
	Rc rc;

	if (!PQsendQuery(pgconn_raw(other), pid_sql))
		return pgconn_connection_error(other, "lost the connection to", err);
	rc = pgconn_await_result(other, wait_ms, err);
	if (rc != RC_OK)
		return rc;
	do
	{
		rc = pgconn_get_result(other, &result, err);
		if (rc == RC_OK && result != NULL)
			rc = pgconn_check_result(other, result, err);
		if (rc == RC_OK && result != NULL)
			take_pid(result, pid);
		PQclear(result);
	} while (rc == RC_OK && result != NULL);
	return rc;
}

/* Whether two connections have a backend each; RC_AGAIN: that cannot be told.
 */
static MUST_CHECK Rc
compare(PgConn *conn, PgConn *other, int wait_ms, int pid, bool *kept,
		Error *err)
{
	int other_pid = 0;
	Rc rc = ask_other_pid(other, wait_ms, &other_pid, err);

	*kept = pid != other_pid;
	for (int i = 0; rc == RC_OK && *kept && i < ROUNDS; i++)
	{
		int pid_now = 0;
		int other_pid_now = 0;

		rc = ask_pid(conn, &pid_now, err);
		if (rc == RC_OK)
			rc = ask_other_pid(other, wait_ms, &other_pid_now, err);
		*kept = pid_now == pid && other_pid_now == other_pid;
	}
	return rc;
}

Rc
pooler_find(PgConn *conn, int *pid, Error *err)
{
	Rc rc = ask_pid(conn, pid, err);

	if (rc == RC_OK && *pid == PQbackendPID(pgconn_raw(conn)))
		*pid = 0;
	return rc;
}

Rc
pooler_check(PgConn *conn, int pid, PgConn *other, int at_most_ms, Error *err)
{
	int wait_ms = at_most_ms > 0 && at_most_ms < ANSWER_MS_MAX ? at_most_ms
															   : ANSWER_MS_MAX;
	bool kept = true;
	Rc rc;

	ASSERT(pid != 0 && conn != other);
	rc = compare(conn, other, wait_ms, pid, &kept, err);

	if (rc == RC_OK && !kept)
		return pooler_set_refused(conn, err);
	return rc;
}
