/*
 * pgconn.c
 *    libpq, with waits that a request to stop ends.
 */
#include "net/pgconn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/libpq_text.h"

/* Number of bytes of a statement that an error's context shows. */
#define PGCONN_CONTEXT_SQL_MAX 300

/* Milliseconds that a request to cancel a statement may take. */
#define CANCEL_MS_MAX 1000

struct PgConn
{
	PGconn *pg;
	char *label;
	int64_t patience_ms; /* time that an answer may take; -1: no limit */
	bool lasting;        /* see pgconn_set_lasting() */
	HostList asked; /* see pgconn_set_asked_hosts(); host NULL: not called */
};

Rc
pgconn_connection_error(PgConn *conn, const char *what, Error *err)
{
	char *reason = libpq_text_line(PQerrorMessage(conn->pg));
	Rc rc = error_set(err, ERR_CONNECT, "%s %s: %s", what, conn->label,
					  reason[0] ? reason : "connection closed");

	free(reason);
	return rc;
}

/* Logs a notice of the server, such as why it terminates a session. */
static void
log_notice(void *context, const PGresult *result)
{
	const PgConn *conn = context;
	const char *severity = PQresultErrorField(result,
											  PG_DIAG_SEVERITY_NONLOCALIZED);
	char *text = libpq_text_line(
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));

	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		log_warning("connect.server-warning", "%s says: %s", conn->label, text);
	else
		log_debug("connect", "%s says: %s", conn->label, text);
	free(text);
}

PgConn *
pgconn_new(PGconn *pg, const char *label)
{
	PgConn *conn = xcalloc(1, sizeof(PgConn));

	CHECK(pg != NULL);
	ASSERT(label != NULL);
	conn->pg = pg;
	conn->label = xstrdup(label);
	conn->patience_ms = -1;
	PQsetNoticeReceiver(pg, log_notice, conn);
	return conn;
}

void
pgconn_set_asked_hosts(PgConn *conn, HostList *asked)
{
	ASSERT(conn->asked.host == NULL && asked->host != NULL);
	conn->asked = *asked;
	*asked = (HostList){0};
}

/* PQconninfoFree() frees a value with free(). */
static void
set_parameter(PQconninfoOption *options, const char *keyword, const char *value)
{
	for (PQconninfoOption *o = options; o && o->keyword; o++)
	{
		if (strcmp(o->keyword, keyword) != 0)
			continue;
		free(o->val);
		o->val = value ? xstrdup(value) : NULL;
	}
}

PQconninfoOption *
pgconn_parameters(const PgConn *conn)
{
	PQconninfoOption *options = PQconninfo(conn->pg);

	if (conn->asked.host != NULL)
	{
		set_parameter(options, "host", conn->asked.host);
		set_parameter(options, "hostaddr", conn->asked.hostaddr);
		set_parameter(options, "port", conn->asked.port);
	}
	return options;
}

void
pgconn_set_patience(PgConn *conn, int64_t patience_ms)
{
	ASSERT(patience_ms >= -1);
	conn->patience_ms = patience_ms;
}

/*
 * Sends a cancel request from a child process.  PQcancel() opens a connection
 * and waits without a limit, so a server that does not answer would block us.
 * The child is killed after CANCEL_MS_MAX.  We notice its end by the end of
 * file on the pipe.
 */
static void
cancel_in_child(PGcancel *cancel)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	child = fork();
	if (child == 0)
	{
		char ignored[256];

		_exit(PQcancel(cancel, ignored, sizeof(ignored)) ? 0 : 1);
	}
	close(ends[1]);
	if (child > 0)
	{
		interrupt_wait_leaving(ends[0], POLLIN, CANCEL_MS_MAX);
		(void) kill(child, SIGKILL);
		(void) waitpid(child, NULL, 0);
	}
	close(ends[0]);
}

/*
 * Asks the server to cancel the statement that it runs for us, if there is one.
 */
static void
cancel_running(PgConn *conn)
{
	PGcancel *cancel;

	if (PQstatus(conn->pg) != CONNECTION_OK ||
		PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE)
		return;
	cancel = PQgetCancel(conn->pg);
	if (cancel != NULL)
		cancel_in_child(cancel);
	PQfreeCancel(cancel);
}

