/*
 * work_list.c
 *    SQL on penstock.copy_run, penstock.copy_table and penstock.copy_object.
 */
#include "control/copy/work_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "control/schema.h"
#include "net/sql.h"

/*
 * Milliseconds that terminated sessions may take to end, and between two
 * checks.
 */
#define SESSIONS_END_MS_MAX   10000
#define SESSIONS_END_CHECK_MS 50

/*
 * Milliseconds to wait for the main session of a clone that was killed to end.
 */
#define HOLD_WAIT_MS_MAX 3000

/* Milliseconds to wait for another session's lock on the row of the run. */
#define TOKEN_WAIT_MS "1000"

/* Bytes for a timeline as text. */
#define TIMELINE_TEXT_SIZE 16

/* division_by_zero */
const char work_list_lost_sqlstate[] = "22012";

static const char *const schema_states[] = {
	[WORK_SCHEMA_NONE] = "none",
	[WORK_SCHEMA_BEGUN] = "begun",
	[WORK_SCHEMA_DONE] = "done",
};


/* ---- The run ---- */

/* Columns of the result of read_sql. */
enum
{
	RUN_SYSTEM,
	RUN_OPTIONS,
	RUN_START_LSN,
	RUN_SCHEMA,
	RUN_STARTED_AT,
	RUN_TABLES,
	RUN_TABLES_DONE,
	RUN_TABLES_BEGUN,
	RUN_ROWS,
	RUN_BYTES,
	RUN_BYTES_DONE,
	RUN_TIMELINE,
	RUN_WATERMARK,
};

static const char read_sql[] =
	"SELECT r.source_system_identifier, r.options, r.start_lsn,"
	" r.schema_state, date_trunc('second', r.started_at),"
	" count(t.parts), count(t.finished_at),"
	" count(*) FILTER (WHERE t.parts_done > 0 AND t.finished_at IS NULL),"
	" coalesce(sum(t.rows) FILTER (WHERE t.finished_at IS NOT NULL), 0),"
	" coalesce(sum(t.bytes), 0),"
	" coalesce(sum(t.bytes) FILTER (WHERE t.finished_at IS NOT NULL), 0),"
	" to_jsonb(r) ->> 'source_timeline', max(t.watermark)"
	" FROM penstock.copy_run r"
	" LEFT JOIN penstock.copy_table t ON t.pipeline = r.pipeline"
	" WHERE r.pipeline = $1 GROUP BY r.pipeline";

static WorkSchema
parse_schema(const char *text)
{
	for (size_t i = 0; i < LENGTH_OF(schema_states); i++)
		if (strcmp(text, schema_states[i]) == 0)
			return (WorkSchema) i;
	return WORK_SCHEMA_BEGUN;
}

static int64_t
number_field(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* Parses an LSN; null becomes 0. */
static MUST_CHECK Rc
parse_position(const PGresult *result, int column, Lsn *lsn, PgConn *target,
			   Error *err)
{
	const char *text = PQgetvalue(result, 0, column);

	*lsn = 0;
	if (text[0] == '\0' || lsn_parse(text, lsn))
		return RC_OK;
	return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s", text,
					 pgconn_label(target));
}

static MUST_CHECK Rc
parse_run(WorkRun *run, const PGresult *result, PgConn *target, Arena *arena,
		  Error *err)
{
	Rc rc;

	run->exists = true;
	snprintf(run->source.system_identifier,
			 sizeof(run->source.system_identifier), "%s",
			 PQgetvalue(result, 0, RUN_SYSTEM));
	run->source.timeline = (uint32_t) number_field(result, 0, RUN_TIMELINE);
	run->options = arena_strdup(arena, PQgetvalue(result, 0, RUN_OPTIONS));
	run->schema = parse_schema(PQgetvalue(result, 0, RUN_SCHEMA));
	run->started_at = arena_strdup(arena,
								   PQgetvalue(result, 0, RUN_STARTED_AT));
	run->table_count = (int) number_field(result, 0, RUN_TABLES);
	run->tables_done = (int) number_field(result, 0, RUN_TABLES_DONE);
	run->tables_begun = (int) number_field(result, 0, RUN_TABLES_BEGUN);
	run->rows = number_field(result, 0, RUN_ROWS);
	run->bytes_total = number_field(result, 0, RUN_BYTES);
	run->bytes_done = number_field(result, 0, RUN_BYTES_DONE);
	rc = parse_position(result, RUN_START_LSN, &run->start_lsn, target, err);
	if (rc == RC_OK)
		rc = parse_position(result, RUN_WATERMARK, &run->watermark, target,
							err);
	ASSERT(run->tables_done <= run->table_count);
	return rc;
}

