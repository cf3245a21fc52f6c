/*
 * citus.c
 *    Finds Citus by its row in pg_extension.
 */
#include "net/citus.h"

Rc
citus_refuse(PgConn *conn, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn,
						"SELECT extversion FROM pg_catalog.pg_extension"
						" WHERE extname = 'citus'",
						&result, err);

	if (rc == RC_OK && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "database \"%s\" of %s has the extension citus %s, "
					   "which is not supported",
					   PQdb(pgconn_raw(conn)), pgconn_label(conn),
					   PQgetvalue(result, 0, 0));
		error_detail(err,
					 "Changes to distributed tables are in the WAL of the "
					 "workers, not in the coordinator's, and what is written "
					 "through a coordinator is not committed together with "
					 "the progress of the pipeline.");
		error_hint(err,
				   "Use a database without Citus: several targets with "
				   "placement hash(...) spread tables over ordinary servers; "
				   "or drop the extension, if nothing there uses it.");
	}
	PQclear(result);
	return rc;
}
