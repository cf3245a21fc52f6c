/*
 * verified_table.c
 *    SQL on penstock.verified.
 */
#include "control/verified_table.h"

#include <stdlib.h>

#include "control/schema.h"
#include "net/sql.h"

/* The condition on progress keeps a pipeline that was dropped meanwhile from
 * getting a row again. */
Rc
verified_table_write(PgConn *target, const char *pipeline, bool is_different,
					 bool is_complete, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.verified (pipeline, different, complete,"
		" verified_at) SELECT p.pipeline, $2::boolean, $3::boolean,"
		" pg_catalog.clock_timestamp()"
		" FROM penstock.progress p WHERE p.pipeline = $1"
		" ON CONFLICT (pipeline) DO UPDATE SET different = excluded.different,"
		" complete = excluded.complete, verified_at = excluded.verified_at";
	const char *params[] = {pipeline, is_different ? "t" : "f",
							is_complete ? "t" : "f"};
	bool exists;
	Rc rc = control_has(target, "verified", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
								err);
	return rc;
}

Rc
verified_table_read(PgConn *target, const char *pipeline, Arena *arena,
					VerifiedRow *row, Error *err)
{
	static const char sql[] =
		"SELECT different, complete, verified_at::timestamptz(0),"
		" extract(epoch FROM pg_catalog.clock_timestamp() - verified_at)"
		" FROM penstock.verified WHERE pipeline = $1";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "verified", &exists, err);

	*row = (VerifiedRow){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK && PQntuples(result) == 1)
		*row = (VerifiedRow){
			.exists = true,
			.is_different = sql_bool(result, 0, 0),
			.is_complete = sql_bool(result, 0, 1),
			.verified_at = arena_strdup(arena, PQgetvalue(result, 0, 2)),
			.age_s = strtod(PQgetvalue(result, 0, 3), NULL),
		};
	PQclear(result);
	return rc;
}
