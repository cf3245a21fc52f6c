/*
 * fence.c
 *    SQL on penstock.fence, and its advisory lock.
 */
#include "control/fence.h"

#include <stdio.h>

#include "control/schema.h"

/*
 * The two keys of the advisory lock of a fence; $1 is the name of the pipeline.
 */
#define LOCK_KEYS_SQL                                                          \
	"pg_catalog.hashtext('penstock fence'), pg_catalog.hashtext($1)"

/*
 * Makes the server end the session within half a minute if the client's machine
 * disappears, so that the fence does not stay.
 */
static const char keepalive_sql[] = "SET tcp_keepalives_idle = 10;"
									"SET tcp_keepalives_interval = 5;"
									"SET tcp_keepalives_count = 3";

Rc
fence_take(PgConn *target, const char *pipeline, bool *taken, Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target, keepalive_sql, NULL, err);

	if (rc == RC_OK)
		rc = pgconn_exec_params(
			target, "SELECT pg_catalog.pg_try_advisory_lock(" LOCK_KEYS_SQL ")",
			LENGTH_OF(params), params, &result, err);
	*taken = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
fence_write(PgConn *target, const char *pipeline, Lsn lsn, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.fence (pipeline, lsn) VALUES ($1, $2::pg_lsn)"
		" ON CONFLICT (pipeline) DO UPDATE SET lsn = excluded.lsn";
	char position[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, position};

	ASSERT(pgconn_can_be_inside(target));
	CHECK(lsn != 0);
	snprintf(position, sizeof(position), LSN_FORMAT, LSN_ARGS(lsn));
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
fence_read(PgConn *target, const char *pipeline, Lsn *lsn, Error *err)
{
	static const char sql[] =
		"WITH key (class, object) AS (SELECT " LOCK_KEYS_SQL ")"
		" SELECT f.lsn FROM penstock.fence f WHERE f.pipeline = $1"
		" AND EXISTS (SELECT FROM pg_catalog.pg_locks l, key,"
		"  pg_catalog.pg_database d WHERE l.locktype = 'advisory'"
		"  AND l.granted AND d.datname = pg_catalog.current_database()"
		"  AND l.database = d.oid AND l.classid = key.class::oid"
		"  AND l.objid = key.object::oid AND l.objsubid = 2)";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "fence", &exists, err);

	*lsn = 0;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK && exists && PQntuples(result) == 1 &&
		!lsn_parse(PQgetvalue(result, 0, 0), lsn))
		rc = error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
					   PQgetvalue(result, 0, 0), pgconn_label(target));
	PQclear(result);
	return rc;
}

Rc
fence_remove(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};

	return pgconn_exec_params(target,
							  "DELETE FROM penstock.fence WHERE pipeline = $1",
							  LENGTH_OF(params), params, NULL, err);
}
