/*
 * pgconn.c
 *    libpq, waited for with a way out.
 */
#include "net/pgconn.h"

#include <ctype.h>
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
#include "net/pooler.h"

/* As much of a statement as an error's context shows. */
#define PGCONN_CONTEXT_SQL_MAX 300

/* How long it may take to tell a server that it need not go on. */
#define CANCEL_MS_MAX   1000

#define SQLSTATE_LENGTH 5

struct PgConn
{
	PGconn *pg;
	char *label;
	int64_t connect_ms;  /* that connecting may take; -1: for ever */
	int64_t patience_ms; /* that an answer may take; -1: for ever */
};

/*
 * What a role or a database may have set and what would then change values on
 * their way, or stop the work half way.  Set in the session, where it wins over
 * both.
 */
static const char data_settings_sql[] =
	/* How our own statements are read, and what names the server writes. */
	"SET standard_conforming_strings = on;"
	"SET quote_all_identifiers = off;"
	/* Else an element that is null in text is the word NULL. */
	"SET array_nulls = on;"
	"SET datestyle = 'ISO, YMD';"
	"SET intervalstyle = 'postgres';"
	"SET timezone = 'UTC';"
	"SET extra_float_digits = 3;"
	"SET bytea_output = 'hex';"
	"SET xmloption = 'content';"
	"SET search_path = pg_catalog;"
	"SET statement_timeout = 0;"
	"SET lock_timeout = 0;"
	"SET idle_in_transaction_session_timeout = 0;"
	"SET row_security = off;"
	"SET default_transaction_isolation = 'read committed';"
	"SET default_transaction_deferrable = off;"
	"SET default_transaction_read_only = off;"
	/* money is written as this says. */
	"SET lc_monetary = 'C';"
	/* Compiling takes longer than anything that we ask for. */
	"SET jit = off;"
	/* Not every version knows these. */
	"SELECT pg_catalog.set_config(name, '0', false)"
	" FROM pg_catalog.pg_settings"
	" WHERE name IN ('transaction_timeout', 'idle_session_timeout')";

/*
 * Whether the line that ends here is the whole of a sentence.  One that is
 * indented, and begins with a small letter, goes on with the one before it.
 */
static bool
ends_sentence(const char *newline)
{
	return newline[1] != '\t' || !islower((unsigned char) newline[2]);
}

/*
 * libpq ends its messages with a newline, and some have several lines: one for
 * each address that was tried, and what may be wrong.
 */
static char *
one_line(const char *text)
{
	char *line = xmalloc(2 * strlen(text ? text : "") + 1);
	size_t length = 0;

	for (const char *c = text ? text : ""; *c != '\0'; c++)
	{
		bool blank = *c == '\n' || *c == '\t' || *c == ' ';

		if (*c == '\n' && length > 0 && line[length - 1] != ' ' &&
			ends_sentence(c))
			line[length++] = ';';
		if (!blank)
			line[length++] = *c;
		else if (length > 0 && line[length - 1] != ' ')
			line[length++] = ' ';
	}
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == ';'))
		length--;
	line[length] = '\0';
	return line;
}

Rc
pgconn_connection_error(PgConn *conn, const char *what, Error *err)
{
	char *reason = one_line(PQerrorMessage(conn->pg));
	Rc rc = error_set(err, ERR_CONNECT, "%s %s: %s", what, conn->label,
					  reason[0] ? reason : "connection closed");

	free(reason);
	return rc;
}

/*
 * Before a connection is made there is no result to ask for an SQLSTATE, but
 * with PQERRORS_VERBOSE the server's message starts with it, after the
 * severity: "FATAL:  28P01: password …".  Copies it; false if there is none.
 */
static bool
find_sqlstate(const char *message, char *sqlstate)
{
	const char *at = message;

	while ((at = strstr(at, ":  ")) != NULL)
	{
		at += 3;
		if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
				SQLSTATE_LENGTH &&
			strncmp(at + SQLSTATE_LENGTH, ": ", 2) == 0)
		{
			memcpy(sqlstate, at, SQLSTATE_LENGTH);
			sqlstate[SQLSTATE_LENGTH] = '\0';
			return true;
		}
	}
	return false;
}

