/*
 * blocked.c
 *    Queries pg_stat_activity, pg_locks and pg_blocking_pids().
 */
#include "net/blocked.h"

#include <ctype.h>
#include <string.h>

/* Largest numbers of waiting sessions, and of those that they wait for. */
#define WAITING_MAX "3"

/* Bytes of a statement that are told. */
#define STATEMENT_MAX 200

/*
 * Our sessions: those with the application name of this one, which a connection
 * string may set, or with one that begins like ours.
 */
#define OURS_SQL                                                               \
	" a.datname = current_database() AND a.usename = current_user"             \
	" AND a.pid <> pg_catalog.pg_backend_pid()"                                \
	" AND (a.application_name LIKE 'penstock%'"                                \
	"  OR a.application_name = pg_catalog.current_setting("                    \
	"  'application_name'))"

/*
 * Columns: a sentence about a session that waits and the first one that it
 * waits for, and that one's statement.  Who waits for a row waits for the
 * transaction that has changed it, and has a lock on the row ("tuple"), which
 * names the table.
 */
static const char waiting_sql[] =
	"SELECT pg_catalog.format('Session %s has waited since %s for %s on %s,"
	" which session %s has (user \"%s\", application \"%s\", %s, in a"
	" transaction since %s)', a.pid, a.query_start::timestamptz(0), l.mode,"
	" coalesce('table ' || coalesce(l.relation, t.relation)::regclass::text,"
	"  l.locktype), b.pid, b.usename, b.application_name, b.state,"
	" coalesce(b.xact_start::timestamptz(0)::text, '?')), b.query"
	" FROM pg_catalog.pg_stat_activity a"
	" JOIN pg_catalog.pg_locks l ON l.pid = a.pid AND NOT l.granted"
	" LEFT JOIN LATERAL (SELECT t.relation FROM pg_catalog.pg_locks t"
	"  WHERE t.pid = a.pid AND t.locktype = 'tuple' AND t.granted"
	"  LIMIT 1) t ON true"
	" JOIN pg_catalog.pg_stat_activity b"
	"  ON b.pid = (pg_catalog.pg_blocking_pids(a.pid))[1]"
	" WHERE" OURS_SQL " ORDER BY a.query_start LIMIT " WAITING_MAX;

/* Columns: a sentence about the session of ours that has worked longest. */
static const char working_sql[] =
	"SELECT pg_catalog.format('Session %s waits for no lock; it has worked"
	" since %s (%s)', a.pid, a.query_start::timestamptz(0),"
	" coalesce(a.wait_event_type || ': ' || a.wait_event, 'on the CPU')),"
	" a.query"
	" FROM pg_catalog.pg_stat_activity a WHERE a.state = 'active' AND" OURS_SQL
	" ORDER BY a.query_start LIMIT 1";

/* Returns the end of a text in quotes, or of a number, that begins at `c`. */
static const char *
skip_value(const char *c)
{
	if (*c != '\'')
		return c + strspn(c, "0123456789.");
	c++;
	while (*c != '\0' && (c[0] != '\'' || c[1] == '\''))
		c += c[0] == '\'' || (c[0] == '\\' && c[1] != '\0') ? 2 : 1;
	return *c == '\'' ? c + 1 : c;
}

void
blocked_append_statement(Buf *text, const char *statement, size_t length_max)
{
	size_t end = text->length + length_max;
	char before = ' ';

	for (const char *c = statement; *c != '\0' && text->length < end;)
	{
		bool in_word = isalnum((unsigned char) before) || before == '_' ||
					   before == '"' || before == '$' || (before & 0x80) != 0;

		if (*c == '\'' || (isdigit((unsigned char) *c) && !in_word))
		{
			buf_append_char(text, '?');
			c = skip_value(c);
			before = '?';
			continue;
		}
		/* Nobody quotes with dollars by chance: the rest is left out. */
		if (*c == '$' && !isdigit((unsigned char) c[1]) && !in_word)
		{
			buf_append_string(text, "…");
			return;
		}
		before = *c++;
		buf_append_char(text, isspace((unsigned char) before) ? ' ' : before);
	}
}

/* Appends a sentence for each row. */
static MUST_CHECK Rc
append_rows(PgConn *conn, const char *sql, const char *what, Buf *text,
			Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn, sql, &result, err);

	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		buf_printf(text, "%s: %s ", PQgetvalue(result, i, 0), what);
		blocked_append_statement(text, PQgetvalue(result, i, 1), STATEMENT_MAX);
		buf_append_string(text, ".  ");
	}
	PQclear(result);
	return rc;
}

Rc
blocked_describe(PgConn *conn, Buf *text, Error *err)
{
	size_t begin = text->length;
	Rc rc = append_rows(conn, waiting_sql, "its last statement is", text, err);

	if (rc == RC_OK && text->length == begin)
		rc = append_rows(conn, working_sql, "its statement is", text, err);
	return rc;
}
