/*
 * work_list.c
 *    SQL around penstock.copy_run and its like.
 */
#include "copy/work_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "copy/part_queue.h"
#include "copy/sql.h"
#include "net/own_schema.h"

/* How long sessions that were told to end may take. */
#define SESSIONS_END_MS_MAX   10000
#define SESSIONS_END_CHECK_MS 50

/* How long the main session of a clone that was killed may be there. */
#define HOLD_WAIT_MS_MAX 3000

/* How long the row of the run may be locked by somebody else. */
#define TOKEN_WAIT_MS "1000"

static const char create_sql[] = OWN_SCHEMA_LOCK_SQL
	"CREATE TABLE IF NOT EXISTS penstock.copy_run ("
	" pipeline text PRIMARY KEY,"
	" source_system_identifier text NOT NULL,"
	" options text NOT NULL,"
	" start_lsn pg_lsn,"
	" schema_state text NOT NULL DEFAULT 'none',"
	" token bigint NOT NULL DEFAULT 1,"
	" started_at timestamptz NOT NULL DEFAULT clock_timestamp());"
	"CREATE TABLE IF NOT EXISTS penstock.copy_table ("
	" pipeline text NOT NULL,"
	" schema_name text NOT NULL,"
	" table_name text NOT NULL,"
	" bytes bigint NOT NULL," /* on the source, about */
	" parts int NOT NULL DEFAULT 1,"
	" parts_done int NOT NULL DEFAULT 0,"
	" rows bigint NOT NULL DEFAULT 0,"
	" watermark pg_lsn,"
	" finished_at timestamptz,"
	" PRIMARY KEY (pipeline, schema_name, table_name))"
	/* Rows are updated a few times each: leave room in the page. */
	" WITH (fillfactor = 40);"
	"CREATE TABLE IF NOT EXISTS penstock.copy_object ("
	" pipeline text NOT NULL,"
	" type text NOT NULL,"
	" identity text NOT NULL,"
	" PRIMARY KEY (pipeline, type, identity));"
	/* Older versions have made the table without. */
	"ALTER TABLE penstock.copy_run"
	" ADD COLUMN IF NOT EXISTS source_timeline bigint";

/* A timeline printed. */
#define TIMELINE_TEXT_SIZE 16

/* division_by_zero */
const char work_list_lost_sqlstate[] = "22012";

static const char *const schema_states[] = {
	[WORK_SCHEMA_NONE] = "none",
	[WORK_SCHEMA_BEGUN] = "begun",
	[WORK_SCHEMA_DONE] = "done",
};

static MUST_CHECK Rc
look_for_tables(PgConn *target, bool *exist, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		target,
		"SELECT pg_catalog.to_regclass('penstock.copy_run') IS NOT NULL"
		" AND pg_catalog.to_regclass('penstock.copy_table') IS NOT NULL"
		" AND pg_catalog.to_regclass('penstock.copy_object') IS NOT NULL",
		&result, err);

	*exist = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
look_for_timeline(PgConn *target, bool *exists, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target,
						"SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute"
						" WHERE attrelid = 'penstock.copy_run'::regclass"
						" AND attname = 'source_timeline')",
						&result, err);

	*exists = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

Rc
work_list_create(PgConn *target, Error *err)
{
	bool exist;
	Rc rc = look_for_tables(target, &exist, err);

	if (rc == RC_OK && exist)
		rc = look_for_timeline(target, &exist, err);
	if (rc == RC_OK && !exist)
		rc = pgconn_exec(target, create_sql, NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
	{
		error_context(err, "creating the clone's work list on %s",
					  pgconn_label(target));
		error_hint(err, "The role needs CREATE on schema \"penstock\" of the "
						"target.");
	}
	return rc;
}


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

/* NULL is 0. */
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
	return rc;
}

