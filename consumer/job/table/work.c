/*
 * work.c
 *    Opens the connections, finds tables by name, and reads and writes their
 *    rows.
 */
#include "job/table/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/own_command.h"
#include "check/ends.h"
#include "control/copy/copied_table.h"
#include "control/copy/index_build.h"
#include "control/schema.h"
#include "control/switch_table.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "net/writer.h"
#include "source/slot.h"

#define APPLICATION_NAME  "penstock table"
#define ARENA_BLOCK_BYTES (4 * KB)

/* First key of the advisory locks: "pens" in ASCII. */
#define LOCK_CLASS     "1885695603"

#define LOCK_ATTEMPTS  30
#define LOCK_PERIOD_MS 100

/* Maximum number of bytes of the pipeline's name in the name of a table's slot;
 * "_t" and the table's OID follow. */
#define SLOT_NAME_BYTES_MAX 50

/*
 * Milliseconds between two queries whether the follower has read the changed
 * rows of penstock.table_state.
 */
#define NOTICE_INTERVAL_MS 50

/* Time after which we log that we wait for the follower. */
#define NOTICE_PATIENCE_MS 5000

/* Attempts to drop a slot, which is in use until its walsender has noticed that
 * the connection is closed. */
#define SLOT_DROP_ATTEMPTS  100
#define SLOT_DROP_PERIOD_MS 100

/* invalid_parameter_value: the error of parse_ident() for an invalid name. */
#define NO_NAME_SQLSTATE "22023"

/* object_in_use */
#define IN_USE_SQLSTATE "55006"


/* ---- Connections ---- */

static Rc
open_server(PgConn **conn, const char *conninfo, const char *label,
			PgConnKind kind, Error *err)
{
	const PgConnOptions options = {
		.conninfo = conninfo,
		.label = label,
		.application_name = APPLICATION_NAME,
		.kind = kind,
	};

	return pgconn_open(conn, &options, err);
}

Rc
table_open_replication(const Config *config, PgConn **conn, Error *err)
{
	return open_server(conn, config->source, "source", PGCONN_REPLICATION, err);
}

static Rc
identify_source(TableWork *work, Error *err)
{
	PgConn *replication = NULL;
	Rc rc = table_open_replication(work->config, &replication, err);

	if (rc == RC_OK)
		rc = slot_read_history(replication, &work->history, err);
	pgconn_close(replication);
	return rc;
}

/*
 * Checks that the pipeline has followed the source's current timeline, because
 * watermarks of tables are LSNs of the timeline in the pipeline's progress.
 */
static MUST_CHECK Rc
check_timeline(const TableWork *work, const TableTarget *target, Error *err)
{
	const SourceIdentity *source = &work->history.identity;
	const SourceIdentity *known = &target->progress.source;
	Rc rc;

	if (known->timeline == source->timeline)
		return RC_OK;
	rc = error_set(err, ERR_CONNECT,
				   "pipeline \"%s\" has not been followed from the source's "
				   "timeline %u",
				   work->config->name, source->timeline);
	error_detail(err, "The progress on %s is of timeline %u.", target->label,
				 known->timeline);
	error_hint(err,
			   "The source is another server than before, or was restored.  "
			   "Run \"%s\" first.",
			   OWN_COMMAND("follow"));
	return rc;
}

const char *
table_command(const TableWork *work, const char *verb)
{
	ASSERT(work->name_count > 0);
	return arena_strdup(
		work->arena,
		OWN_COMMAND_TABLE(verb, work->names[0].schema, work->names[0].name));
}

static Rc
require_progress(const TableWork *work, const TableTarget *target, Error *err)
{
	const char *name = work->config->name;
	Rc rc = RC_OK;

	ASSERT(target->conn != NULL);
	/* A table whose writes were moved to the target must not be copied over. */
	if (progress_is_switched(&target->progress))
		return progress_table_check_open(target->conn, name, err);
	if (!target->progress.exists)
	{
		rc = error_set(err, ERR_CONFIG, "%s has no progress of pipeline \"%s\"",
					   target->label, name);
		error_hint(err, "Copy the data first: \"%s\".", OWN_COMMAND("clone"));
	}
	return rc;
}