Rc
work_list_read(WorkRun *run, PgConn *target, const char *pipeline, Arena *arena,
			   Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "copy_run", &exists, err);

	*run = (WorkRun){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, read_sql, 1, params, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = parse_run(run, result, target, arena, err);
	PQclear(result);
	return rc;
}

/* Runs a statement that returns the run's token. */
static MUST_CHECK Rc
read_token(PgConn *target, const char *sql, int param_count,
		   const char *const *params, int64_t *token, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, param_count, params, &result, err);

	if (rc == RC_OK && PQntuples(result) == 1)
		*token = number_field(result, 0, 0);
	else if (rc == RC_OK)
		rc = error_set(err, ERR_CONFIG, "the clone's work list is not on %s",
					   pgconn_label(target));
	PQclear(result);
	return rc;
}

Rc
work_list_begin(PgConn *target, const char *pipeline, const WorkRun *run,
				int64_t *token, Error *err)
{
	char timeline[TIMELINE_TEXT_SIZE];
	const char *params[] = {pipeline, run->source.system_identifier,
							run->options, timeline};

	ASSERT(run->options != NULL);
	ASSERT(run->source.system_identifier[0] != '\0');
	snprintf(timeline, sizeof(timeline), "%u", run->source.timeline);
	return read_token(target,
					  "INSERT INTO penstock.copy_run"
					  " (pipeline, source_system_identifier, options,"
					  " source_timeline) VALUES ($1, $2, $3, $4::bigint)"
					  " RETURNING token",
					  LENGTH_OF(params), params, token, err);
}

Rc
work_list_set_timeline(PgConn *target, const char *pipeline, uint32_t timeline,
					   Error *err)
{
	char text[TIMELINE_TEXT_SIZE];
	const char *params[] = {pipeline, text};

	ASSERT(timeline != 0);
	snprintf(text, sizeof(text), "%u", timeline);
	return pgconn_exec_params(target,
							  "UPDATE penstock.copy_run"
							  " SET source_timeline = $2::bigint"
							  " WHERE pipeline = $1",
							  LENGTH_OF(params), params, NULL, err);
}

void
work_list_session_name(const char *pipeline, char name[WORK_SESSION_NAME_SIZE])
{
	/*
	 * Truncates a long name to the length at which the server truncates it,
	 * too.
	 */
	snprintf(name, WORK_SESSION_NAME_SIZE, "penstock clone %s", pipeline);
}

/* FROM and WHERE of a query on the sessions of a clone other than this one. */
#define SESSIONS_SQL                                                           \
	" FROM pg_catalog.pg_stat_activity"                                        \
	" WHERE datname = current_database() AND usename = current_user"           \
	" AND application_name = $1 AND pid <> pg_backend_pid()"

static const char list_sessions_sql[] = "SELECT pid" SESSIONS_SQL;
static const char end_sessions_sql[] =
	"SELECT pg_catalog.pg_terminate_backend(pid)" SESSIONS_SQL;

/* Runs a query with SESSIONS_SQL; *count is the number of sessions. */
static MUST_CHECK Rc
for_sessions(PgConn *target, const char *pipeline, const char *sql, int *count,
			 Error *err)
{
	char name[WORK_SESSION_NAME_SIZE];
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc;

	work_list_session_name(pipeline, name);
	rc = pgconn_exec_params(target, sql, 1, params, &result, err);
	*count = rc == RC_OK ? PQntuples(result) : 0;
	PQclear(result);
	return rc;
}

/* The two keys of the advisory lock of a run; the first is "penc" in ASCII. */
#define HOLD_KEYS_SQL "1885695587, pg_catalog.hashtext($1)"

/* Finds the PID of the session that holds the lock of a run; 0: none. */
static MUST_CHECK Rc
find_holder(PgConn *target, const char *pipeline, int *pid, Error *err)
{
	static const char sql[] =
		"SELECT l.pid FROM pg_catalog.pg_locks l"
		" WHERE l.locktype = 'advisory' AND l.granted"
		" AND l.classid = 1885695587 AND l.objsubid = 2"
		" AND l.objid = (pg_catalog.hashtext($1)::bigint & 4294967295)::oid"
		" AND l.database = (SELECT oid FROM pg_catalog.pg_database"
		"  WHERE datname = pg_catalog.current_database())";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, 1, params, &result, err);

	*pid = rc == RC_OK && PQntuples(result) > 0
			   ? (int) strtol(PQgetvalue(result, 0, 0), NULL, 10)
			   : 0;
	PQclear(result);
	return rc;
}