void
pgconn_close(PgConn *conn)
{
	if (conn == NULL)
		return;
	if (conn->pg != NULL)
	{
		if (!conn->lasting)
			cancel_running(conn);
		PQfinish(conn->pg);
	}
	host_list_release(&conn->asked);
	free(conn->label);
	free(conn);
}

void
pgconn_set_lasting(PgConn *conn, bool lasting)
{
	conn->lasting = lasting;
}

PGconn *
pgconn_raw(const PgConn *conn)
{
	return conn->pg;
}

const char *
pgconn_label(const PgConn *conn)
{
	return conn->label;
}

bool
pgconn_can_be_inside(const PgConn *conn)
{
	PGTransactionStatusType status = PQtransactionStatus(conn->pg);

	return status == PQTRANS_INTRANS || status == PQTRANS_UNKNOWN;
}

bool
pgconn_can_be_outside(const PgConn *conn)
{
	PGTransactionStatusType status = PQtransactionStatus(conn->pg);

	return status == PQTRANS_IDLE || status == PQTRANS_UNKNOWN;
}

int
pgconn_server_version_num(const PgConn *conn)
{
	return PQserverVersion(conn->pg);
}

/* Waits for the socket, at most the time that pgconn_set_patience() has set. */
static MUST_CHECK Rc
wait_for_answer(PgConn *conn, short events, Error *err)
{
	Rc rc = interrupt_wait(PQsocket(conn->pg), events, conn->patience_ms, err);

	if (rc == RC_AGAIN)
		return error_set(err, ERR_CONNECT,
						 "no answer from %s within %d seconds", conn->label,
						 (int) (conn->patience_ms / 1000));
	return rc;
}

Rc
pgconn_flush(PgConn *conn, Error *err)
{
	for (;;)
	{
		int pending = PQflush(conn->pg);
		Rc rc;

		if (pending == 0)
			return RC_OK;
		if (pending < 0)
			return pgconn_connection_error(conn, "lost the connection to", err);

		/* The server may have to send to us before it reads more from us. */
		rc = wait_for_answer(conn, POLLIN | POLLOUT, err);
		if (rc != RC_OK)
			return rc;
		if (!PQconsumeInput(conn->pg))
			return pgconn_connection_error(conn, "lost the connection to", err);
	}
}

Rc
pgconn_await_result(PgConn *conn, int64_t timeout_ms, Error *err)
{
	int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
	Rc rc = pgconn_flush(conn, err);

	while (rc == RC_OK && PQisBusy(conn->pg))
	{
		int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;

		rc = interrupt_wait(PQsocket(conn->pg), POLLIN,
							left_ms > 0 ? left_ms : 0, err);
		if (rc == RC_OK && !PQconsumeInput(conn->pg))
			rc = pgconn_connection_error(conn, "lost the connection to", err);
	}
	return rc;
}

Rc
pgconn_get_result(PgConn *conn, PGresult **result, Error *err)
{
	Rc rc = pgconn_flush(conn, err);

	while (rc == RC_OK && PQisBusy(conn->pg))
	{
		rc = wait_for_answer(conn, POLLIN, err);
		if (rc == RC_OK && !PQconsumeInput(conn->pg))
			break;
	}

	/*
	 * If the connection broke, the server's last message may have arrived
	 * already, and says why.  Otherwise libpq makes a result of its own.
	 */
	if (rc != RC_OK && PQstatus(conn->pg) != CONNECTION_BAD)
		return rc;
	error_reset(err);
	*result = PQgetResult(conn->pg);
	return RC_OK;
}

/*
 * Whether the detail of an error with this SQLSTATE is the whole row.  Values
 * of rows are not logged.
 */
static bool
detail_shows_row(const char *sqlstate)
{
	return strcmp(sqlstate, "23502") == 0 || /* not_null_violation */
		   strcmp(sqlstate, "23514") == 0;   /* check_violation */
}

/*
 * Adds the name of the violated constraint to the context, unless the message
 * has it.  Messages of the server have it; messages raised by triggers may not.
 */