Rc
work_list_read(WorkRun *run, PgConn *target, const char *pipeline, Arena *arena,
			   Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exist;
	Rc rc = look_for_tables(target, &exist, err);

	*run = (WorkRun){0};
	if (rc != RC_OK || !exist)
		return rc;
	rc = pgconn_exec_params(target, read_sql, 1, params, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = parse_run(run, result, target, arena, err);
	PQclear(result);
	return rc;
}

/* Runs a statement that returns the token. */
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
	Rc rc = work_list_create(target, err); /* the column may be missing */

	snprintf(text, sizeof(text), "%u", timeline);
	if (rc == RC_OK)
		rc = pgconn_exec_params(target,
								"UPDATE penstock.copy_run"
								" SET source_timeline = $2::bigint"
								" WHERE pipeline = $1",
								LENGTH_OF(params), params, NULL, err);
	return rc;
}

void
work_list_session_name(const char *pipeline, char name[WORK_SESSION_NAME_SIZE])
{
	/* The server cuts longer ones as well. */
	snprintf(name, WORK_SESSION_NAME_SIZE, "penstock clone %s", pipeline);
}

/* Behind what to do with them: the sessions of a clone, but this one. */
#define SESSIONS_SQL                                                           \
	" FROM pg_catalog.pg_stat_activity"                                        \
	" WHERE datname = current_database() AND usename = current_user"           \
	" AND application_name = $1 AND pid <> pg_backend_pid()"

static const char list_sessions_sql[] = "SELECT pid" SESSIONS_SQL;
static const char end_sessions_sql[] =
	"SELECT pg_catalog.pg_terminate_backend(pid)" SESSIONS_SQL;

/* *count: how many there are. */
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

/* First key of the advisory lock: "penc" in ASCII. */
#define HOLD_KEYS_SQL "1885695587, pg_catalog.hashtext($1)"

/* The PID of the session that has the lock; none: nobody has it any more. */
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

	/* Its connection string may give its sessions another name. */
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
			log_info("clone", "ending %d sessions on %s of the clone before",
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

/* Takes the next token in place of *token, or of any if that is 0. */
static MUST_CHECK Rc
take_token(PgConn *target, const char *pipeline, int64_t *token, Error *err)
{
	char held[24];
	const char *params[] = {pipeline, held};
	PGresult *result = NULL;
	Rc rc;

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

/* Does so if nobody holds it; *taken: whether. */
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
 * With the token somebody who goes on by itself after a failure learns that it
 * is not to: so it is taken before sessions are ended, if it can be had.  It
 * cannot while somebody is just noting something, and then his session has to
 * end.  Nothing can be noted under the old token afterwards.
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
	return rc;
}

Rc
work_list_set_schema(PgConn *target, const char *pipeline, WorkSchema schema,
					 Error *err)
{
	const char *params[] = {pipeline, schema_states[schema]};

	return pgconn_exec_params(target,
							  "UPDATE penstock.copy_run SET schema_state = $2"
							  " WHERE pipeline = $1",
							  LENGTH_OF(params), params, NULL, err);
}


/* ---- The tables ---- */

static void
append_name(Buf *sql, const CopyTable *table)
{
	buf_append_literal(sql, table->schema);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, table->name);
}

Rc
work_list_set_tables(PgConn *target, const char *pipeline, Lsn start_lsn,
					 const CopyCatalog *catalog, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "BEGIN; UPDATE penstock.copy_run SET start_lsn = '" LSN_FORMAT
			   "' WHERE pipeline = ",
			   LSN_ARGS(start_lsn));
	buf_append_literal(&sql, pipeline);
	buf_append_char(&sql, ';');
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		buf_append_string(&sql, i > 0 ? ", ("
									  : "INSERT INTO penstock.copy_table"
										" (pipeline, schema_name, table_name,"
										" bytes) VALUES (");
		buf_append_literal(&sql, pipeline);
		buf_append_string(&sql, ", ");
		append_name(&sql, table);
		buf_printf(&sql, ", %" PRId64 ")", table->bytes);
	}
	buf_append_string(&sql, "; COMMIT");
	return sql_run(target, &sql, NULL, err);
}

/* The list has a table that the source has not, or the other way round. */
static MUST_CHECK Rc
refuse_tables(const char *schema, const char *name, bool is_new, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  is_new ? "table \"%s\".\"%s\" was added to what is "
							   "published since the clone began"
							 : "table \"%s\".\"%s\" is not published any more",
					  schema, name);

	error_hint(err, "Start over with --restart.");
	return rc;
}