Rc
work_list_is_running(PgConn *target, const char *pipeline, bool *running,
					 Error *err)
{
	int count;
	int pid = 0;
	Rc rc = for_sessions(target, pipeline, list_sessions_sql, &count, err);

	/*
	 * If the clone's connection string sets another application_name, its
	 * sessions are not found by that name, but its lock is.
	 */
	if (rc == RC_OK && count == 0)
		rc = find_holder(target, pipeline, &pid, err);
	*running = rc == RC_OK && (count > 0 || pid != 0);
	return rc;
}

static MUST_CHECK Rc
end_predecessor(PgConn *target, const char *pipeline, Error *err)
{
	int64_t deadline_us = clock_monotonic_us() +
						  (int64_t) SESSIONS_END_MS_MAX * 1000;
	bool said = false;

	for (;;)
	{
		int count;
		Rc rc = for_sessions(target, pipeline, end_sessions_sql, &count, err);

		if (rc != RC_OK || count == 0)
			return rc;
		if (!said)
			log_info("clone",
					 "ending %d sessions on %s that an earlier clone has left",
					 count, pgconn_label(target));
		said = true;
		if (clock_monotonic_us() > deadline_us)
			return error_set(err, ERR_CONFIG,
							 "%d sessions on %s of the clone before do not end",
							 count, pgconn_label(target));
		rc = interrupt_wait(-1, 0, SESSIONS_END_CHECK_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
}

static Rc
refuse_lost(Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "another clone goes on in place of this one");
}

/*
 * Takes a new token: if *token is 0 in place of any token, else only of *token.
 */
static MUST_CHECK Rc
take_token(PgConn *target, const char *pipeline, int64_t *token, Error *err)
{
	char held[24];
	const char *params[] = {pipeline, held};
	PGresult *result = NULL;
	Rc rc;

	ASSERT(*token >= 0);
	snprintf(held, sizeof(held), "%" PRId64, *token);
	rc = pgconn_exec_params(target,
							"UPDATE penstock.copy_run SET token = token + 1"
							" WHERE pipeline = $1 AND $2::bigint IN (0, token)"
							" RETURNING token",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK && PQntuples(result) == 1)
		*token = number_field(result, 0, 0);
	else if (rc == RC_OK && *token != 0)
		rc = refuse_lost(err);
	else if (rc == RC_OK)
		rc = error_set(err, ERR_CONFIG, "the clone's work list is not on %s",
					   pgconn_label(target));
	PQclear(result);
	return rc;
}

/*
 * Calls take_token(), with a timeout if the row is locked; *taken says whether
 * it succeeded.
 */
static MUST_CHECK Rc
try_take_token(PgConn *target, const char *pipeline, int64_t *token,
			   bool *taken, Error *err)
{
	Rc rc = pgconn_exec(target, "SET lock_timeout = " TOKEN_WAIT_MS, NULL, err);

	if (rc == RC_OK)
		rc = take_token(target, pipeline, token, err);
	*taken = rc == RC_OK;
	/* lock_not_available */
	if (rc == RC_FAIL && strcmp(err->sqlstate, "55P03") == 0)
	{
		error_reset(err);
		rc = RC_OK;
	}
	if (rc == RC_OK)
		rc = pgconn_exec(target, "SET lock_timeout = 0", NULL, err);
	return rc;
}

static MUST_CHECK Rc
try_hold(PgConn *target, const char *pipeline, bool *held, Error *err)
{
	static const char sql[] =
		"SELECT pg_catalog.pg_try_advisory_lock(" HOLD_KEYS_SQL ")";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, 1, params, &result, err);

	*held = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
work_list_hold(PgConn *target, const char *pipeline, int *pid, Error *err)
{
	int64_t deadline_us = clock_monotonic_us() +
						  (int64_t) HOLD_WAIT_MS_MAX * 1000;

	for (*pid = 0;;)
	{
		bool held;
		Rc rc = try_hold(target, pipeline, &held, err);

		if (rc != RC_OK || held)
			return rc;
		rc = find_holder(target, pipeline, pid, err);
		if (rc != RC_OK || (*pid != 0 && clock_monotonic_us() > deadline_us))
			return rc;
		*pid = 0;
		rc = interrupt_wait(-1, 0, SESSIONS_END_CHECK_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
}

/*
 * A process that loses its token knows that it must not try again after a
 * failure, so the token is taken before sessions are ended.  If a session is
 * marking a part as done, it holds a lock on the row; then that session is
 * ended first.
 */
Rc
work_list_claim(PgConn *target, const char *pipeline, int64_t *token,
				Error *err)
{
	bool taken = false;
	Rc rc = try_take_token(target, pipeline, token, &taken, err);

	if (rc == RC_OK)
		rc = end_predecessor(target, pipeline, err);
	if (rc == RC_OK && !taken)
		rc = take_token(target, pipeline, token, err);
	ASSERT(rc != RC_OK || *token > 0);
	return rc;
}

Rc
work_list_set_schema(PgConn *target, const char *pipeline, WorkSchema schema,
					 Error *err)
{
	const char *params[] = {pipeline, schema_states[schema]};

	ASSERT((size_t) schema < LENGTH_OF(schema_states));
	return pgconn_exec_params(target,
							  "UPDATE penstock.copy_run SET schema_state = $2"
							  " WHERE pipeline = $1",
							  LENGTH_OF(params), params, NULL, err);
}


/* ---- The tables ---- */

static void
append_name(Buf *sql, const TableName *table)
{
	buf_append_literal(sql, table->schema);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, table->name);
}

Rc
work_list_set_tables(PgConn *target, const char *pipeline, Lsn start_lsn,
					 const WorkTable *tables, int count, Error *err)
{
	Buf sql;

	CHECK(start_lsn != 0);
	ASSERT(pgconn_can_be_outside(target));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "BEGIN; UPDATE penstock.copy_run SET start_lsn = '" LSN_FORMAT
			   "' WHERE pipeline = ",
			   LSN_ARGS(start_lsn));
	buf_append_literal(&sql, pipeline);
	buf_append_char(&sql, ';');
	for (int i = 0; i < count; i++)
	{
		buf_append_string(&sql, i > 0 ? ", ("
									  : "INSERT INTO penstock.copy_table"
										" (pipeline, schema_name, table_name,"
										" bytes) VALUES (");
		buf_append_literal(&sql, pipeline);
		buf_append_string(&sql, ", ");
		append_name(&sql, &tables[i].name);
		buf_printf(&sql, ", %" PRId64 ")", tables[i].bytes);
	}
	buf_append_string(&sql, "; COMMIT");
	return sql_run(target, &sql, NULL, err);
}

Rc
work_list_read_tables(PgConn *target, const char *pipeline, PGresult **result,
					  Error *err)
{
	const char *params[] = {pipeline};

	return pgconn_exec_params(
		target,
		"SELECT schema_name, table_name, finished_at IS NOT NULL, rows,"
		" parts_done > 0, watermark IS NULL"
		" FROM penstock.copy_table WHERE pipeline = $1",
		LENGTH_OF(params), params, result, err);
}

/*
 * Appends the rest of an UPDATE whose FROM has begun with rows of names and
 * these further columns: the match with the tables of the pipeline's list.
 */
static void
append_match(Buf *sql, const char *columns, const char *pipeline)
{
	buf_printf(sql,
			   ") v (schema_name, table_name, %s)"
			   " WHERE t.schema_name = v.schema_name"
			   " AND t.table_name = v.table_name AND t.pipeline = ",
			   columns);
	buf_append_literal(sql, pipeline);
}

Rc
work_list_set_parts(PgConn *target, const char *pipeline,
					const WorkTable *tables, int count, Error *err)
{
	Buf sql;

	if (count == 0)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "UPDATE penstock.copy_table t SET parts = v.parts"
							" FROM (VALUES ");
	for (int i = 0; i < count; i++)
	{
		buf_append_string(&sql, i > 0 ? ", (" : "(");
		ASSERT(tables[i].parts > 0);
		append_name(&sql, &tables[i].name);
		buf_printf(&sql, ", %" PRId64 ")", tables[i].parts);
	}
	append_match(&sql, "parts", pipeline);
	return sql_run(target, &sql, NULL, err);
}