static void
add_constraint(const PGresult *result, Error *err)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(result,
												PG_DIAG_CONSTRAINT_NAME);
	const char *schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);

	if (constraint == NULL || message == NULL ||
		strstr(message, constraint) != NULL)
		return;
	if (schema == NULL || table == NULL)
		error_context(err, "constraint \"%s\"", constraint);
	else
		error_context(err, "constraint \"%s\" of table \"%s\".\"%s\"",
					  constraint, schema, table);
}

Rc
pgconn_check_result(PgConn *conn, const PGresult *result, Error *err)
{
	ExecStatusType status;
	const char *sqlstate;
	char *reason;
	Rc rc;

	if (result == NULL)
		return pgconn_connection_error(conn, "lost the connection to", err);
	status = PQresultStatus(result);
	if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE)
		return RC_OK;
	sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (sqlstate == NULL)
		return pgconn_connection_error(conn, "lost the connection to", err);
	reason = libpq_text_line(
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	rc = error_set(err, ERR_SQL, "%s reports: %s", conn->label, reason);
	free(reason);
	error_sqlstate(err, sqlstate);
	if (PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) &&
		!detail_shows_row(sqlstate))
		error_detail(err, "%s",
					 PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	if (PQresultErrorField(result, PG_DIAG_MESSAGE_HINT))
		error_hint(err, "%s", PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	add_constraint(result, err);
	return rc;
}

Rc
pgconn_take_result(PgConn *conn, PGresult **result)
{
	PGconn *pg = conn->pg;

	if (PQflush(pg) >= 0 && PQconsumeInput(pg) && PQisBusy(pg))
		return RC_AGAIN;
	*result = PQgetResult(pg);
	return RC_OK;
}

Rc
pgconn_take_ended(PgConn *conn, int64_t *rows, Error *err)
{
	for (;;)
	{
		PGresult *result = NULL;
		Rc rc = pgconn_take_result(conn, &result);

		if (rc != RC_OK || result == NULL)
			return rc;
		rc = pgconn_check_result(conn, result, err);

		/* Not every statement reports a number of rows. */
		if (rc == RC_OK && PQcmdTuples(result)[0] != '\0')
			*rows = strtoll(PQcmdTuples(result), NULL, 10);
		PQclear(result);
		if (rc != RC_OK)
			return rc;
	}
}

/* Reads all results.  *result is the first that is an error, else the last. */
static Rc
collect_result(PgConn *conn, PGresult **result, Error *err)
{
	PGresult *kept = NULL;

	for (;;)
	{
		PGresult *next = NULL;
		ExecStatusType status;
		Rc rc = pgconn_get_result(conn, &next, err);

		if (rc != RC_OK)
		{
			PQclear(kept);
			return rc;
		}
		if (next == NULL)
			break;
		status = PQresultStatus(next);
		if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR)
			PQclear(next);
		else
		{
			PQclear(kept);
			kept = next;
		}
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
			status == PGRES_COPY_BOTH)
			break;
		if (PQstatus(conn->pg) == CONNECTION_BAD)
			break;
	}
	*result = kept;
	return RC_OK;
}

static Rc
finish_exec(PgConn *conn, int sent, const char *sql, PGresult **result,
			Error *err)
{
	PGresult *collected = NULL;
	Rc rc;

	if (!sent)
		return pgconn_connection_error(conn, "lost the connection to", err);
	rc = collect_result(conn, &collected, err);
	if (rc == RC_OK)
		rc = pgconn_check_result(conn, collected, err);
	if (rc == RC_OK && result != NULL)
		*result = collected;
	else
		PQclear(collected);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		error_context(err, "running \"%.*s\"", PGCONN_CONTEXT_SQL_MAX, sql);
	return rc;
}

Rc
pgconn_exec_params(PgConn *conn, const char *sql, int param_count,
				   const char *const *params, PGresult **result, Error *err)
{
	int sent = PQsendQueryParams(conn->pg, sql, param_count, NULL, params, NULL,
								 NULL, 0);

	return finish_exec(conn, sent, sql, result, err);
}

Rc
pgconn_exec(PgConn *conn, const char *sql, PGresult **result, Error *err)
{
	return finish_exec(conn, PQsendQuery(conn->pg, sql), sql, result, err);
}

Rc
pgconn_exec_secret(PgConn *conn, const char *sql, const char *shown, Error *err)
{
	return finish_exec(conn, PQsendQuery(conn->pg, sql), shown, NULL, err);
}

