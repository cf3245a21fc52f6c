/*
 * lock_holders.c
 *    Queries pg_locks.
 */
#include "sink/postgres/apply/lock_holders.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

/* Largest number of sessions that are listed. */
#define HOLDERS_MAX "5"

/*
 * Parameters: the statement, and the PID of the failed session.  A statement
 * has names of tables in quotes, except inside definitions from the server.
 */
static const char holders_sql[] =
	"SELECT string_agg(h.text, '; ' ORDER BY h.since, h.pid) FROM ("
	"SELECT a.pid, a.xact_start AS since, format('session %s (user \"%s\","
	" application \"%s\", query from %s) holds %s', a.pid, a.usename,"
	" a.application_name, coalesce(a.query_start::timestamptz(0)::text, '?'),"
	" string_agg(DISTINCT format('%s on table %I.%I', l.mode, n.nspname,"
	"  c.relname), ', ')) AS text"
	" FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
	" JOIN pg_class c ON c.oid = l.relation"
	" JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE l.granted AND l.locktype = 'relation' AND l.pid <> $2::int4"
	" AND l.database = (SELECT oid FROM pg_database"
	"  WHERE datname = current_database())"
	" AND c.relkind IN ('r', 'p')"
	" AND (strpos($1, format('\"%s\".\"%s\"', replace(n.nspname, '\"', '\"\"'),"
	"   replace(c.relname, '\"', '\"\"'))) > 0"
	"  OR strpos($1, format('%I.%I', n.nspname, c.relname)) > 0)"
	" GROUP BY a.pid, a.usename, a.application_name, a.query_start,"
	"  a.xact_start ORDER BY a.xact_start LIMIT " HOLDERS_MAX ") h";

bool
lock_holders_matter(const Error *failure)
{
	return strcmp(failure->sqlstate, "55P03") == 0;
}

void
lock_holders_add(PgConn *aside, const PgConn *conn, const char *statement,
				 Error *failure)
{
	char pid[16];
	const char *const params[] = {statement, pid};
	PGresult *result = NULL;
	Error ignored = {0};

	ASSERT(aside != conn);
	snprintf(pid, sizeof(pid), "%d", PQbackendPID(pgconn_raw(conn)));
	if (pgconn_exec_params(aside, holders_sql, LENGTH_OF(params), params,
						   &result, &ignored) == RC_FAIL)
	{
		error_reset(&ignored);
		return;
	}
	if (!PQgetisnull(result, 0, 0))
		error_detail(failure, "On %s, %s.", pgconn_label(aside),
					 PQgetvalue(result, 0, 0));
	PQclear(result);
}