Rc
work_list_note_tables(PgConn *target, const WorkMark *mark,
					  const WorkTable *tables, int count, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(mark->token > 0);
	if (count == 0)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH held AS MATERIALIZED (SELECT"
							" FROM penstock.copy_run WHERE pipeline = ");
	buf_append_literal(&sql, mark->pipeline);
	buf_printf(&sql,
			   " AND token = %" PRId64 " FOR SHARE),"
			   " marked AS (UPDATE penstock.copy_table t"
			   " SET parts_done = t.parts, rows = v.rows,"
			   " watermark = nullif(v.watermark, '0/0'),"
			   " finished_at = clock_timestamp() FROM (",
			   mark->token);
	for (int i = 0; i < count; i++)
	{
		buf_append_string(&sql, i > 0 ? ", (" : "VALUES (");
		append_name(&sql, &tables[i].name);
		buf_printf(&sql, ", %" PRId64 ", '" LSN_FORMAT "'::pg_lsn)",
				   tables[i].rows, LSN_ARGS(tables[i].watermark));
	}
	append_match(&sql, "rows, watermark", mark->pipeline);
	buf_append_string(&sql, " AND EXISTS (SELECT FROM held) RETURNING 1)"
							" SELECT 1 / count(*) FROM marked");
	rc = sql_run(target, &sql, NULL, err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, work_list_lost_sqlstate) == 0)
	{
		error_reset(err);
		rc = refuse_lost(err);
	}
	return rc;
}