/*
 * Rows are sorted: schema_name, table_name, finished, rows, begun, whether its
 * rows have no position.
 *
 * What changed in an unlogged table after it was copied is in no log.  If it is
 * logged by now, it is to be copied again, for from here on it is followed.
 */
static MUST_CHECK Rc
match_table(CopyTable *table, const PGresult *result, bool *seen, bool strict,
			Error *err)
{
	int low = 0;
	int high = PQntuples(result);

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order = strcmp(table->schema, PQgetvalue(result, middle, 0));

		if (order == 0)
			order = strcmp(table->name, PQgetvalue(result, middle, 1));
		if (order == 0)
		{
			seen[middle] = true;
			table->done = sql_bool(result, middle, 2) &&
						  (table->unlogged || !sql_bool(result, middle, 5));
			table->begun = sql_bool(result, middle, 4) && !table->done;
			table->rows = table->done ? number_field(result, middle, 3) : 0;
			return RC_OK;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	table->done = false;
	table->begun = false;
	if (!strict)
		return RC_OK;
	return refuse_tables(table->schema, table->name, true, err);
}

Rc
work_list_match(CopyCatalog *catalog, PgConn *target, const char *pipeline,
				bool strict, Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool *seen;
	Rc rc = pgconn_exec_params(
		target,
		"SELECT schema_name, table_name, finished_at IS NOT NULL, rows,"
		" parts_done > 0, watermark IS NULL"
		" FROM penstock.copy_table WHERE pipeline = $1"
		" ORDER BY schema_name COLLATE \"C\", table_name COLLATE \"C\"",
		1, params, &result, err);

	if (rc != RC_OK)
		return rc;
	seen = arena_calloc(catalog->arena, (size_t) PQntuples(result),
						sizeof(bool));
	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
		rc = match_table(&catalog->tables[i], result, seen, strict, err);
	for (int i = 0; i < PQntuples(result) && rc == RC_OK; i++)
		if (!seen[i] && strict)
			rc = refuse_tables(PQgetvalue(result, i, 0),
							   PQgetvalue(result, i, 1), false, err);
	PQclear(result);
	return rc;
}

/*
 * A table that others refer to cannot be truncated: its rows are deleted, while
 * foreign keys do not fire, if the role may see to that.  Of a table that an
 * extension has filled only the user's rows may go.
 */
static void
append_empty(Buf *sql, const CopyTable *table)
{
	Buf body;

	if (table->membership == MEMBER_CONFIG)
	{
		buf_printf(sql, "DELETE FROM %s%s%s;", table->qualified,
				   table->filter != NULL ? " WHERE " : "",
				   table->filter != NULL ? table->filter : "");
		return;
	}
	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "DECLARE it regclass := ");
	buf_append_literal(&body, table->qualified);
	buf_append_string(&body,
					  "; span text := CASE WHEN (SELECT relkind FROM pg_class"
					  " WHERE oid = it) = 'p' THEN '' ELSE 'ONLY' END;"
					  " BEGIN EXECUTE format('TRUNCATE %s %s', span, it);"
					  " EXCEPTION WHEN feature_not_supported THEN"
					  " BEGIN PERFORM set_config('session_replication_role',"
					  " 'replica', true);"
					  " EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
					  " EXECUTE format('DELETE FROM %s %s', span, it); END");
	buf_append_string(sql, "DO ");
	buf_append_literal(sql, body.data);
	buf_append_char(sql, ';');
	buf_release(&body);
}

/* In one transaction. */
Rc
work_list_empty_table(const CopyTable *table, PgConn *target,
					  const char *pipeline, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "BEGIN;");
	append_empty(&sql, table);
	buf_append_string(&sql, "UPDATE penstock.copy_table SET parts_done = 0,"
							" rows = 0, watermark = NULL,"
							" finished_at = NULL WHERE pipeline = ");
	buf_append_literal(&sql, pipeline);
	buf_append_string(&sql, " AND (schema_name, table_name) = (");
	append_name(&sql, table);
	buf_append_string(&sql, "); COMMIT");
	return sql_run(target, &sql, NULL, err);
}