/* Whether the network, or the server, broke off what TLS had begun. */
static bool
is_cut_off(const char *message)
{
	static const char *const texts[] = {
		"SSL SYSCALL error",
		"SSL error: unexpected eof",
		"SSL connection has been closed unexpectedly",
	};

	for (size_t i = 0; i < LENGTH_OF(texts); i++)
		if (strstr(message, texts[i]) != NULL)
			return true;
	return false;
}

/* Whether a connection failed for a reason that a person has to fix, by what
 * libpq itself says. */
static bool
needs_a_person(const PGconn *pg, const char *message)
{
	static const char *const texts[] = {"certificate", "SSL", "authentication"};

	if (PQconnectionNeedsPassword(pg))
		return true;
	if (is_cut_off(message))
		return false;
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
		if (strstr(message, texts[i]) != NULL)
			return true;
	return false;
}

/* Takes the words out of a verbose message: no SQLSTATE, no LOCATION. */
static char *
plain_reason(const char *message, const char *sqlstate)
{
	char *reason = xstrdup(message);
	char *state = sqlstate[0] ? strstr(reason, sqlstate) : NULL;
	char *location = strstr(reason, "\nLOCATION:");
	char *line;

	if (location != NULL)
		*location = '\0';
	if (state != NULL)
		memmove(state, state + SQLSTATE_LENGTH + 2,
				strlen(state + SQLSTATE_LENGTH + 2) + 1);
	line = one_line(reason);
	free(reason);
	return line;
}

/*
 * Whether trying again can help: a server that starts, stops or is full may
 * take us later; one that does not know the role, the password or the database
 * will not.
 */
static Rc
connect_failed(PgConn *conn, Error *err)
{
	const char *message = PQerrorMessage(conn->pg);
	char sqlstate[SQLSTATE_LENGTH + 1] = "";
	bool from_server = find_sqlstate(message, sqlstate);
	char *reason = plain_reason(message, sqlstate);
	Rc rc = error_set(err, ERR_CONNECT, "could not connect to %s: %s",
					  conn->label, reason);

	free(reason);
	error_sqlstate(err, sqlstate);
	if (from_server ? !error_is_transient(err)
					: needs_a_person(conn->pg, message))
		err->code = ERR_CONFIG;
	return rc;
}

/* Whether a connection string, which may be ill-formed, has a password. */
static bool
may_have_password(const char *conninfo)
{
	const char *authority = strstr(conninfo, "://");

	return strstr(conninfo, "pass") != NULL ||
		   (authority != NULL && strchr(authority, '@') != NULL);
}

/*
 * The connection string cannot be read.  libpq quotes what it could not make
 * sense of, which may be a password, or some of it.
 */
static Rc
cannot_be_read(const PgConn *conn, const char *conninfo, Error *err)
{
	char *reason = one_line(PQerrorMessage(conn->pg));
	bool hidden = may_have_password(conninfo);
	size_t plain = hidden ? strcspn(reason, "\"") : strlen(reason);
	const char *last = hidden ? strrchr(reason, '"') : NULL;
	Rc rc;

	rc = error_set(err, ERR_CONFIG, "could not connect to %s: %.*s%s%s",
				   conn->label, (int) plain, reason, last ? "\"...\"" : "",
				   last ? last + 1 : "");
	if (last != NULL)
		error_hint(err,
				   "The connection string is not well-formed.  It has a "
				   "password, so it is not shown: blanks in a value want "
				   "quotes, and signs in a URI want %% and two hexadecimal "
				   "digits.");
	free(reason);
	return rc;
}

/*
 * A connection that is bad at once was refused (which a local socket tells at
 * once), or its connection string cannot be read; libpq's texts of the former
 * start like this.
 */
static Rc
start_failed(PgConn *conn, const char *conninfo, Error *err)
{
	static const char attempted[] = "connection to server";

	if (strncmp(PQerrorMessage(conn->pg), attempted, sizeof(attempted) - 1) ==
		0)
		return connect_failed(conn, err);
	return cannot_be_read(conn, conninfo, err);
}

/*
 * A peer that has vanished without a word is noticed within half a minute,
 * where neither side's system would notice for hours.
 */
