/*
 * moved_table.c
 *    SQL around penstock.moved.
 */
#include "sink/postgres/moved_table.h"

#include "net/own_schema.h"

/* Columns as in model/moved.h.  */
static const char create_sql[] = OWN_SCHEMA_LOCK_SQL
	"CREATE TABLE IF NOT EXISTS penstock.moved ("
	" pipeline text NOT NULL,"
	" end_lsn pg_lsn NOT NULL,"
	" change bigint NOT NULL,"
	" column_name text NOT NULL,"
	" value bytea,"
	" PRIMARY KEY (pipeline, end_lsn, change, column_name))";

/* These run under the search path of users. */
#define PIPELINE_SQL                                                           \
	" WHERE pipeline OPERATOR(pg_catalog.=) $1::pg_catalog.text"

const char moved_table_read_sql[] =
	"SELECT column_name, value FROM penstock.moved" PIPELINE_SQL
	" AND end_lsn OPERATOR(pg_catalog.=) $2::pg_catalog.pg_lsn"
	" AND change OPERATOR(pg_catalog.=) $3::bigint";

const char moved_table_forget_sql[] =
	"DELETE FROM penstock.moved" PIPELINE_SQL
	" AND end_lsn OPERATOR(pg_catalog.<=) $2::pg_catalog.pg_lsn";

Rc
moved_table_create(PgConn *target, Error *err)
{
	return own_table_create(target, "moved", create_sql, err);
}

Rc
moved_table_is_used(PgConn *target, const char *pipeline, bool *used,
					Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = own_table_exists(target, "moved", used, err);

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

Rc
moved_table_remove(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = own_table_exists(target, "moved", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(
			target, "DELETE FROM penstock.moved WHERE pipeline = $1",
			LENGTH_OF(params), params, NULL, err);
	return rc;
}
