/*
 * out_of_room.c
 *    Queries how many locks other sessions hold.
 */
#include "sink/postgres/apply/out_of_room.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * out_of_memory, which is also the error for a full lock table in shared memory
 */
#define OUT_OF_MEMORY_SQLSTATE "53200"

#define LOCKS_SETTING          "max_locks_per_transaction"

/*
 * Returns the setting; how many locks the server's lock table has room for, by
 * the formula in PostgreSQL's documentation; and how many locks other sessions
 * have in it.  Fast-path locks are not in that table.
 */
static const char locks_sql[] =
	"SELECT current_setting('" LOCKS_SETTING "'),"
	" current_setting('" LOCKS_SETTING "')::bigint * (SELECT"
	" sum(setting::bigint) FROM pg_catalog.pg_settings WHERE name IN"
	" ('max_connections', 'autovacuum_max_workers', 'max_worker_processes',"
	" 'max_wal_senders', 'max_prepared_transactions')),"
	" (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT fastpath"
	" AND pid IS DISTINCT FROM pg_catalog.pg_backend_pid())";

bool
out_of_room_is(const Error *failure)
{
	return strcmp(failure->sqlstate, OUT_OF_MEMORY_SQLSTATE) == 0;
}

/*
 * Whether an out_of_memory error is about the lock table: then the server's
 * hint has the name of the setting, in every language.
 */
static bool
is_about_locks(const Error *failure)
{
	return out_of_room_is(failure) && failure->hint != NULL &&
		   strstr(failure->hint, LOCKS_SETTING) != NULL;
}

static void
set_too_many(PgConn *target, const PGresult *result, Error *failure)
{
	char *context = failure->context ? xstrdup(failure->context) : NULL;
	Rc rc = error_set(failure, ERR_LIMIT,
					  "a transaction needs more locks than %s has room for",
					  pgconn_label(target));

	ASSERT(rc == RC_FAIL);
	ASSERT(PQntuples(result) == 1);
	(void) rc;
	error_sqlstate(failure, OUT_OF_MEMORY_SQLSTATE);
	error_detail(failure,
				 "There, " LOCKS_SETTING " is %s: room for about %s locks, of "
				 "which others have %s.  Each table that the transaction "
				 "changes takes one, and one for each of its indexes.",
				 PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
				 PQgetvalue(result, 0, 2));
	error_hint(failure, "Raise " LOCKS_SETTING " on the target, restart that "
						"server, and follow again.");
	if (context != NULL)
		error_context(failure, "%s", context);
	free(context);
}

void
out_of_room_explain(PgConn *target, Error *failure)
{
	PGresult *result = NULL;
	Error ignored = {0};
	Rc rc;

	if (!is_about_locks(failure))
		return;
	rc = pgconn_exec(target, locks_sql, &result, &ignored);
	if (rc == RC_OK && strtoll(PQgetvalue(result, 0, 2), NULL, 10) <
						   strtoll(PQgetvalue(result, 0, 1), NULL, 10) / 2)
		set_too_many(target, result, failure);
	PQclear(result);
	error_reset(&ignored);
}
