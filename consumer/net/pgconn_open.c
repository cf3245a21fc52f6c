/*
 * pgconn_open.c
 *    Connects with libpq, with waits that a request to stop ends, and sets up
 *    the session.
 */
#include "net/pgconn_open.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/host_lookup.h"
#include "net/libpq_text.h"
#include "net/pooler.h"

#define SQLSTATE_LENGTH 5

/*
 * Settings for the session.  The role or the database may have others, which
 * would change the text of values or stop our work; SET in the session
 * overrides both.
 */
static const char data_settings_sql[] =
	/*
	 * Settings for how the server parses our statements and quotes identifiers.
	 */
	"SET standard_conforming_strings = on;"
	"SET quote_all_identifiers = off;"
	/*
	 * With array_nulls off the server reads NULL in an array as the text NULL.
	 */
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
	/* lc_monetary decides the text of money values. */
	"SET lc_monetary = 'C';"
	/* JIT compilation takes longer than any statement of ours. */
	"SET jit = off;"
	/* These settings do not exist in every version of PostgreSQL. */
	"SELECT pg_catalog.set_config(name, '0', false)"
	" FROM pg_catalog.pg_settings"
	" WHERE name IN ('transaction_timeout', 'idle_session_timeout')";

/* ---- why it failed ------------------------------------------------------ */

/*
 * Finds the SQLSTATE in libpq's message about a failed connection, for which
 * there is no PGresult.  With PQERRORS_VERBOSE the server's message is "FATAL:
 * 28P01: password …".  Copies the SQLSTATE to `sqlstate`; returns false if
 * there is none.
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

/* Whether the network, or the server, interrupted a TLS handshake. */
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

/*
 * Whether a connection failed for a reason that a person has to fix, according
 * to libpq's message.
 */
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

/*
 * Returns the message without its SQLSTATE and LOCATION, as one line.  The
 * caller frees it.
 */
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
	line = libpq_text_line(reason);
	free(reason);
	return line;
}

/*
 * Fills `err` for a connection that failed: ERR_CONNECT if another attempt can
 * help, else ERR_CONFIG.  A server that is starting, stopping or full may
 * accept us later; one that rejects the role, the password or the database will
 * not.
 */