void
work_list_append_undone(Buf *sql, const char *pipeline, const TableName *table)
{
	buf_append_string(sql, "UPDATE penstock.copy_table SET parts_done = 0,"
						   " rows = 0, watermark = NULL,"
						   " finished_at = NULL WHERE pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, " AND (schema_name, table_name) = (");
	append_name(sql, table);
	buf_append_string(sql, ");");
}

Rc
work_list_give_up(PgConn *target, const WorkMark *mark, const TableName *table,
				  Error *err)
{
	char lsn[LSN_TEXT_SIZE];
	const char *params[] = {mark->pipeline, lsn, table->schema, table->name};

	snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(mark->watermark));
	return pgconn_exec_params(
		target,
		"UPDATE penstock.copy_table SET parts_done = parts, rows = 0,"
		" watermark = $2::pg_lsn, finished_at = clock_timestamp()"
		" WHERE pipeline = $1 AND (schema_name, table_name) = ($3, $4)",
		LENGTH_OF(params), params, NULL, err);
}

Rc
work_list_distrust(PgConn *target, const char *pipeline, Lsn watermark,
				   Error *err)
{
	char lsn[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, lsn};

	snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(watermark));
	return pgconn_exec_params(
		target,
		"UPDATE penstock.copy_table SET finished_at = NULL"
		" WHERE pipeline = $1 AND coalesce(watermark = $2::pg_lsn, true)",
		LENGTH_OF(params), params, NULL, err);
}

/*
 * Locks the row of the run, so that no new token can be taken before the
 * commit.
 */
void
work_list_append_mark(Buf *sql, const WorkMark *mark, const TableName *table,
					  int64_t rows)
{
	ASSERT(mark->token > 0 && rows >= 0);
	buf_append_string(sql, PGCONN_SET_LOCAL_PLAIN_PATH_SQL
					  "; WITH held AS MATERIALIZED (SELECT"
					  " FROM penstock.copy_run WHERE pipeline = ");
	buf_append_literal(sql, mark->pipeline);
	buf_printf(sql,
			   " AND token = %" PRId64 " FOR SHARE),"
			   " marked AS (UPDATE penstock.copy_table SET"
			   " parts_done = parts_done + 1, rows = rows + %" PRId64
			   ", watermark = nullif('" LSN_FORMAT "'::pg_lsn, '0/0'),"
			   " finished_at ="
			   " CASE WHEN parts_done + 1 = parts THEN clock_timestamp() END"
			   " WHERE pipeline = ",
			   mark->token, rows, LSN_ARGS(mark->watermark));
	buf_append_literal(sql, mark->pipeline);
	buf_append_string(sql, " AND (schema_name, table_name) = (");
	append_name(sql, table);
	buf_append_string(
		sql, ") AND EXISTS (SELECT FROM held) RETURNING 1)"
			 " SELECT 1 / count(*) FROM marked; " PGCONN_SET_LOCAL_OWN_PATH_SQL
			 "; COMMIT");
}


/* ---- Objects ---- */

Rc
work_list_add_objects(PgConn *target, const char *pipeline,
					  const WorkObject *objects, int count, Error *err)
{
	Buf sql;

	if (count == 0)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "INSERT INTO penstock.copy_object"
							" (pipeline, type, identity) VALUES ");
	for (int i = 0; i < count; i++)
	{
		buf_append_string(&sql, i > 0 ? ", (" : "(");
		buf_append_literal(&sql, pipeline);
		buf_append_string(&sql, ", ");
		buf_append_literal(&sql, objects[i].type);
		buf_append_string(&sql, ", ");
		buf_append_literal(&sql, objects[i].identity);
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, " ON CONFLICT DO NOTHING");
	return sql_run(target, &sql, NULL, err);
}

