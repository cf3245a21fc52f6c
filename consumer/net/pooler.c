/*
 * pooler.c
 *    Compares the PIDs of the backends that answer.
 */
#include "net/pooler.h"

#include <stdlib.h>
#include <string.h>

/*
 * Number of times that we ask both connections for their PID.  Once is not
 * enough: a pooler in transaction mode may give us the same session again by
 * chance.
 */
#define ROUNDS 10

/*
 * Milliseconds that we wait for an answer in the second connection: a pooler in
 * session mode may have no free session for it.
 */
#define ANSWER_MS_MAX 3000

/* The same when the other connection, which has waited for less, was answered.
 */
#define LATE_MS_MAX 1000

/* Part of the error message; pooler_is_refused() recognises the error by it. */
#define REFUSED "is behind a connection pooler that does not keep sessions"

/*
 * SET LOCAL, because nothing may stay set in a session that may not be ours.
 * The statement_timeout of the role may be shorter than the first query of a
 * new backend takes.
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

/* Reads the PID from a result.  The first result, that of SET, has no rows. */
static void
take_pid(const PGresult *result, int *pid)
{
	if (PQntuples(result) > 0)
		*pid = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
}

/*
 * Asks the connection that we are going to use for its PID; waits without a
 * limit of its own.
 */
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

static MUST_CHECK Rc
send_other(PgConn *other, Error *err)
{
	if (!PQsendQuery(pgconn_raw(other), pid_sql))
		return pgconn_connection_error(other, "lost the connection to", err);
	return RC_OK;
}

/*
 * Takes the answer of the second connection.  Returns RC_AGAIN if there is none
 * within wait_ms.
 */
static MUST_CHECK Rc
take_other_pid(PgConn *other, int wait_ms, int *pid, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_await_result(other, wait_ms, err);

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

/*
 * Asks the second connection for its PID, and if it gets no answer, the first
 * one before the answer is waited for once more.
 *
 * A pooler in session mode may have no session for the second connection, and
 * the first one keeps its own.  A pooler in transaction mode whose sessions are
 * all in use has the first connection wait, too: after the second one, because
 * that has waited for longer.  So when the first one is answered, so is the
 * second one.
 */
static MUST_CHECK Rc
ask_other_pid(PgConn *conn, PgConn *other, int wait_ms, int *pid,
			  int *other_pid, Error *err)
{
	Rc rc = send_other(other, err);

	if (rc == RC_OK)
		rc = take_other_pid(other, wait_ms, other_pid, err);
	if (rc != RC_AGAIN)
		return rc;
	rc = ask_pid(conn, pid, err);
	if (wait_ms > LATE_MS_MAX)
		wait_ms = LATE_MS_MAX;
	return rc == RC_OK ? take_other_pid(other, wait_ms, other_pid, err) : rc;
}

/*
 * *kept tells whether each of the two connections keeps its own backend.
 * Returns RC_AGAIN if the second connection did not answer, and the first one
 * keeps its own.
 */
static MUST_CHECK Rc
compare(PgConn *conn, PgConn *other, int wait_ms, int pid, bool *kept,
		Error *err)
{
	int pid_now = pid;
	int other_pid = 0;
	Rc rc = ask_other_pid(conn, other, wait_ms, &pid_now, &other_pid, err);

	*kept = pid_now == pid && pid != other_pid;
	if (rc == RC_AGAIN && !*kept)
		return RC_OK;
	for (int i = 0; rc == RC_OK && *kept && i < ROUNDS; i++)
	{
		int other_pid_now = 0;

		rc = ask_pid(conn, &pid_now, err);
		if (rc == RC_OK)
			rc = ask_other_pid(conn, other, wait_ms, &pid_now, &other_pid_now,
							   err);
		*kept = pid_now == pid &&
				(rc == RC_AGAIN || other_pid_now == other_pid);
	}
	return rc;
}

Rc
pooler_check_alone(PgConn *conn, int pid, Error *err)
{
	int pid_now = pid;
	Rc rc = RC_OK;

	ASSERT(pid != 0);
	for (int i = 0; rc == RC_OK && pid_now == pid && i < ROUNDS; i++)
		rc = ask_pid(conn, &pid_now, err);
	return rc == RC_OK && pid_now != pid ? pooler_set_refused(conn, err) : rc;
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

	if (rc != RC_FAIL && !kept)
		return pooler_set_refused(conn, err);
	return rc;
}