static MUST_CHECK Rc
check_history(const TableWork *work, const TableTarget *target, Error *err)
{
	Rc rc = history_prove(&work->history,
						  &(HistoryPoint){.source = &target->progress.source,
										  .lsn = target->progress.end_lsn,
										  .label = target->label,
										  .pipeline = work->config->name_asked},
						  err);
	return rc == RC_OK ? check_timeline(work, target, err) : rc;
}

static MUST_CHECK Rc
share_move(const TableWork *work, const TableTarget *target, const char *move,
		   Error *err)
{
	const char *holder = NULL;
	bool taken;
	Rc rc = switch_table_share(target->conn, move, work->arena, &taken, &holder,
							   err);

	if (rc != RC_OK || taken)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "the writes of pipeline \"%s\" are being moved now", move);
	error_detail(err, "On %s that is %s.", target->label, holder);
	error_hint(err, "Wait until that has ended, and look at \"penstock "
					"status\" then.");
	return rc;
}

/*
 * Keeps the writes from being moved to the target until we have ended: what a
 * copy empties and fills would have been written there since.  A pipeline whose
 * name ends like that of a way back may be one, and is moved under the name of
 * the pipeline in the other direction.
 */
static MUST_CHECK Rc
keep_switch_out(const TableWork *work, const TableTarget *target, Error *err)
{
	const char *name = work->config->name;
	size_t length = strlen(name);
	size_t suffix = strlen(CONFIG_BACK_SUFFIX);
	Rc rc = share_move(work, target, name, err);

	if (rc == RC_OK && length > suffix &&
		strcmp(name + length - suffix, CONFIG_BACK_SUFFIX) == 0)
		rc = share_move(
			work, target,
			arena_printf(work->arena, "%.*s", (int) (length - suffix), name),
			err);
	return rc;
}

static Rc
open_target(TableWork *work, int number, Error *err)
{
	TableTarget *target = &work->targets[number];
	const PgConnOptions options = {
		.conninfo = work->config->targets[number],
		.label = target->label,
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};
	bool marked;
	Rc rc;

	ASSERT(number == work->target_count);
	config_label_target(work->config, number, target->label);
	target->conninfo = work->config->targets[number];
	work->target_count++;
	rc = writer_open(&target->conn, &options, work->config->name, &marked, err);
	/* States that others rely on must survive a crash of the target. */
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn,
						 "SET synchronous_commit = local; SET jit = off", NULL,
						 err);
	if (rc == RC_OK)
		rc = keep_switch_out(work, target, err);
	if (rc == RC_OK)
		rc = progress_table_read(target->conn, work->config->name,
								 &target->progress, err);
	if (rc == RC_OK && !target->progress.exists)
		rc = ends_check(work->source, target->conn, work->config->name, NULL,
						err);
	if (rc == RC_OK)
		rc = require_progress(work, target, err);
	if (rc == RC_OK)
		rc = control_upgrade(target->conn, err);
	return rc;
}

static Rc
check_slot(const TableWork *work, Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(work->source, work->config->name, &slot, err);

	if (rc == RC_OK)
		rc = slot_require_usable(&slot, work->config->name, err);
	return rc;
}

