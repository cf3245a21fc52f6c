/*
 * retention.c
 *    Asks pg_replication_slots, and calls pg_logical_emit_message().
 */
#include "source/retention.h"

#include <stdio.h>
#include <stdlib.h>

static MUST_CHECK Rc
parse_position(const PGresult *result, int column, Lsn *lsn, Error *err)
{
	const char *text = PQgetvalue(result, 0, column);

	*lsn = 0;
	if (PQgetisnull(result, 0, column) || lsn_parse(text, lsn))
		return RC_OK;
	return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from source",
					 text);
}

static MUST_CHECK Rc
parse(const PGresult *result, Retention *retention, Error *err)
{
	Rc rc = parse_position(result, 0, &retention->wal_end_lsn, err);

	if (rc == RC_OK)
		rc = parse_position(result, 2, &retention->restart_lsn, err);
	retention->has_slot = PQgetvalue(result, 0, 1)[0] == 't';
	snprintf(retention->wal_status, sizeof(retention->wal_status), "%s",
			 PQgetvalue(result, 0, 3));
	retention->has_safe_wal_size = !PQgetisnull(result, 0, 4);
	retention->safe_wal_size = strtoll(PQgetvalue(result, 0, 4), NULL, 10);
	return rc;
}

Rc
retention_read(PgConn *source, const char *slot, Retention *retention,
			   Error *err)
{
	static const char sql[] =
		"SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
		" THEN pg_catalog.pg_last_wal_replay_lsn()"
		" ELSE pg_catalog.pg_current_wal_flush_lsn() END,"
		" s.slot_name IS NOT NULL, s.restart_lsn, s.wal_status,"
		" s.safe_wal_size"
		" FROM (SELECT 1) AS one"
		" LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = $1";
	const char *params[] = {slot};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(source, sql, 1, params, &result, err);

	*retention = (Retention){0};
	if (rc == RC_OK)
		rc = parse(result, retention, err);
	PQclear(result);
	return rc;
}

Rc
retention_write_message(PgConn *source, Lsn *lsn, Error *err)
{
	static const char sql[] =
		"SELECT pg_catalog.pg_logical_emit_message(true, 'penstock',"
		" 'heartbeat') WHERE NOT pg_catalog.pg_is_in_recovery()";
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source, sql, &result, err);

	*lsn = 0;
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = parse_position(result, 0, lsn, err);
	PQclear(result);
	return rc;
}