static PGconn *
start_connection(const PgConnOptions *options)
{
	const char *keywords[12];
	const char *values[12];
	int n = 0;

	/* What stands before the connection string can be changed by it. */
	keywords[n] = "fallback_application_name";
	values[n++] = options->application_name;
	keywords[n] = "keepalives_idle";
	values[n++] = "10";
	keywords[n] = "keepalives_interval";
	values[n++] = "5";
	keywords[n] = "keepalives_count";
	values[n++] = "4";
	keywords[n] = "tcp_user_timeout";
	values[n++] = "30000";
	keywords[n] = "dbname";
	values[n++] = options->conninfo;
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	if (options->kind == PGCONN_REPLICATION)
	{
		keywords[n] = "replication";
		values[n++] = "database";
	}
	keywords[n] = NULL;
	values[n] = NULL;
	return PQconnectStartParams(keywords, values, 1);
}

/* Milliseconds that connecting may take, from the connection's own option. */
static int64_t
connect_timeout_ms(const PGconn *pg)
{
	PQconninfoOption *options = PQconninfo((PGconn *) (uintptr_t) pg);
	int64_t seconds = PGCONN_CONNECT_TIMEOUT_S;

	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, "connect_timeout") == 0 && o->val)
			seconds = strtol(o->val, NULL, 10);
	PQconninfoFree(options);
	return seconds <= 0 ? -1 : seconds * 1000;
}

static Rc
connect_timed_out(const PgConn *conn, Error *err)
{
	return error_set(err, ERR_CONNECT,
					 "could not connect to %s: no answer within %d seconds",
					 conn->label, (int) (conn->connect_ms / 1000));
}

/* What a server says beside its answers, such as why it ends a session. */
static void
log_notice(void *context, const PGresult *result)
{
	const PgConn *conn = context;
	const char *severity = PQresultErrorField(result,
											  PG_DIAG_SEVERITY_NONLOCALIZED);
	char *text = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));

	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		log_warning("connect", "%s says: %s", conn->label, text);
	else
		log_debug("connect", "%s says: %s", conn->label, text);
	free(text);
}

/* A connection on its way. */
typedef struct Opening
{
	PgConn *conn; /* NULL: it is open, or has failed */
	short events; /* what it waits for */
	int64_t deadline_us;
} Opening;

static MUST_CHECK Rc
opening_begin(Opening *self, const PgConnOptions *options, Error *err)
{
	PgConn *conn = xcalloc(1, sizeof(PgConn));

	self->conn = conn;
	self->events = POLLOUT;
	self->deadline_us = INT64_MAX;
	conn->label = xstrdup(options->label);
	conn->patience_ms = -1;
	conn->pg = start_connection(options);
	CHECK(conn->pg != NULL);
	PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(conn->pg, log_notice, conn);
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		return start_failed(conn, options->conninfo, err);
	conn->connect_ms = connect_timeout_ms(conn->pg);
	if (options->at_most_ms > 0 &&
		(conn->connect_ms < 0 || conn->connect_ms > options->at_most_ms))
		conn->connect_ms = options->at_most_ms;
	if (options->impatient || options->at_most_ms > 0)
		conn->patience_ms = conn->connect_ms;
	if (conn->connect_ms >= 0)
		self->deadline_us = clock_monotonic_us() + conn->connect_ms * 1000;
	return RC_OK;
}

/* Its socket is ready.  RC_AGAIN: it goes on waiting. */
static MUST_CHECK Rc
opening_work(Opening *self, Error *err)
{
	switch (PQconnectPoll(self->conn->pg))
	{
		case PGRES_POLLING_OK:
			return RC_OK;
		case PGRES_POLLING_READING:
			self->events = POLLIN;
			return RC_AGAIN;
		case PGRES_POLLING_WRITING:
		case PGRES_POLLING_ACTIVE:
			self->events = POLLOUT;
			return RC_AGAIN;
		case PGRES_POLLING_FAILED:
			break;
	}
	return connect_failed(self->conn, err);
}

/* It is connected, or has failed (rc). */
static void
opening_end(Opening *self, Rc rc, PgConn **conn, Error *err)
{
	PgConn *opened = self->conn;

	self->conn = NULL;
	PQsetErrorVerbosity(opened->pg, PQERRORS_DEFAULT);
	if (rc == RC_OK && PQsetnonblocking(opened->pg, 1) != 0)
		rc = pgconn_connection_error(opened, "could not set up", err);
	if (rc == RC_OK)
		*conn = opened;
	else
		pgconn_close(opened);
}