static Rc
open_all(TableWork *work, Error *err)
{
	const Config *config = work->config;
	Rc rc = open_server(&work->source, config->source, "source", PGCONN_DATA,
						err);

	if (rc == RC_OK)
		rc = pgconn_exec(work->source, "SET jit = off", NULL, err);
	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = open_target(work, i, err);
	if (rc == RC_OK)
		rc = check_slot(work, err);
	/* Read the source's end of WAL after the progress, because a follower may
	 * advance the progress meanwhile. */
	if (rc == RC_OK)
		rc = identify_source(work, err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = check_history(work, &work->targets[i], err);
	return rc;
}

static void
close_all(TableWork *work)
{
	for (int i = 0; i < work->target_count; i++)
	{
		writer_end(work->targets[i].conn, work->config->name);
		pgconn_close(work->targets[i].conn);
		work->targets[i].conn = NULL;
	}
	work->target_count = 0;
	history_release(&work->history);
	pgconn_close(work->source);
	work->source = NULL;
}

Rc
table_work_open(TableWork *work, const Config *config, Error *err)
{
	*work = (TableWork){.config = config,
						.arena = arena_new(ARENA_BLOCK_BYTES)};
	return open_all(work, err);
}

void
table_work_close(TableWork *work)
{
	close_all(work);
	arena_free(work->arena);
	*work = (TableWork){0};
}


/* ---- Names ---- */

static void
set_names(TableWork *work, const PGresult *result)
{
	Buf text;

	ASSERT(PQntuples(result) > 0);
	work->name_count = PQntuples(result);
	work->names = arena_calloc(work->arena, (size_t) work->name_count,
							   sizeof(TableName));
	work->tables = arena_calloc(work->arena, (size_t) work->name_count,
								sizeof(CopiedTable));
	for (int i = 0; i < work->name_count; i++)
		work->names[i] = (TableName){
			.schema = arena_strdup(work->arena, PQgetvalue(result, i, 0)),
			.name = arena_strdup(work->arena, PQgetvalue(result, i, 1)),
		};
	/* The result has no OIDs if the table does not exist on the source. */
	for (int i = 0; i < work->name_count; i++)
		work->tables[i] = (CopiedTable){
			.name = work->names[i],
			.oid = PQnfields(result) > 2
					   ? (uint32_t) strtoul(PQgetvalue(result, i, 2), NULL, 10)
					   : 0,
			.copied = true,
		};
	buf_init(&text, BUF_TEXT_MAX);
	sql_append_qualified(&text, work->names[0].schema, work->names[0].name);
	work->qualified = arena_strdup(work->arena, text.data);
	buf_release(&text);
}

OidList
table_oids(const TableWork *work)
{
	OidList list = {.oids = arena_calloc(work->arena, (size_t) work->name_count,
										 sizeof(uint32_t))};

	ASSERT(work->name_count > 0);
	while (list.count < work->name_count)
	{
		list.oids[list.count] = work->tables[list.count].oid;
		list.count++;
	}
	return list;
}

/* Reads the names of the table and its partitions; the table comes first. */
static Rc
read_family(TableWork *work, Error *err)
{
	static const char sql[] =
		"SELECT n.nspname, c.relname, c.oid FROM (SELECT $1::oid AS relid"
		" UNION SELECT l.relid FROM pg_partition_tree($1::oid) l) f"
		" JOIN pg_class c ON c.oid = f.relid"
		" JOIN pg_namespace n ON n.oid = c.relnamespace"
		" ORDER BY f.relid <> $1::oid, f.relid";
	char oid[16];
	const char *params[] = {oid};
	PGresult *result = NULL;
	Rc rc;

	ASSERT(work->oid != 0);
	snprintf(oid, sizeof(oid), "%u", work->oid);
	rc = pgconn_exec_params(work->source, sql, 1, params, &result, err);
	if (rc == RC_OK && PQntuples(result) == 0)
		rc = error_set(err, ERR_CONFIG,
					   "the table was dropped on the source just now");
	if (rc == RC_OK)
		set_names(work, result);
	PQclear(result);
	return rc;
}

/* Error: the source has no relation of this name, or one that cannot be
 * followed, such as a view. */
static Rc
refuse_missing(TableWork *work, const char *name, Error *err)
{
	static const char sql[] =
		"SELECT CASE WHEN c.relkind IN ('r', 'p') THEN"
		"  CASE c.relpersistence WHEN 't' THEN 'a temporary table'"
		"   WHEN 'u' THEN 'an unlogged table' ELSE 'a table of the system' END"
		" WHEN c.relkind = 'v' THEN 'a view'"
		" WHEN c.relkind = 'm' THEN 'a materialized view'"
		" WHEN c.relkind = 'f' THEN 'a foreign table'"
		" WHEN c.relkind = 'S' THEN 'a sequence' ELSE 'no table' END"
		" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" CROSS JOIN parse_ident($1) p"
		" WHERE c.relname = p[cardinality(p)]"
		" AND (cardinality(p) = 1 OR n.nspname = p[1]) LIMIT 1";
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(work->source, sql, 1, params, &result, err);

	if (rc == RC_OK && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "\"%s\" is %s on the source, which cannot be followed",
					   name, PQgetvalue(result, 0, 0));
		error_hint(err, "The source's WAL has no rows of it.");
	}
	else if (rc == RC_OK)
		rc = error_set(err, ERR_CONFIG,
					   "table \"%s\" does not exist on the source", name);
	PQclear(result);
	return rc;
}