Rc
work_list_read_objects(PgConn *target, const char *pipeline, PGresult **result,
					   Error *err)
{
	const char *params[] = {pipeline};

	return pgconn_exec_params(target,
							  "SELECT type, identity FROM penstock.copy_object"
							  " WHERE pipeline = $1 ORDER BY identity",
							  LENGTH_OF(params), params, result, err);
}

Rc
work_list_remove_objects(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};

	return pgconn_exec_params(
		target, "DELETE FROM penstock.copy_object WHERE pipeline = $1",
		LENGTH_OF(params), params, NULL, err);
}


/* ---- The end ---- */

Rc
work_list_remove(PgConn *target, const char *pipeline, Error *err)
{
	static const char sql[] =
		"WITH objects AS (DELETE FROM penstock.copy_object"
		"  WHERE pipeline = $1),"
		" tables AS (DELETE FROM penstock.copy_table WHERE pipeline = $1)"
		" DELETE FROM penstock.copy_run WHERE pipeline = $1";
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = control_has(target, "copy_run", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, 1, params, NULL, err);
	return rc;
}

Rc
work_list_hand_over(PgConn *target, const char *pipeline, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.table_state"
		" (pipeline, schema_name, table_name, state, watermark)"
		" SELECT t.pipeline, t.schema_name, t.table_name, 'ready', t.watermark"
		" FROM penstock.copy_table t JOIN penstock.copy_run r USING (pipeline)"
		" WHERE t.pipeline = $1 AND t.watermark > r.start_lsn";
	const char *params[] = {pipeline};

	ASSERT(pgconn_can_be_inside(target));
	return pgconn_exec_params(target, sql, 1, params, NULL, err);
}


/* ---- For who watches ---- */

/*
 * For a table that is copied in parts, finished parts count in full, and a
 * running part counts with the bytes that the server has read, limited to the
 * rest of the table.
 */
static const char tables_sql[] =
	"SELECT t.schema_name, t.table_name,"
	" CASE WHEN t.finished_at IS NOT NULL THEN 'done'"
	"  WHEN t.parts_done > 0 OR r.rows > 0 THEN 'copying'"
	"  ELSE 'waiting' END, t.rows + r.rows, t.bytes,"
	" sum(t.rows + r.rows) OVER (), sum(t.bytes) OVER (),"
	" (sum(CASE WHEN t.finished_at IS NOT NULL THEN t.bytes"
	"  ELSE least(t.bytes, t.bytes * t.parts_done / greatest(t.parts, 1)"
	"   + r.bytes) END) OVER ())::bigint"
	" FROM penstock.copy_table t"
	" LEFT JOIN running g"
	"  ON g.relid = to_regclass(format('%I.%I', t.schema_name, t.table_name))"
	" CROSS JOIN LATERAL (SELECT coalesce(g.rows, 0)::bigint AS rows,"
	"  coalesce(g.bytes, 0)::bigint AS bytes) r"
	" WHERE t.pipeline = $1"
	" ORDER BY t.bytes DESC, 1, 2 LIMIT ";

static const char running_sql[] =
	"WITH running AS (SELECT p.relid, sum(p.tuples_processed) AS rows,"
	"  sum(p.bytes_processed) AS bytes FROM pg_stat_progress_copy p"
	"  JOIN pg_stat_activity a USING (pid)"
	"  WHERE a.application_name LIKE 'penstock clone%'"
	"  AND p.datname = current_database() GROUP BY p.relid) ";
static const char nothing_running_sql[] =
	"WITH running (relid, rows, bytes) AS"
	" (SELECT NULL::oid, 0::bigint, 0::bigint WHERE false) ";

Rc
work_list_look(PgConn *target, const char *pipeline, int count_max,
			   PGresult **result, Error *err)
{
	bool has_progress = pgconn_server_version_num(target) >=
						PROGRESS_COPY_VERSION_NUM;
	Buf sql;
	Rc rc;

	ASSERT(count_max > 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, has_progress ? running_sql : nothing_running_sql);
	buf_append_string(&sql, tables_sql);
	buf_printf(&sql, "%d", count_max);
	rc = pgconn_exec_params(target, sql.data, 1, &pipeline, result, err);
	buf_release(&sql);
	return rc;
}
