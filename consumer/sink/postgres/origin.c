/*
 * origin.c
 *    Replication origins, by the server's functions.
 */
#include "sink/postgres/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * The origin's name is the pipeline's behind this; with a slash, which no
 * pipeline's name can have, and a number, for those beyond the first.  Origins
 * are the whole server's, so the database is in the name: several nodes of a
 * pipeline may be databases of one server.
 */
#define ORIGIN_PREFIX "penstock_"
#define DATABASE_SQL                                                           \
	"(SELECT '@' || oid FROM pg_catalog.pg_database"                           \
	" WHERE datname = current_database())"
#define NAME_SQL "$1 || " DATABASE_SQL

/* Refusals that leave us without a mark, and nothing worse. */
static bool
is_no_origin_here(const Error *err)
{
	static const char *const sqlstates[] = {
		"42501", /* insufficient_privilege */
		"55000", /* object_not_in_prerequisite_state: max_replication_slots = 0
				  */
		"53400", /* configuration_limit_exceeded: no free state */
	};

	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
		if (strcmp(err->sqlstate, sqlstates[i]) == 0)
			return true;
	return false;
}

static MUST_CHECK Rc
call(PgConn *target, const char *sql, const char *pipeline, int number,
	 PGresult **result, Error *err)
{
	char *name = number == 0
					 ? xasprintf("%s%s", ORIGIN_PREFIX, pipeline)
					 : xasprintf("%s%s/%d", ORIGIN_PREFIX, pipeline, number);
	const char *params[] = {name};
	Rc rc = pgconn_exec_params(target, sql, 1, params, result, err);

	free(name);
	return rc;
}

Rc
origin_set_up(PgConn *target, const char *pipeline, int number, bool *marked,
			  Error *err)
{
	Rc rc = call(target,
				 "SELECT pg_catalog.pg_replication_origin_create(" NAME_SQL
				 ") WHERE pg_catalog.pg_replication_origin_oid(" NAME_SQL
				 ") IS NULL",
				 pipeline, number, NULL, err);

	if (rc == RC_OK)
		rc = call(
			target,
			"SELECT pg_catalog.pg_replication_origin_session_setup(" NAME_SQL
			")",
			pipeline, number, NULL, err);
	*marked = rc == RC_OK;
	if (rc == RC_FAIL && is_no_origin_here(err))
	{
		error_reset(err);
		return RC_OK;
	}
	return rc;
}

Rc
origin_drop(PgConn *target, const char *pipeline, bool *removed, Error *err)
{
	PGresult *result = NULL;
	Rc rc = call(target,
				 "SELECT pg_catalog.pg_replication_origin_drop(roname)"
				 " FROM pg_catalog.pg_replication_origin"
				 " WHERE roname = " NAME_SQL " OR roname LIKE"
				 " replace($1, '_', '\\_') || '/%' || " DATABASE_SQL,
				 pipeline, 0, &result, err);

	*removed = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	if (rc == RC_FAIL && is_no_origin_here(err))
	{
		error_reset(err);
		return RC_OK;
	}
	return rc;
}