/*
 * Waits until one of those that are on their way is ready, or the first of them
 * has had its time.  RC_END: there are none.
 */
static MUST_CHECK Rc
wait_for_openings(const Opening *openings, struct pollfd *fds, int count,
				  Error *err)
{
	int64_t deadline_us = INT64_MAX;
	int64_t left_ms = -1;
	bool any = false;

	for (int i = 0; i < count; i++)
	{
		const Opening *opening = &openings[i];

		fds[i] = (struct pollfd){.fd = -1};
		if (opening->conn == NULL)
			continue;
		any = true;
		fds[i].fd = PQsocket(opening->conn->pg);
		fds[i].events = opening->events;
		if (opening->deadline_us < deadline_us)
			deadline_us = opening->deadline_us;
	}
	if (!any)
		return RC_END;
	if (deadline_us != INT64_MAX)
	{
		left_ms = (deadline_us - clock_monotonic_us()) / 1000;
		if (left_ms < 0)
			left_ms = 0;
	}
	return interrupt_wait_any(fds, count, left_ms, err);
}

/* What has happened while it was waited. */
static void
work_openings(Opening *openings, const struct pollfd *fds, int count,
			  PgConn **conns, Error *errs)
{
	for (int i = 0; i < count; i++)
	{
		Opening *opening = &openings[i];
		Rc rc = RC_AGAIN;

		if (opening->conn == NULL)
			continue;
		if (fds[i].revents != 0 || fds[i].fd < 0)
			rc = opening_work(opening, &errs[i]);
		if (rc == RC_AGAIN && clock_monotonic_us() >= opening->deadline_us)
			rc = connect_timed_out(opening->conn, &errs[i]);
		if (rc != RC_AGAIN)
			opening_end(opening, rc, &conns[i], &errs[i]);
	}
}

static MUST_CHECK Rc
set_up(PgConn *conn, const PgConnOptions *options, Error *err)
{
	Rc rc = RC_OK;

	if (options->kind == PGCONN_DATA)
		rc = pooler_check(conn, options, err);
	if (rc == RC_OK && options->kind != PGCONN_PROBE)
		rc = pgconn_exec(conn, data_settings_sql, NULL, err);
	return rc;
}

/* Behind all connecting, which takes its time of the server's own. */
static MUST_CHECK Rc
set_up_all(PgConn **conns, const PgConnOptions *options, int count, Error *errs,
		   Error *err)
{
	for (int i = 0; i < count; i++)
	{
		Rc rc = RC_OK;

		if (conns[i] != NULL)
			rc = set_up(conns[i], &options[i], &errs[i]);
		if (rc == RC_OK)
			continue;
		pgconn_close(conns[i]);
		conns[i] = NULL;
		if (errs[i].code == ERR_INTERRUPTED)
		{
			error_take(err, &errs[i]);
			return RC_FAIL;
		}
	}
	return RC_OK;
}

static void
close_openings(Opening *openings, PgConn **conns, Error *errs, int count)
{
	for (int i = 0; i < count; i++)
	{
		pgconn_close(openings[i].conn);
		pgconn_close(conns[i]);
		conns[i] = NULL;
		error_reset(&errs[i]);
	}
}

Rc
pgconn_open_all(PgConn **conns, const PgConnOptions *options, int count,
				Error *errs, Error *err)
{
	Opening openings[PGCONN_OPENINGS_MAX];
	struct pollfd fds[PGCONN_OPENINGS_MAX];
	Rc rc = RC_OK;

	CHECK(count <= PGCONN_OPENINGS_MAX);
	for (int i = 0; i < count; i++)
	{
		conns[i] = NULL;
		if (opening_begin(&openings[i], &options[i], &errs[i]) != RC_OK)
			opening_end(&openings[i], RC_FAIL, &conns[i], &errs[i]);
	}
	while (rc == RC_OK || rc == RC_AGAIN)
	{
		rc = wait_for_openings(openings, fds, count, err);
		if (rc == RC_OK || rc == RC_AGAIN)
			work_openings(openings, fds, count, conns, errs);
	}
	if (rc == RC_END)
		rc = set_up_all(conns, options, count, errs, err);
	if (rc == RC_FAIL)
		close_openings(openings, conns, errs, count);
	return rc;
}

