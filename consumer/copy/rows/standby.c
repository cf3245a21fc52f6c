/*
 * standby.c
 *    Sends the statements that pause the replay, export the snapshot and resume
 *    the replay in one message, so that the standby resumes the replay even if
 *    we are killed meanwhile.
 */
#include "copy/rows/standby.h"

#include <stdio.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "net/pgconn_open.h"
#include "net/sql.h"

#define APPLICATION_NAME "penstock clone"

/* First version of the server that has pg_get_wal_replay_pause_state(). */
#define PAUSE_STATE_VERSION_NUM 140000

/* Interval at which we query the standby's replay LSN. */
#define REPLAY_CHECK_MS 100

/* Maximum time from pg_wal_replay_pause() until the replay is paused. */
#define PAUSE_SECONDS_MAX "30"

static const char pause_sql[] =
	"DO $$ DECLARE deadline timestamptz := clock_timestamp()"
	" + interval '" PAUSE_SECONDS_MAX " s';"
	" BEGIN PERFORM pg_wal_replay_pause();"
	" WHILE pg_get_wal_replay_pause_state() <> 'paused' LOOP"
	"  IF clock_timestamp() > deadline THEN"
	"   RAISE EXCEPTION 'replay does not pause'; END IF;"
	"  PERFORM pg_sleep(0.002);"
	" END LOOP;"
	" EXCEPTION WHEN OTHERS THEN PERFORM pg_wal_replay_resume(); RAISE;"
	" END $$;";

static const char export_sql[] =
	"SELECT pg_export_snapshot(), pg_last_wal_replay_lsn()";

Rc
standby_open(PgConn **standby, const char *conninfo, Error *err)
{
	const PgConnOptions options = {
		.conninfo = conninfo,
		.label = "standby",
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};
	PGresult *result = NULL;
	Rc rc = pgconn_open(standby, &options, err);

	if (rc == RC_OK)
		rc = pgconn_exec(*standby,
						 "SELECT pg_is_in_recovery(), has_function_privilege("
						 "'pg_catalog.pg_wal_replay_pause()', 'EXECUTE') AND"
						 " has_function_privilege("
						 "'pg_catalog.pg_wal_replay_resume()', 'EXECUTE')",
						 &result, err);
	if (rc != RC_OK)
		return rc;
	if (!sql_bool(result, 0, 0))
		rc = error_set(err, ERR_CONFIG,
					   "the server to copy from is not a standby");
	else if (pgconn_server_version_num(*standby) < PAUSE_STATE_VERSION_NUM)
		rc = error_set(err, ERR_CONFIG,
					   "a standby to copy from has to be PostgreSQL 14 or "
					   "newer");
	else if (!sql_bool(result, 0, 1))
	{
		rc = error_set(err, ERR_CONFIG,
					   "user \"%s\" may not pause the replay of the standby",
					   PQuser(pgconn_raw(*standby)));
		error_hint(err, "Run on the source: GRANT EXECUTE ON FUNCTION"
						" pg_wal_replay_pause(), pg_wal_replay_resume() TO"
						" that user.");
	}
	PQclear(result);
	return rc;
}

/* Returns RC_OK if the standby has replayed up to `least`, else RC_AGAIN. */
static MUST_CHECK Rc
check_replay(PgConn *standby, Lsn least, Lsn *replayed, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(standby, "SELECT pg_last_wal_replay_lsn()", &result,
						err);

	*replayed = 0;
	if (rc == RC_OK && !PQgetisnull(result, 0, 0) &&
		!lsn_parse(PQgetvalue(result, 0, 0), replayed))
		rc = error_set(err, ERR_PROTOCOL,
					   "invalid position \"%s\" from standby",
					   PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc != RC_OK || *replayed >= least ? rc : RC_AGAIN;
}

static MUST_CHECK Rc
wait_for_replay(PgConn *standby, Lsn least, Error *err)
{
	bool said = false;

	for (;;)
	{
		Lsn replayed;
		Rc rc = check_replay(standby, least, &replayed, err);

		if (rc != RC_AGAIN)
			return rc;
		if (!said)
			log_info("copy",
					 "waiting until the standby, which is at " LSN_FORMAT
					 ", has replayed up to " LSN_FORMAT,
					 LSN_ARGS(replayed), LSN_ARGS(least));
		said = true;
		rc = interrupt_wait(-1, 0, REPLAY_CHECK_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
}

/* Sets *paused to whether the replay is paused already; then we do not resume
 * it. */
static MUST_CHECK Rc
is_paused(PgConn *standby, bool *paused, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(standby, "SELECT pg_is_wal_replay_paused()", &result,
						err);

	*paused = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/* Resumes the replay after an error, so that it does not stay paused. */
static void
resume_replay(PgConn *standby)
{
	Error err = {0};

	interrupt_defer(true);
	if (pgconn_exec(standby, "ROLLBACK; SELECT pg_wal_replay_resume()", NULL,
					&err) != RC_OK)
		log_error(LOG_WARNING, "copy.standby-refused", &err);
	interrupt_defer(false);
	error_reset(&err);
}

static MUST_CHECK Rc
export_paused(PgConn *standby, bool resume, PGresult **result, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(pgconn_can_be_outside(standby));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "BEGIN; %s %s%s", pause_sql, export_sql,
			   resume ? ", pg_wal_replay_resume()" : "");
	rc = sql_run(standby, &sql, result, err);
	if (rc != RC_OK && resume)
		resume_replay(standby);
	return rc;
}

Rc
standby_export(PgConn *standby, Lsn least, char *name, size_t name_size,
			   Lsn *position, Error *err)
{
	PGresult *result = NULL;
	bool was_paused;
	Rc rc = wait_for_replay(standby, least, err);

	ASSERT(name_size > 0);
	if (rc == RC_OK)
		rc = is_paused(standby, &was_paused, err);
	if (rc == RC_OK)
		rc = export_paused(standby, !was_paused, &result, err);
	if (rc != RC_OK)
		return rc;
	snprintf(name, name_size, "%s", PQgetvalue(result, 0, 0));
	if (!lsn_parse(PQgetvalue(result, 0, 1), position) || *position < least)
		rc = error_set(err, ERR_PROTOCOL,
					   "invalid position \"%s\" from standby",
					   PQgetvalue(result, 0, 1));
	PQclear(result);
	return rc;
}
