/*
 * moved_table.c
 *    SQL on penstock.moved.
 */
#include "control/moved_table.h"

#include "control/schema.h"

/*
 * Operators and types have their schema, because the statements run under the
 * search_path of users.
 */
#define PIPELINE_SQL                                                           \
	" WHERE pipeline OPERATOR(pg_catalog.=) $1::pg_catalog.text"

const char moved_table_read_sql[] =
	"SELECT column_name, value FROM penstock.moved" PIPELINE_SQL
	" AND end_lsn OPERATOR(pg_catalog.=) $2::pg_catalog.pg_lsn"
	" AND change OPERATOR(pg_catalog.=) $3::bigint";

const char moved_table_forget_sql[] =
	"DELETE FROM penstock.moved" PIPELINE_SQL
	" AND end_lsn OPERATOR(pg_catalog.>) $2::pg_catalog.pg_lsn"
	" AND end_lsn OPERATOR(pg_catalog.<=) $3::pg_catalog.pg_lsn";

Rc
moved_table_is_used(PgConn *target, const char *pipeline, bool *used,
					Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = control_has(target, "moved", used, err);

	if (rc != RC_OK || !*used)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT FROM penstock.moved WHERE pipeline = $1"
							" LIMIT 1",
							LENGTH_OF(params), params, &result, err);
	*used = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}