/* Takes a table that does not exist on the source; its name must contain the
 * schema. */
static Rc
take_missing(TableWork *work, const char *name, bool must_exist, Error *err)
{
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc;

	if (must_exist)
		return refuse_missing(work, name, err);
	rc = pgconn_exec_params(work->source,
							"SELECT p[1], p[2] FROM parse_ident($1) p"
							" WHERE cardinality(p) = 2",
							1, params, &result, err);
	if (rc == RC_OK && PQntuples(result) == 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "table \"%s\" does not exist on the source", name);
		error_hint(err, "If it did, give its name as SCHEMA.TABLE.");
	}
	if (rc == RC_OK)
		set_names(work, result);
	PQclear(result);
	return rc;
}

static Rc
ambiguous(const char *name, const PGresult *result, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "there are %d tables \"%s\" on the source",
					  PQntuples(result), name);

	ASSERT(PQntuples(result) > 1);
	error_hint(err, "Say which: %s.%s, for example.", PQgetvalue(result, 0, 1),
			   name);
	return rc;
}

/* Finds a table on the source by its name, which is parsed as in SQL.  The
 * schema may be left out. */
static Rc
resolve(TableWork *work, const char *name, bool must_exist, Error *err)
{
	static const char sql[] =
		"SELECT c.oid, n.nspname, c.relkind = 'p'"
		" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" CROSS JOIN parse_ident($1) p"
		" WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'"
		" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'penstock')"
		" AND CASE cardinality(p) WHEN 1 THEN c.relname = p[1]"
		"  WHEN 2 THEN n.nspname = p[1] AND c.relname = p[2]"
		"  ELSE false END"
		" ORDER BY n.nspname";
	const char *params[] = {name};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(work->source, sql, 1, params, &result, err);

	work->oid = 0;
	if (rc == RC_FAIL && strcmp(err->sqlstate, NO_NAME_SQLSTATE) == 0)
	{
		error_reset(err);
		rc = error_set(err, ERR_CONFIG, "\"%s\" is not the name of a table",
					   name);
		error_hint(err, "Tables are named one by one, as in SQL; there are no "
						"patterns.");
	}
	else if (rc == RC_OK && PQntuples(result) == 0)
		rc = take_missing(work, name, must_exist, err);
	else if (rc == RC_OK && PQntuples(result) > 1)
		rc = ambiguous(name, result, err);
	else if (rc == RC_OK)
	{
		work->oid = (uint32_t) strtoul(PQgetvalue(result, 0, 0), NULL, 10);
		work->partitioned = sql_bool(result, 0, 2);
		rc = read_family(work, err);
	}
	PQclear(result);
	return rc;
}

/* Tries to take the advisory lock of the table.  It belongs to our session with
 * the source, so it is released also if we crash. */