static Rc
connect_failed(PgConn *conn, Error *err)
{
	const char *message = PQerrorMessage(pgconn_raw(conn));
	char sqlstate[SQLSTATE_LENGTH + 1] = "";
	bool from_server = find_sqlstate(message, sqlstate);
	char *reason = plain_reason(message, sqlstate);
	Rc rc = error_set(err, ERR_CONNECT, "could not connect to %s: %s",
					  pgconn_label(conn), reason);

	free(reason);
	error_sqlstate(err, sqlstate);
	if (from_server ? !error_is_transient(err)
					: needs_a_person(pgconn_raw(conn), message))
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
 * Fills `err` for a connection string that libpq cannot parse. libpq's message
 * quotes a part of the string, which may be a password or a piece of it, so we
 * leave that part out if the string may have a password.
 */
static Rc
cannot_be_read(const PgConn *conn, const char *conninfo, Error *err)
{
	char *reason = libpq_text_line(PQerrorMessage(pgconn_raw(conn)));
	bool hidden = may_have_password(conninfo);
	size_t plain = hidden ? strcspn(reason, "\"") : strlen(reason);
	const char *last = hidden ? strrchr(reason, '"') : NULL;
	Rc rc;

	rc = error_set(err, ERR_CONFIG, "could not connect to %s: %.*s%s%s",
				   pgconn_label(conn), (int) plain, reason,
				   last ? "\"...\"" : "", last ? last + 1 : "");
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
 * Fills `err` for a connection that failed at once.  Either the server refused
 * it, which a local socket reports at once: then libpq's message begins with
 * "connection to server".  Or libpq cannot parse the connection string.
 */
static Rc
start_failed(PgConn *conn, const char *conninfo, Error *err)
{
	static const char attempted[] = "connection to server";

	if (strncmp(PQerrorMessage(pgconn_raw(conn)), attempted,
				sizeof(attempted) - 1) == 0)
		return connect_failed(conn, err);
	return cannot_be_read(conn, conninfo, err);
}

/* ---- connecting --------------------------------------------------------- */

/*
 * Returns the parameters that libpq takes from the connection string, the
 * service file and the environment; the caller frees them.  There is no
 * function of libpq for that before it connects.  So we have it connect with a
 * value that no version of it accepts: it refuses that after it has read
 * everything, and before it reaches for the network.
 */
static PQconninfoOption *
read_parameters(const char *conninfo)
{
	static const char *const keywords[] = {"dbname", "target_session_attrs",
										   NULL};
	const char *const values[] = {conninfo, "not to be connected", NULL};
	PGconn *pg = PQconnectStartParams(keywords, values, 1);
	PQconninfoOption *parameters;

	CHECK(pg != NULL);
	parameters = PQconninfo(pg);
	PQfinish(pg);
	return parameters;
}

static const char *
parameter(const PQconninfoOption *parameters, const char *keyword)
{
	for (const PQconninfoOption *p = parameters; p && p->keyword; p++)
		if (strcmp(p->keyword, keyword) == 0)
			return p->val;
	return NULL;
}

static char *
copy_parameter(const PQconninfoOption *parameters, const char *keyword)
{
	const char *value = parameter(parameters, keyword);

	return xstrdup(value ? value : "");
}

/*
 * Starts to connect, without waiting, to the hosts that were looked up, if any.
 * TCP keepalives detect a peer that
 * vanished within half a minute; with the defaults of the operating system that
 * takes hours.
 */
static PGconn *
start_connection(const PgConnOptions *options, const HostList *found)
{
	const char *keywords[16];
	const char *values[16];
	int n = 0;

	/* Options before "dbname" can be overridden by the connection string. */
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
	if (found->host != NULL)
	{
		keywords[n] = "host";
		values[n++] = found->host;
		keywords[n] = "hostaddr";
		values[n++] = found->hostaddr;
		keywords[n] = "port";
		values[n++] = found->port;
	}
	keywords[n] = NULL;
	values[n] = NULL;
	return PQconnectStartParams(keywords, values, 1);
}

/* Returns connect_timeout in milliseconds; -1: no limit. */
static int64_t
connect_timeout_ms(const PQconninfoOption *parameters)
{
	const char *value = parameter(parameters, "connect_timeout");
	int64_t seconds = value != NULL ? strtol(value, NULL, 10)
									: PGCONN_CONNECT_TIMEOUT_S;

	return seconds <= 0 ? -1 : seconds * 1000;
}

static Rc
connect_timed_out(const PgConn *conn, int64_t connect_ms, Error *err)
{
	return error_set(err, ERR_CONNECT,
					 "could not connect to %s: no answer within %d seconds",
					 pgconn_label(conn), (int) (connect_ms / 1000));
}

static int64_t
connect_ms_of(const PQconninfoOption *parameters, const PgConnOptions *options)
{
	int64_t connect_ms = connect_timeout_ms(parameters);

	if (options->at_most_ms > 0 &&
		(connect_ms < 0 || connect_ms > options->at_most_ms))
		connect_ms = options->at_most_ms;
	return connect_ms;
}

/*
 * Waits until libpq's socket is ready for `events`, but not beyond the
 * deadline.
 */
static MUST_CHECK Rc
wait_for_socket(PgConn *conn, short events, int64_t deadline_us, Error *err)
{
	int fd = PQsocket(pgconn_raw(conn));
	int64_t left_ms = -1;

	if (fd < 0)
		return RC_OK;
	if (deadline_us != INT64_MAX)
	{
		left_ms = (deadline_us - clock_monotonic_us()) / 1000;
		if (left_ms < 0)
			left_ms = 0;
	}
	return interrupt_wait(fd, events, left_ms, err);
}

static MUST_CHECK Rc
wait_until_connected(PgConn *conn, int64_t connect_ms, int64_t deadline_us,
					 Error *err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK)
	{
		short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		Rc rc = wait_for_socket(conn, events, deadline_us, err);

		if (rc == RC_FAIL)
			return rc;
		if (rc == RC_OK)
			status = PQconnectPoll(pgconn_raw(conn));
		if (status == PGRES_POLLING_FAILED)
			return connect_failed(conn, err);
		if (status != PGRES_POLLING_OK && clock_monotonic_us() >= deadline_us)
			return connect_timed_out(conn, connect_ms, err);
	}
	return RC_OK;
}

/* What connecting needs to know. */
typedef struct Connecting
{
	const PgConnOptions *options;
	int64_t connect_ms;  /* time that it may take; -1: no limit */
	int64_t deadline_us; /* when that is over, monotonic; INT64_MAX: never */
	HostList asked;      /* hosts that the user has asked for */
	HostList found;      /* the same with addresses; empty: not looked up */
} Connecting;

static void
begin_connecting(Connecting *self, const PgConnOptions *options)
{
	PQconninfoOption *parameters = read_parameters(options->conninfo);

	*self = (Connecting){.options = options, .deadline_us = INT64_MAX};
	self->connect_ms = connect_ms_of(parameters, options);
	if (self->connect_ms >= 0)
		self->deadline_us = clock_monotonic_us() + self->connect_ms * 1000;
	self->asked.host = copy_parameter(parameters, "host");
	self->asked.hostaddr = copy_parameter(parameters, "hostaddr");
	self->asked.port = copy_parameter(parameters, "port");
	PQconninfoFree(parameters);
}

static void
end_connecting(Connecting *self)
{
	host_list_release(&self->asked);
	host_list_release(&self->found);
}

/* Waits until libpq has connected to what it was given. */
static MUST_CHECK Rc
finish_connection(PgConn *conn, const Connecting *self, Error *err)
{
	PGconn *pg = pgconn_raw(conn);
	const PgConnOptions *options = self->options;
	Rc rc;

	PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
	if (PQstatus(pg) == CONNECTION_BAD)
		rc = start_failed(conn, options->conninfo, err);
	else
	{
		if (options->impatient || options->at_most_ms > 0)
			pgconn_set_patience(conn, self->connect_ms);
		rc = wait_until_connected(conn, self->connect_ms, self->deadline_us,
								  err);
	}
	PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
	if (rc == RC_OK && PQsetnonblocking(pg, 1) != 0)
		rc = pgconn_connection_error(conn, "could not set up", err);
	return rc;
}

static MUST_CHECK Rc
connect_to_hosts(PgConn **conn, Connecting *self, Error *err)
{
	PgConn *made = pgconn_new(start_connection(self->options, &self->found),
							  self->options->label);
	Rc rc;

	if (self->found.host != NULL)
		pgconn_set_asked_hosts(made, &self->asked);
	rc = finish_connection(made, self, err);
	if (rc == RC_OK)
		*conn = made;
	else
		pgconn_close(made);
	return rc;
}

/* Connects; runs no statement in the session. */
static MUST_CHECK Rc
connect_plain(PgConn **conn, const PgConnOptions *options, Error *err)
{
	Connecting connecting;
	Rc rc = RC_OK;

	begin_connecting(&connecting, options);
	if (host_lookup_is_needed(&connecting.asked))
		rc = host_lookup(&connecting.asked, options->label,
						 connecting.deadline_us, &connecting.found, err);
	if (rc == RC_OK)
		rc = connect_to_hosts(conn, &connecting, err);
	end_connecting(&connecting);
	return rc;
}

/* ---- setting up --------------------------------------------------------- */

/*
 * If there is a pooler, checks with a second connection whether it keeps
 * sessions: see pooler.h.
 */
static MUST_CHECK Rc
check_pooler(PgConn *conn, const PgConnOptions *options, Error *err)
{
	PgConn *other = NULL;
	int pid = 0;
	Rc rc = pooler_find(conn, &pid, err);

	if (rc != RC_OK || pid == 0)
		return rc;
	rc = connect_plain(&other, options, err);
	if (rc == RC_OK)
		rc = pooler_check(conn, pid, other, options->at_most_ms, err);
	pgconn_close(other);
	if (rc == RC_FAIL && err->code == ERR_CONNECT)
	{
		error_reset(err);
		rc = pooler_check_alone(conn, pid, err);
		rc = rc == RC_OK ? RC_AGAIN : rc;
	}
	if (rc != RC_AGAIN)
		return rc;
	log_debug("connect",
			  "%s is behind a connection pooler that has no second session",
			  pgconn_label(conn));
	return RC_OK;
}

static MUST_CHECK Rc
set_up(PgConn *conn, const PgConnOptions *options, Error *err)
{
	Rc rc = RC_OK;

	if (options->kind == PGCONN_DATA && !options->is_again)
		rc = check_pooler(conn, options, err);
	if (rc == RC_OK && options->kind != PGCONN_PROBE)
		rc = pgconn_exec(conn, data_settings_sql, NULL, err);
	return rc;
}

Rc
pgconn_open(PgConn **conn, const PgConnOptions *options, Error *err)
{
	PgConn *opened = NULL;
	Rc rc;

	ASSERT(options->conninfo != NULL && options->label != NULL);
	ASSERT(options->application_name != NULL && options->at_most_ms >= 0);
	rc = connect_plain(&opened, options, err);

	if (rc == RC_OK)
		rc = set_up(opened, options, err);
	if (rc == RC_OK)
		*conn = opened;
	else
		pgconn_close(opened);
	return rc;
}