Rc
pgconn_open(PgConn **conn, const PgConnOptions *options, Error *err)
{
	PgConn *opened = NULL;
	Error failure = {0};
	Rc rc = pgconn_open_all(&opened, options, 1, &failure, err);

	if (rc != RC_OK)
		return rc;
	if (opened == NULL)
	{
		error_take(err, &failure);
		return RC_FAIL;
	}
	*conn = opened;
	return RC_OK;
}

/*
 * PQcancel() connects and waits as long as it takes, which a server that does
 * not answer can make for ever.  So it has a process of its own, and not much
 * time.  The end of the pipe tells that it is through.
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
		(void) poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1,
					CANCEL_MS_MAX);
		(void) kill(child, SIGKILL);
		(void) waitpid(child, NULL, 0);
	}
	close(ends[0]);
}

/* Tells the server to give up what it is doing for us, as far as it listens. */
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
		cancel_running(conn);
		PQfinish(conn->pg);
	}
	free(conn->label);
	free(conn);
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

int
pgconn_server_version_num(const PgConn *conn)
{
	return PQserverVersion(conn->pg);
}

/* Waits for the socket as long as there is patience. */
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

		/* While we send, the server may have to be listened to. */
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
	 * Of a connection that broke the last message may be here already, and
	 * tells why; otherwise libpq makes up a result of its own.
	 */
	if (rc != RC_OK && PQstatus(conn->pg) != CONNECTION_BAD)
		return rc;
	error_reset(err);
	*result = PQgetResult(conn->pg);
	return RC_OK;
}

/* Errors whose detail is the whole row, which has no place in a log. */
static bool
detail_shows_row(const char *sqlstate)
{
	return strcmp(sqlstate, "23502") == 0 || /* not_null_violation */
		   strcmp(sqlstate, "23514") == 0;   /* check_violation */
}

/* The server's own messages name it; those of triggers may not. */
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
	reason = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
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

		/* Of several statements that were sent, some may count nothing. */
		if (rc == RC_OK && PQcmdTuples(result)[0] != '\0')
			*rows = strtoll(PQcmdTuples(result), NULL, 10);
		PQclear(result);
		if (rc != RC_OK)
			return rc;
	}
}

/* Reads results to the end; keeps the last, or the first that is an error. */
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

/* Appends keyword='value' as a connection string wants it. */
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
 * What a role may have set and what would stop a child before its own settings
 * take effect.  Options of a connection win over settings of the role.  A child
 * does not wait for the disk after each of its statements: what it has done
 * counts when a later commit of ours says so, and that is durable after it.
 */
static const char child_options[] = "-c statement_timeout=0 -c lock_timeout=0"
									" -c idle_in_transaction_session_timeout=0"
									" -c default_transaction_read_only=off"
									" -c synchronous_commit=off"
									" -c jit=off";

/* The connection's own options come last, so that they win. */
static void
append_child_options(Buf *buf, const char *own)
{
	char *all = xasprintf("%s %s", child_options, own ? own : "");

	append_conninfo(buf, "options", all);
	free(all);
}

void
pgconn_child_conninfo(const PgConn *conn, char **conninfo, char **password)
{
	/* Set by us for this connection only, or not for passing on. */
	static const char *const ours[] = {
		"replication", "client_encoding", "fallback_application_name",
		/* Secrets have no place on a command line. */
		"password", "sslpassword"};
	PQconninfoOption *options = PQconninfo(conn->pg);
	const char *own_options = NULL;
	Buf buf;

	*password = NULL;
	buf_init(&buf, BUF_TEXT_MAX);
	for (PQconninfoOption *o = options; o && o->keyword; o++)
	{
		bool skip = o->val == NULL || o->val[0] == '\0';

		for (size_t i = 0; i < LENGTH_OF(ours); i++)
			skip = skip || strcmp(o->keyword, ours[i]) == 0;
		if (strcmp(o->keyword, "options") == 0)
			own_options = o->val;
		else if (!skip)
			append_conninfo(&buf, o->keyword, o->val);
	}
	append_child_options(&buf, own_options);
	PQconninfoFree(options);
	if (PQpass(conn->pg) != NULL && PQpass(conn->pg)[0] != '\0')
		*password = xstrdup(PQpass(conn->pg));
	*conninfo = xstrdup(buf.data ? buf.data : "");
	buf_release(&buf);
}
