/*
 * switch_table.c
 *    SQL on penstock.switch, and its advisory lock.
 */
#include "control/switch_table.h"

#include <stdio.h>
#include <string.h>

#include "control/schema.h"

/* The two keys of the advisory lock of a move; $1 is its name. */
#define LOCK_KEYS_SQL                                                          \
	"pg_catalog.hashtext('penstock switch'), pg_catalog.hashtext($1)"

/*
 * Makes the server end the session within half a minute if the client's machine
 * disappears, and the lock with it.
 */
static const char keepalive_sql[] = "SET tcp_keepalives_idle = 10;"
									"SET tcp_keepalives_interval = 5;"
									"SET tcp_keepalives_count = 3";

static const char *const names[] = {
	[SWITCH_NONE] = "",
	[SWITCH_BEGUN] = "begun",
	[SWITCH_SWITCHED] = "switched",
	[SWITCH_DONE] = "done",
};

/* Describes the session that has the lock. */
static MUST_CHECK Rc
read_holder(PgConn *conn, const char *move, Arena *arena, const char **holder,
			Error *err)
{
	static const char sql[] =
		"WITH key (class, object) AS (SELECT " LOCK_KEYS_SQL ")"
		" SELECT format('PID %s, user \"%s\", client %s, since %s',"
		"  a.pid, a.usename, coalesce(host(a.client_addr), 'local'),"
		"  a.backend_start::timestamptz(0))"
		" FROM key, pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a"
		" ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted"
		" AND a.datname = pg_catalog.current_database()"
		" AND l.classid = key.class::oid AND l.objid = key.object::oid"
		" AND l.objsubid = 2";
	const char *params[] = {move};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(conn, sql, LENGTH_OF(params), params, &result,
							   err);

	*holder = "a session that has ended since";
	if (rc == RC_OK && PQntuples(result) > 0)
		*holder = arena_strdup(arena, PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

/* Tries to take the lock with a query that returns whether it did. */
static MUST_CHECK Rc
try_lock(PgConn *conn, const char *sql, const char *move, Arena *arena,
		 bool *taken, const char **holder, Error *err)
{
	const char *params[] = {move};
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn, keepalive_sql, NULL, err);

	if (rc == RC_OK)
		rc = pgconn_exec_params(conn, sql, LENGTH_OF(params), params, &result,
								err);
	*taken = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	if (rc == RC_OK && !*taken)
		rc = read_holder(conn, move, arena, holder, err);
	return rc;
}

Rc
switch_table_take(PgConn *conn, const char *move, Arena *arena, bool *taken,
				  const char **holder, Error *err)
{
	return try_lock(conn,
					"SELECT pg_catalog.pg_try_advisory_lock(" LOCK_KEYS_SQL ")",
					move, arena, taken, holder, err);
}

Rc
switch_table_share(PgConn *conn, const char *move, Arena *arena, bool *taken,
				   const char **holder, Error *err)
{
	return try_lock(
		conn,
		"SELECT pg_catalog.pg_try_advisory_lock_shared(" LOCK_KEYS_SQL ")",
		move, arena, taken, holder, err);
}

static MUST_CHECK Rc
parse_row(PgConn *source, const PGresult *result, Arena *arena, SwitchRow *row,
		  Error *err)
{
	const char *state = PQgetvalue(result, 0, 0);

	for (size_t i = 1; i < LENGTH_OF(names); i++)
		if (strcmp(names[i], state) == 0)
			row->state = (SwitchState) i;
	if (row->state == SWITCH_NONE)
		return error_set(err, ERR_PROTOCOL,
						 "unrecognized state \"%s\" of a switch on %s", state,
						 pgconn_label(source));
	row->owner = arena_strdup(arena, PQgetvalue(result, 0, 1));
	if (!PQgetisnull(result, 0, 2))
		row->way_back = arena_strdup(arena, PQgetvalue(result, 0, 2));
	row->begun_at = arena_strdup(arena, PQgetvalue(result, 0, 3));
	if (!PQgetisnull(result, 0, 4))
		row->switched_at = arena_strdup(arena, PQgetvalue(result, 0, 4));
	return RC_OK;
}

Rc
switch_table_read(PgConn *source, const char *pipeline, Arena *arena,
				  SwitchRow *row, Error *err)
{
	static const char sql[] =
		"SELECT state, owner, way_back, begun_at::timestamptz(0),"
		" switched_at::timestamptz(0) FROM penstock.switch"
		" WHERE pipeline = $1";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(source, "switch", &exists, err);

	*row = (SwitchRow){0};
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(source, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK && exists && PQntuples(result) > 0)
		rc = parse_row(source, result, arena, row, err);
	PQclear(result);
	return rc;
}

Rc
switch_table_read_settled(PgConn *source, const char *pipeline, Arena *arena,
						  SwitchRow *row, Error *err)
{
	static const char sql[] =
		"SELECT FROM penstock.switch WHERE pipeline = $1 FOR UPDATE";
	const char *params[] = {pipeline};
	Rc rc = pgconn_exec_params(source, sql, LENGTH_OF(params), params, NULL,
							   err);

	return rc == RC_OK ? switch_table_read(source, pipeline, arena, row, err)
					   : rc;
}

Rc
switch_table_begin(PgConn *source, const char *pipeline, const char *owner,
				   const char *way_back, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.switch (pipeline, state, owner, way_back,"
		" begun_at) VALUES ($1, 'begun', $2, $3, clock_timestamp())"
		" ON CONFLICT (pipeline) DO UPDATE SET state = excluded.state,"
		" owner = excluded.owner, way_back = excluded.way_back,"
		" begun_at = excluded.begun_at, switched_at = NULL, lsn = NULL";
	const char *params[] = {pipeline, owner, way_back};

	return pgconn_exec_params(source, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
switch_table_switched(PgConn *source, const char *pipeline, Lsn lsn, Error *err)
{
	static const char sql[] =
		"UPDATE penstock.switch SET state = 'switched', lsn = $2::pg_lsn,"
		" switched_at = clock_timestamp() WHERE pipeline = $1 RETURNING 1";
	char position[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, position};
	PGresult *result = NULL;
	Rc rc;

	snprintf(position, sizeof(position), LSN_FORMAT, LSN_ARGS(lsn));
	rc = pgconn_exec_params(source, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK && PQntuples(result) != 1)
		rc = error_set(err, ERR_CONFIG,
					   "the row of pipeline \"%s\" in penstock.switch on %s "
					   "is gone",
					   pipeline, pgconn_label(source));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
run_for(PgConn *source, const char *sql, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};

	return pgconn_exec_params(source, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
switch_table_done(PgConn *source, const char *pipeline, Error *err)
{
	return run_for(source,
				   "UPDATE penstock.switch SET state = 'done'"
				   " WHERE pipeline = $1",
				   pipeline, err);
}

Rc
switch_table_remove(PgConn *source, const char *pipeline, Error *err)
{
	bool exists;
	Rc rc = control_has(source, "switch", &exists, err);

	if (rc != RC_OK || !exists)
		return rc;
	return run_for(source, "DELETE FROM penstock.switch WHERE pipeline = $1",
				   pipeline, err);
}