Rc
pgconn_set_plain_path(PgConn *conn, Error *err)
{
	return pgconn_exec(conn, "SET search_path = pg_catalog", NULL, err);
}

Rc
pgconn_set_own_path(PgConn *conn, Error *err)
{
	if (PQtransactionStatus(conn->pg) == PQTRANS_INERROR)
		return RC_OK;
	return pgconn_exec(conn, PGCONN_SET_OWN_PATH_SQL, NULL, err);
}

void
pgconn_explain_path(Error *err)
{
	/* undefined_function */
	if (err->code == ERR_SQL && strcmp(err->sqlstate, "42883") == 0)
		error_hint(err, "A check, an index or a trigger of the target calls a "
						"function that names another without a schema.  Give "
						"the target database, or the role there, the "
						"search_path that it has on the source (ALTER DATABASE "
						"… SET search_path), or that function one of its own.");
}

/* Appends keyword='value', escaped for a connection string. */
static void
append_conninfo(Buf *buf, const char *keyword, const char *value)
{
	buf_printf(buf, "%s%s='", buf->length > 0 ? " " : "", keyword);
	for (const char *c = value; *c != '\0'; c++)
	{
		if (*c == '\'' || *c == '\\')
			buf_append_char(buf, '\\');
		buf_append_char(buf, *c);
	}
	buf_append_char(buf, '\'');
}

/*
 * Settings for the session of a child process.  The role may have others, which
 * would stop the child before its own SET statements run; options in the
 * connection string override those of the role.  The child runs with
 * synchronous_commit = off and does not wait for the disk after each statement:
 * what it has written counts only when a later commit of ours records that, and
 * when that commit is durable, the child's commits before it are durable, too.
 */
static const char child_options[] = "-c statement_timeout=0 -c lock_timeout=0"
									" -c idle_in_transaction_session_timeout=0"
									" -c default_transaction_read_only=off"
									" -c synchronous_commit=off"
									" -c jit=off";

/* Options of the connection string come last, so that they override ours. */
static void
append_child_options(Buf *buf, const char *own)
{
	char *all = xasprintf("%s %s", child_options, own ? own : "");

	append_conninfo(buf, "options", all);
	free(all);
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

/*
 * Whether an option has libpq's default, which a child process uses, too,
 * unless a service file or an environment variable sets the option.
 */
static bool
is_default(const PQconninfoOption *option)
{
	return option->compiled != NULL && strcmp(option->keyword, "port") != 0 &&
		   strcmp(option->val, option->compiled) == 0 &&
		   (option->envvar == NULL || getenv(option->envvar) == NULL);
}

static bool
is_passed_on(const PQconninfoOption *option)
{
	/* Set by us for this connection only, or not to be passed on. */
	static const char *const ours[] = {
		"replication", "client_encoding", "fallback_application_name",
		/* The command line of a process can be read by all users. */
		"password", "sslpassword",
		/* Written by append_child_options(), together with our own. */
		"options"};

	if (option->val == NULL || option->val[0] == '\0')
		return false;
	for (size_t i = 0; i < LENGTH_OF(ours); i++)
		if (strcmp(option->keyword, ours[i]) == 0)
			return false;
	return true;
}

/*
 * Options that have libpq's default are left out, unless there is a service
 * file.  A program with an older libpq, which --pg-bindir may name, rejects
 * options that it does not know, such as "sslsni" before version 14.
 */
void
pgconn_child_conninfo(const PgConn *conn, char **conninfo, char **password)
{
	PQconninfoOption *options = pgconn_parameters(conn);
	bool has_service = option_value(options, "service") != NULL;
	Buf buf;

	*password = NULL;
	buf_init(&buf, BUF_TEXT_MAX);
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (is_passed_on(o) && (has_service || !is_default(o)))
			append_conninfo(&buf, o->keyword, o->val);
	append_child_options(&buf, option_value(options, "options"));
	PQconninfoFree(options);
	if (PQpass(conn->pg) != NULL && PQpass(conn->pg)[0] != '\0')
		*password = xstrdup(PQpass(conn->pg));
	*conninfo = xstrdup(buf.data ? buf.data : "");
	buf_release(&buf);
}