Rc
work_list_empty_tables(const CopyCatalog *catalog, PgConn *target,
					   const char *pipeline, bool done_too, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (table->begun || (table->done && done_too))
		{
			log_info("clone", "emptying table %s on %s%s", table->qualified,
					 pgconn_label(target),
					 table->begun ? ": it is to be copied again" : "");
			rc = work_list_empty_table(table, target, pipeline, err);
		}
	}
	return rc;
}

Rc
work_list_set_parts(const CopyCatalog *catalog, PgConn *target,
					const char *pipeline, int jobs, Error *err)
{
	int count = 0;
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "UPDATE penstock.copy_table t SET parts = v.parts"
							" FROM (VALUES ");
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (table->done || table->gone)
			continue;
		buf_append_string(&sql, count++ > 0 ? ", (" : "(");
		append_name(&sql, table);
		buf_printf(&sql, ", %" PRId64 ")", part_count(table, jobs));
	}
	if (count == 0)
	{
		buf_release(&sql);
		return RC_OK;
	}
	buf_append_string(&sql, ") v (schema_name, table_name, parts)"
							" WHERE t.schema_name = v.schema_name"
							" AND t.table_name = v.table_name"
							" AND t.pipeline = ");
	buf_append_literal(&sql, pipeline);
	return sql_run(target, &sql, NULL, err);
}

/* Appends VALUES of what is to be noted; returns how many there are. */
static int
append_unnoted(const CopyCatalog *catalog, Lsn watermark, Buf *sql)
{
	int count = 0;

	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (!table->done || table->noted)
			continue;
		buf_append_string(sql, count++ > 0 ? ", (" : "VALUES (");
		append_name(sql, table);
		buf_printf(sql, ", %" PRId64 ", '" LSN_FORMAT "'::pg_lsn)", table->rows,
				   LSN_ARGS(watermark));
	}
	return count;
}

Rc
work_list_note_tables(const CopyCatalog *catalog, PgConn *target,
					  const WorkMark *mark, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH held AS MATERIALIZED (SELECT"
							" FROM penstock.copy_run WHERE pipeline = ");
	buf_append_literal(&sql, mark->pipeline);
	buf_printf(&sql,
			   " AND token = %" PRId64 " FOR SHARE),"
			   " marked AS (UPDATE penstock.copy_table t"
			   " SET parts_done = t.parts, rows = v.rows,"
			   " watermark = v.watermark, finished_at = clock_timestamp()"
			   " FROM (",
			   mark->token);
	if (append_unnoted(catalog, mark->watermark, &sql) == 0)
	{
		buf_release(&sql);
		return RC_OK;
	}
	buf_append_string(&sql, ") v (schema_name, table_name, rows, watermark)"
							" WHERE t.schema_name = v.schema_name"
							" AND t.table_name = v.table_name"
							" AND t.pipeline = ");
	buf_append_literal(&sql, mark->pipeline);
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

Rc
work_list_give_up(PgConn *target, const WorkMark *mark, const CopyTable *table,
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
 * The lock on the run's row keeps a new token from being taken before this is
 * committed.
 */
void
work_list_append_mark(Buf *sql, const WorkMark *mark, const CopyTable *table,
					  int64_t rows)
{
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
			   mark->token, rows,
			   LSN_ARGS(table->unlogged ? (Lsn) 0 : mark->watermark));
	buf_append_literal(sql, mark->pipeline);
	buf_append_string(sql, " AND (schema_name, table_name) = (");
	append_name(sql, table);
	buf_append_string(
		sql, ") AND EXISTS (SELECT FROM held) RETURNING 1)"
			 " SELECT 1 / count(*) FROM marked; " PGCONN_SET_LOCAL_OWN_PATH_SQL
			 "; COMMIT");
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
	bool exist;
	Rc rc = look_for_tables(target, &exist, err);

	if (rc == RC_OK && exist)
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

	return pgconn_exec_params(target, sql, 1, params, NULL, err);
}