static Rc
try_lock(TableWork *work, bool *locked, Error *err)
{
	static const char sql[] = "SELECT pg_try_advisory_lock(" LOCK_CLASS
							  ", hashtext($1 || ' ' || $2))";
	const char *params[] = {work->config->name, work->qualified};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(work->source, sql, LENGTH_OF(params), params,
							   &result, err);

	ASSERT(work->qualified != NULL);
	*locked = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/* Takes the advisory lock; tries for some time, because the session of a
 * command that was killed may still hold it. */
static Rc
lock(TableWork *work, Error *err)
{
	for (int attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++)
	{
		bool locked;
		Rc rc = try_lock(work, &locked, err);

		if (rc != RC_OK || locked)
			return rc;
		rc = interrupt_wait(-1, 0, LOCK_PERIOD_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
	return error_set(err, ERR_CONFIG,
					 "another \"penstock table\" works on table %s",
					 work->qualified);
}

void
table_work_leave(TableWork *work)
{
	Error ignored = {0};

	if (pgconn_exec(work->source, "SELECT pg_advisory_unlock_all()", NULL,
					&ignored) == RC_FAIL)
		error_reset(&ignored);
}

static Rc
read_rows(TableWork *work, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
	{
		TableTarget *target = &work->targets[i];


		target->changed_token = 0;
		rc = copied_table_look(target->conn, work->config->name, work->tables,
							   work->name_count, &target->copied, err);
		if (rc != RC_OK)
			return rc;
		rc = table_state_read(target->conn, work->config->name, &work->names[0],
							  &target->row, err);
	}
	return rc;
}

Rc
table_work_take(TableWork *work, const char *name, bool must_exist, Error *err)
{
	Rc rc = resolve(work, name, must_exist, err);

	if (rc == RC_OK)
		rc = lock(work, err);
	if (rc == RC_OK)
		rc = read_rows(work, err);
	if (rc != RC_OK)
		return rc;
	snprintf(work->slot, sizeof(work->slot), "%.*s_t%u", SLOT_NAME_BYTES_MAX,
			 work->config->name, work->oid);
	for (int i = 0; i < work->target_count; i++)
		if (work->targets[i].row.slot[0] != '\0')
			snprintf(work->slot, sizeof(work->slot), "%s",
					 work->targets[i].row.slot);
	return RC_OK;
}

Rc
table_work_reconnect(TableWork *work, Error *err)
{
	Rc rc;

	close_all(work);
	rc = open_all(work, err);
	if (rc == RC_OK)
		rc = lock(work, err);
	if (rc == RC_OK)
		rc = read_rows(work, err);
	return rc;
}


/* ---- Rows ---- */

Rc
table_begin(TableWork *work, TableTarget *target, Error *err)
{
	const char *pipeline = work->config->name;
	Rc rc = pgconn_exec(target->conn, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = progress_table_lock(target->conn, pipeline, &target->progress,
								 err);
	if (rc == RC_OK)
		rc = slot_read_log_end(work->source, &work->history, err);
	if (rc == RC_OK)
		rc = check_history(work, target, err);
	if (rc == RC_OK)
		rc = table_state_read(target->conn, pipeline, &work->names[0],
							  &target->row, err);
	return rc;
}

/* Whether a follower leaves a table in this state out; a change between two
 * such states does not matter to it. */
static bool
is_left_out(TableStateKind kind)
{
	return kind != TABLE_READY && kind != TABLE_JOINING;
}

Rc
table_disturb(TableWork *work, TableTarget *target, Error *err)
{
	Rc rc = progress_table_disturb(target->conn, work->config->name,
								   &target->progress, err);

	target->changed_token = target->progress.lease_token;
	return rc;
}

Rc
table_write(TableWork *work, TableTarget *target, const TableRow *row,
			Error *err)
{
	Rc rc = RC_OK;

	ASSERT(pgconn_can_be_inside(target->conn));
	ASSERT(work->name_count > 0);
	if (!target->row.exists || !is_left_out(target->row.kind) ||
		!is_left_out(row->kind))
		rc = table_disturb(work, target, err);
	for (int i = 0; i < work->name_count && rc == RC_OK; i++)
		rc = table_state_write(target->conn, work->config->name,
							   &work->names[i], row, err);
	target->row = *row;
	target->row.exists = true;
	return rc;
}

Rc
table_end(TableTarget *target, Rc rc, Error *err)
{
	Error ignored = {0};

	if (rc == RC_OK)
		return pgconn_exec(target->conn, "COMMIT", NULL, err);
	if (pgconn_exec(target->conn, "ROLLBACK", NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
	return rc;
}


Rc
table_note_copied(TableWork *work, TableTarget *target, Error *err)
{
	ASSERT(work->oid != 0);
	target->copied = true;
	return copied_table_add(target->conn, work->config->name, work->tables,
							work->name_count, err);
}


/* ---- The follower ---- */

/*
 * Writes a logical message to the source's WAL, so that the follower writes
 * progress, and notices that its lease token is not valid any more.  It would
 * notice later anyway, so an error, such as a missing privilege, is ignored.
 */
static void
nudge_follower(TableWork *work)
{
	Error ignored = {0};

	if (pgconn_exec(work->source,
					"SELECT pg_logical_emit_message(true, 'penstock', '')",
					NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
}

/* Sets *seen to whether the follower has a newer token than that of our change,
 * or the slot is unused: a follower reads the rows when it starts. */
static Rc
follower_has_seen(TableWork *work, TableTarget *target, bool *seen, Error *err)
{
	SlotInfo slot = {0};
	Rc rc = progress_table_read(target->conn, work->config->name,
								&target->progress, err);

	ASSERT(target->changed_token != 0);
	if (rc == RC_OK)
		rc = slot_read(work->source, work->config->name, &slot, err);
	*seen = target->progress.lease_token > target->changed_token ||
			slot.active_pid == 0;
	return rc;
}

Rc
table_await_follower(TableWork *work, TableTarget *target, Error *err)
{
	int64_t patient_until_us = clock_monotonic_us() + NOTICE_PATIENCE_MS * 1000;
	int64_t nudge_us = 0;

	while (target->changed_token != 0)
	{
		int64_t now_us = clock_monotonic_us();
		bool seen;
		Rc rc = follower_has_seen(work, target, &seen, err);

		if (rc != RC_OK || seen)
			return rc;
		if (now_us > nudge_us)
		{
			nudge_follower(work);
			nudge_us = now_us + 1000000;
		}
		if (now_us > patient_until_us)
		{
			log_info("table",
					 "waiting for the follower, which is busy with a "
					 "transaction on %s",
					 target->label);
			patient_until_us = INT64_MAX;
		}
		rc = interrupt_wait(-1, 0, NOTICE_INTERVAL_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
	return RC_OK;
}


/* ---- The slot ---- */

Rc
table_drop_slot(TableWork *work, Error *err)
{
	ASSERT(work->slot[0] != '\0');
	for (int attempt = 1;; attempt++)
	{
		SlotInfo slot = {0};
		Rc rc = slot_read(work->source, work->slot, &slot, err);

		if (rc != RC_OK || !slot.exists)
			return rc;
		rc = slot_drop(work->source, work->slot, err);
		if (rc == RC_OK || strcmp(err->sqlstate, IN_USE_SQLSTATE) != 0 ||
			attempt == SLOT_DROP_ATTEMPTS)
			return rc;
		error_reset(err);
		rc = interrupt_wait(-1, 0, SLOT_DROP_PERIOD_MS, err);
		if (rc == RC_FAIL)
			return rc;
	}
}

Rc
table_cancel_builds(TableTarget *target, const char *qualified, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT ");
	index_build_append_cancel(&sql, qualified);
	return sql_run(target->conn, &sql, NULL, err);
}
