/*
 * session.c
 *    Opens the sessions, and sets their GUCs.
 */
#include "copy/session.h"

#include <string.h>

#include "net/pgconn_open.h"
#include "net/sql.h"
#include "net/writer.h"

#define APPLICATION_NAME "penstock clone"

/* Has the source return rows in the order in which they are stored. */
static const char source_session_sql[] = "SET synchronize_seqscans = off";

/* Commits need not be durable: if a crash of the target loses rows, it also
 * loses the clone's progress, which is written later. */
static const char target_session_sql[] = "SET synchronous_commit = off;"
										 "SET client_min_messages = error";

Rc
session_open_source(PgConn **conn, const char *conninfo, const char *snapshot,
					Error *err)
{
	const PgConnOptions options = {
		.conninfo = conninfo,
		.label = "source",
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};
	Rc rc = pgconn_open(conn, &options, err);

	if (rc == RC_OK)
		rc = pgconn_exec(*conn, source_session_sql, NULL, err);
	if (rc == RC_OK && snapshot != NULL)
		rc = sql_begin_snapshot(*conn, snapshot, err);
	return rc;
}

/* Sets session_replication_role, so that triggers and foreign keys do not fire.
 * *triggers_fire is set if the role has no privilege to. */
static Rc
quiet_triggers(PgConn *target, bool *triggers_fire, Error *err)
{
	Rc rc = pgconn_exec(target, "SET session_replication_role = replica", NULL,
						err);

	if (rc == RC_FAIL && strcmp(err->sqlstate, "42501") == 0)
	{
		/* insufficient_privilege */
		error_reset(err);
		*triggers_fire = true;
		return RC_OK;
	}
	return rc;
}

static PgConnOptions
target_options(const char *conninfo, const char *label)
{
	return (PgConnOptions){
		.conninfo = conninfo,
		.label = label,
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};
}

static Rc
set_up_target(PgConn *target, bool *triggers_fire, Error *err)
{
	Rc rc = pgconn_exec(target, target_session_sql, NULL, err);

	*triggers_fire = false;
	return rc == RC_OK ? quiet_triggers(target, triggers_fire, err) : rc;
}

Rc
session_open_writer(PgConn **conn, const char *conninfo, const char *label,
					const char *pipeline, SessionRights *rights, Error *err)
{
	const PgConnOptions options = target_options(conninfo, label);
	Rc rc = writer_open(conn, &options, pipeline, &rights->marked, err);

	return rc == RC_OK ? set_up_target(*conn, &rights->triggers_fire, err) : rc;
}

Rc
session_open_reader(PgConn **conn, const char *conninfo, const char *label,
					Error *err)
{
	const PgConnOptions options = target_options(conninfo, label);
	bool triggers_fire;
	Rc rc = pgconn_open(conn, &options, err);

	return rc == RC_OK ? set_up_target(*conn, &triggers_fire, err) : rc;
}

Rc
session_open_builder(PgConn **conn, const char *conninfo, const char *label,
					 const char *work_mem, Error *err)
{
	const char *params[] = {work_mem};
	Rc rc = session_open_reader(conn, conninfo, label, err);

	if (rc == RC_OK)
		rc = pgconn_exec_params(
			*conn,
			"SELECT set_config('maintenance_work_mem', $1, false)"
			" WHERE pg_size_bytes(current_setting('maintenance_work_mem'))"
			"  < pg_size_bytes($1)",
			1, params, NULL, err);
	/* Expressions of indexes call users' functions, which may need the
	 * search_path of the database and the role. */
	if (rc == RC_OK)
		rc = pgconn_exec(*conn, PGCONN_SET_OWN_PATH_SQL, NULL, err);
	return rc;
}
