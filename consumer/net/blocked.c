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
	" a.datname = current_database() AND a.usename = session_user"             \
	" AND a.pid <> pg_catalog.pg_backend_pid()"                                \
	" AND (a.application_name LIKE 'penstock%'"                                \
	"  OR a.application_name = pg_catalog.current_setting("                    \
	"  'application_name'))"

/*
 * Columns: a sentence about a session that waits and the first one that it
 * waits for, and that one's statement; NULL for a prepared transaction, whose
 * PID is 0.  Who waits for a row waits for the transaction that has changed it,
 * and has a lock on the row ("tuple"), which names the table.
 */
static const char waiting_sql[] =
	"SELECT pg_catalog.format('Session %s has waited since %s for %s on %s,"
	" which ', a.pid, a.query_start::timestamptz(0), l.mode,"
	" coalesce('table ' || coalesce(l.relation, t.relation)::regclass::text,"
	"  l.locktype))"
	" || CASE WHEN w.pid = 0"
	" THEN 'a prepared transaction (see pg_prepared_xacts) has'"
	" ELSE pg_catalog.format('session %s has (user \"%s\", application \"%s\","
	" %s, in a transaction since %s)', w.pid, b.usename, b.application_name,"
	"  b.state, coalesce(b.xact_start::timestamptz(0)::text, '?')) END, b.query"
	" FROM pg_catalog.pg_stat_activity a"
	" JOIN pg_catalog.pg_locks l ON l.pid = a.pid AND NOT l.granted"
	" LEFT JOIN LATERAL (SELECT t.relation FROM pg_catalog.pg_locks t"
	"  WHERE t.pid = a.pid AND t.locktype = 'tuple' AND t.granted"
	"  LIMIT 1) t ON true"
	" JOIN LATERAL (SELECT (pg_catalog.pg_blocking_pids(a.pid))[1]) w(pid)"
	"  ON w.pid IS NOT NULL"
	" LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = w.pid"
	" WHERE" OURS_SQL " ORDER BY a.query_start LIMIT " WAITING_MAX;

/* Columns: a sentence about the session of ours that has worked longest. */
static const char working_sql[] =
	"SELECT pg_catalog.format('Session %s waits for no lock; it has worked"
	" since %s (%s)', a.pid, a.query_start::timestamptz(0),"
	" coalesce(a.wait_event_type || ': ' || a.wait_event, 'on the CPU')),"
	" a.query"
	" FROM pg_catalog.pg_stat_activity a WHERE a.state = 'active' AND" OURS_SQL
	" ORDER BY a.query_start LIMIT 1";

/* Whether a character can be part of a name, a keyword or a number. */
static bool
is_in_word(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' ||
		   (c & 0x80) != 0;
}

/*
 * Returns the character after a text in quotes that begins at `c`, or NULL if
 * it is not certain where the text ends.
 *
 * Only E'…' has escapes with backslashes, unless standard_conforming_strings is
 * off.  Nobody knows that of the session of somebody else, so a backslash
 * before a quote is not certain to escape it, or not to.
 */
static const char *
skip_text(const char *c, bool has_escapes)
{
	c++;
	while (*c != '\0' && (c[0] != '\'' || c[1] == '\''))
	{
		if (!has_escapes && c[0] == '\\' && c[1] == '\'')
			return NULL;
		c += c[0] == '\'' || (has_escapes && c[0] == '\\' && c[1] != '\0') ? 2
																		   : 1;
	}
	if (*c == '\0')
		return c;
	/* Two texts, or a quote that a statement with an error has too much. */
	return is_in_word(c[1]) ? NULL : c + 1;
}

/* Returns the character after a number: 12.5, 0x1F, 1_000, 1e9. */
static const char *
skip_number(const char *c)
{
	while (is_in_word(*c) || *c == '.')
		c++;
	return c;
}

/* Returns the character after a quoted name that begins at `c`. */
static const char *
skip_name(const char *c)
{
	c++;
	while (*c != '\0' && (c[0] != '"' || c[1] == '"'))
		c += c[0] == '"' ? 2 : 1;
	return *c == '"' ? c + 1 : c;
}

/*
 * Whether at `c` something begins that may hold values, and whose end is hard
 * to find: a comment, or a text in dollar quotes.
 */
static bool
is_obscure(const char *c)
{
	return (c[0] == '-' && c[1] == '-') || (c[0] == '/' && c[1] == '*') ||
		   (c[0] == '$' && !isdigit((unsigned char) c[1]));
}

/* Whether an E is before the quote at `c`. */
static bool
has_prefix_e(const char *statement, const char *c)
{
	return c > statement && (c[-1] == 'E' || c[-1] == 'e') &&
		   (c - 1 == statement || !is_in_word(c[-2]));
}

/*
 * Returns the character after the token at `c`; *is_value tells whether it is a
 * value.  NULL: what comes may hold values, but not where.
 */
static const char *
skip_token(const char *statement, const char *c, bool *is_value)
{
	*is_value = *c == '\'' || isdigit((unsigned char) *c);
	if (is_obscure(c))
		return NULL;
	if (*c == '\'')
		return skip_text(c, has_prefix_e(statement, c));
	if (*c == '"')
		return skip_name(c);
	if (isdigit((unsigned char) *c))
		return skip_number(c);
	if (!is_in_word(*c))
		return c + 1;
	while (is_in_word(*c))
		c++;
	return c;
}

/* Appends a part of a statement, up to the first character at the limit. */
static void
append_part(Buf *text, const char *part, const char *end, size_t limit)
{
	/* The bytes 10xxxxxx continue a character of UTF-8. */
	while (part < end && (text->length < limit || (*part & 0xC0) == 0x80))
	{
		buf_append_char(text, isspace((unsigned char) *part) ? ' ' : *part);
		part++;
	}
}

void
blocked_append_statement(Buf *text, const char *statement, size_t length_max)
{
	size_t limit = text->length + length_max;

	for (const char *c = statement; *c != '\0' && text->length < limit;)
	{
		bool is_value;
		const char *end = skip_token(statement, c, &is_value);

		if (end == NULL)
		{
			buf_append_string(text, "…");
			return;
		}
		if (is_value)
			buf_append_char(text, '?');
		else
			append_part(text, c, end, limit);
		c = end;
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
		buf_append_string(text, PQgetvalue(result, i, 0));
		if (!PQgetisnull(result, i, 1))
		{
			buf_printf(text, ": %s ", what);
			blocked_append_statement(text, PQgetvalue(result, i, 1),
									 STATEMENT_MAX);
		}
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
