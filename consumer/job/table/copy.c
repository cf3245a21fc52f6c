/*
 * copy.c
 *    The steps of the copy of a table.
 */
#include "job/table/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "catalog/match.h"
#include "control/definition_table.h"
#include "copy/rows/data.h"
#include "copy/schema/build.h"
#include "copy/schema/programs.h"
#include "copy/schema/schema.h"
#include "job/table/ask.h"
#include "job/table/publication.h"
#include "net/sql.h"
#include "pipeline/beside/definitions.h"
#include "sequence/sequences.h"
#include "source/slot.h"

/* feature_not_supported: the error of TRUNCATE for a table to which foreign
 * keys of other tables refer. */
#define REFERENCED_SQLSTATE "0A000"

typedef struct TableCopy
{
	TableWork *work;
	bool anew;
	PgConn *replication; /* replication connection that exports the snapshot */
	SlotSnapshot snapshot;
	bool asked;        /* whether the questions of ask.h were asked */
	bool slot_begun;   /* whether the slot may exist */
	bool snapshot_due; /* whether a newer snapshot has to be taken before rows
						* are read */
	bool changed;      /* whether the snapshot does not show all rows any more:
						* see copy/rows/guard.h */
	CopyCatalog *catalog;
	DefinitionSet *definitions; /* definition of the table as of the snapshot;
								 * NULL: schema changes are not followed */
	Programs programs;
	Schema *schema; /* dump of the table's definition; NULL: the table exists on
					 * all targets so far */
	Build *builds[CONFIG_TARGETS_MAX]; /* builds of indexes on the targets;
										* NULL: not opened yet */
} TableCopy;


/* ---- The state ---- */

static Rc
look_for_rows(TableWork *work, TableTarget *target, bool *exists,
			  bool *has_rows, Error *err)
{
	const char *params[] = {work->qualified};
	PGresult *result = NULL;
	Buf sql;
	Rc rc = pgconn_exec_params(target->conn,
							   "SELECT to_regclass($1) IS NOT NULL", 1, params,
							   &result, err);

	*exists = rc == RC_OK && sql_bool(result, 0, 0);
	*has_rows = false;
	PQclear(result);
	if (!*exists)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT EXISTS (SELECT FROM %s%s)",
			   work->partitioned ? "" : "ONLY ", work->qualified);
	result = NULL;
	rc = sql_run(target->conn, &sql, &result, err);
	*has_rows = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/* Refuses a table that has rows on a target, unless these are from a copy of
 * ours or are to be removed. */
static Rc
refuse_rows(TableCopy *copy, TableTarget *target, Error *err)
{
	bool exists;
	bool has_rows;
	Rc rc;

	if (copy->anew || (target->row.exists && target->row.kind == TABLE_COPYING))
		return RC_OK;
	rc = look_for_rows(copy->work, target, &exists, &has_rows, err);
	if (rc != RC_OK || !has_rows)
		return rc;
	rc = error_set(err, ERR_CONFIG, "table %s on %s is not empty",
				   copy->work->qualified, target->label);
	error_hint(err, "Empty it, or have what it has replaced with \"%s\".",
			   table_command(copy->work, "resync"));
	return rc;
}

/* Sets the state to "copying", so that the follower leaves the table out. */
static Rc
leave_out(TableCopy *copy, TableTarget *target, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = table_begin(work, target, err);
	TableRow row = {.kind = TABLE_COPYING, .created = target->row.created};
	bool removed;

	/* The row names the slot, so that a later run finds it after a crash. */
	snprintf(row.slot, sizeof(row.slot), "%s", work->slot);

	/* The changes that an old slot has kept are not needed by a new copy. */
	if (rc == RC_OK)
		rc = progress_table_remove(target->conn, work->slot, &removed, err);
	/* If the state was "copying" already, the run that has set it may have been
	 * killed before the follower noticed it. */
	if (rc == RC_OK)
		rc = table_disturb(work, target, err);
	if (rc == RC_OK)
		rc = table_write(work, target, &row, err);
	return table_end(target, rc, err);
}

static Rc
leave_out_all(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = RC_OK;

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = refuse_rows(copy, &work->targets[i], err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = leave_out(copy, &work->targets[i], err);
	FAULT("table.copying");
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = table_await_follower(work, &work->targets[i], err);
	return rc;
}

/* Sets the state to "catching up", when the copy is complete. */
static Rc
say_copied(TableCopy *copy, TableTarget *target, Error *err)
{
	TableWork *work = copy->work;
	Lsn lsn = copy->snapshot.consistent_lsn;
	TableRow row = {.kind = TABLE_CATCHING_UP, .watermark = lsn};
	Rc rc = table_begin(work, target, err);

	/* With 0 the catch-up would apply the changes before the copy again. */
	CHECK(lsn != 0);
	snprintf(row.slot, sizeof(row.slot), "%s", work->slot);
	if (rc == RC_OK)
		rc = progress_table_begin(target->conn, work->slot,
								  &work->history.identity, lsn, err);
	if (rc == RC_OK && copy->definitions != NULL)
		rc = definitions_write(target->conn, work->slot, copy->definitions, lsn,
							   err);
	if (rc == RC_OK && copy->definitions != NULL)
		rc = definition_table_lend_types(target->conn, work->config->name,
										 work->slot, lsn, err);
	if (rc == RC_OK)
		rc = table_write(work, target, &row, err);
	if (rc == RC_OK)
		rc = table_note_copied(work, target, err);
	return table_end(target, rc, err);
}


/* ---- The source ---- */

static Rc
nothing_published(const TableWork *work, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "table %s is not published by itself by \"%s\"",
					  work->qualified, work->config->publications);

	error_hint(err, "A partition of a table that is published as a whole is "
					"followed with that table.");
	return rc;
}

/* Creates the slot, after dropping one of the same name if there is one. */
static Rc
create_slot(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = table_drop_slot(work, err);

	if (rc != RC_OK)
		return rc;
	log_info("table",
			 "creating replication slot \"%s\"; waits for transactions that "
			 "are open on the source",
			 work->slot);
	copy->slot_begun = true;
	rc = slot_create(copy->replication, work->source, work->slot, SLOT_LASTING,
					 &copy->snapshot, err);
	FAULT("table.slot_created");
	ASSERT(rc != RC_OK || copy->snapshot.consistent_lsn != 0);
	return rc;
}

static Rc
read_catalog(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc;

	ASSERT(work->oid != 0);
	catalog_free(copy->catalog);
	copy->catalog = NULL;
	rc = catalog_read_table(&copy->catalog, work->source,
							work->config->publications, work->oid, err);
	if (rc == RC_OK && copy->catalog->table_count == 0)
		rc = nothing_published(work, err);
	return rc;
}

/* Asks what would make the copy fail, before anything is changed; sets `asked`.
 * Only a table that is published already is in the catalog. */
static Rc
ask_first(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = catalog_read_table(&copy->catalog, work->source,
							   work->config->publications, work->oid, err);

	if (rc == RC_OK && copy->catalog->table_count > 0)
	{
		rc = table_ask(work, copy->catalog, err);
		copy->asked = true;
	}
	return rc;
}

static Rc
open_snapshot(TableCopy *copy, Error *err)
{
	Rc rc = table_open_replication(copy->work->config, &copy->replication, err);

	if (rc == RC_OK)
		rc = create_slot(copy, err);
	if (rc == RC_OK)
		rc = read_catalog(copy, err);
	if (rc == RC_OK && !copy->asked)
		rc = table_ask(copy->work, copy->catalog, err);
	return rc;
}

/* Reads the definition of the table as of the snapshot, with which later schema
 * changes are compared. */
static Rc
read_definitions(TableCopy *copy, Error *err)
{
	const TableWork *work = copy->work;
	OidList tables = table_oids(work);
	const DefinitionsWanted wanted = {
		.publications = work->config->publications,
		.tables = &tables,
		.tables_only = true};

	ASSERT(copy->snapshot.name[0] != '\0');
	if (config_schema_policy(work->config) == SCHEMA_OFF)
		return RC_OK;
	copy->definitions = definition_set_new();
	return definitions_read(work->source, copy->snapshot.name, &wanted,
							copy->definitions, err);
}

static void
release_source(TableCopy *copy)
{
	pgconn_close(copy->replication);
	copy->replication = NULL;
}

static Rc
find_programs(TableCopy *copy, Error *err)
{
	const TableWork *work = copy->work;
	int major = pgconn_server_version_num(work->source) / 10000;

	for (int i = 0; i < work->target_count; i++)
	{
		int other = pgconn_server_version_num(work->targets[i].conn) / 10000;

		major = other > major ? other : major;
	}
	return programs_find(&copy->programs, work->config->pg_bindir, major,
						 work->arena, err);
}

/* Dumps the definition of the table, for the first target that lacks it. */
static Rc
dump_schema(TableCopy *copy, Error *err)
{
	const SchemaOptions options = {
		.source = copy->work->source,
		.catalog = copy->catalog,
		.programs = &copy->programs,
		.snapshot = copy->snapshot.name,
		.jobs = copy->work->config->jobs,
		.no_owner = copy->work->config->no_owner,
		.no_privileges = copy->work->config->no_privileges,
		.no_tablespaces = copy->work->config->no_tablespaces,
		.with_data = true,
	};
	Rc rc;

	ASSERT(copy->catalog != NULL);
	if (copy->schema != NULL)
		return RC_OK;
	rc = find_programs(copy, err);
	if (rc == RC_OK)
		rc = schema_open(&copy->schema, &options, err);
	return rc;
}


/* ---- The targets ---- */

static Rc
run_on_table(TableTarget *target, const char *before, const CopyTable *table,
			 Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	/* Triggers that fire may need the search_path of the database. */
	buf_printf(&sql,
			   PGCONN_SET_LOCAL_OWN_PATH_SQL
			   "; %s%s; " PGCONN_SET_LOCAL_PLAIN_PATH_SQL,
			   before, table->qualified);
	return sql_run(target->conn, &sql, NULL, err);
}

/* Sets *partitioned to whether the table is partitioned on the target, which
 * may differ from the source. */
static Rc
read_is_partitioned(TableTarget *target, const CopyTable *table,
					bool *partitioned, Error *err)
{
	const char *params[] = {table->qualified};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target->conn,
							   "SELECT FROM pg_class WHERE relkind = 'p'"
							   " AND oid = to_regclass($1)",
							   LENGTH_OF(params), params, &result, err);

	*partitioned = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

/* Empties a table with TRUNCATE, or with DELETE if foreign keys of other tables
 * refer to it. */
static Rc
empty_table(TableTarget *target, const CopyTable *table, Error *err)
{
	bool partitioned = false;
	Rc rc = read_is_partitioned(target, table, &partitioned, err);

	ASSERT(rc != RC_OK || pgconn_can_be_outside(target->conn));
	if (rc == RC_OK)
		rc = table_cancel_builds(target, table->qualified, err);
	if (rc != RC_OK)
		return rc;
	rc = run_on_table(target, partitioned ? "TRUNCATE " : "TRUNCATE ONLY ",
					  table, err);
	if (rc == RC_OK || strcmp(err->sqlstate, REFERENCED_SQLSTATE) != 0)
		return rc;
	error_reset(err);
	rc = pgconn_exec(target->conn,
					 "BEGIN; SET LOCAL session_replication_role = replica",
					 NULL, err);
	if (rc == RC_OK)
		rc = run_on_table(target,
						  partitioned ? "DELETE FROM " : "DELETE FROM ONLY ",
						  table, err);
	return table_end(target, rc, err);
}

/* Drops a table on the target that an interrupted copy of ours has created. */
static Rc
drop_unfinished(TableCopy *copy, TableTarget *target, Error *err)
{
	Buf sql;

	ASSERT(target->row.created);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "DROP TABLE IF EXISTS %s", copy->work->qualified);
	return sql_run(target->conn, &sql, NULL, err);
}

/* Records on the target that we create the table there; before we do. */
static Rc
note_created(TableCopy *copy, TableTarget *target, Error *err)
{
	TableRow row;
	Rc rc = table_begin(copy->work, target, err);

	ASSERT(copy->schema != NULL);
	row = target->row;
	row.created = true;
	if (rc == RC_OK)
		rc = table_write(copy->work, target, &row, err);
	return table_end(target, rc, err);
}

static Rc
restore(TableCopy *copy, TableTarget *target, SchemaSection section, Error *err)
{
	ASSERT(copy->schema != NULL);
	return schema_restore(copy->schema, target->conn, section, NULL, err);
}

/* Queries the source for the current table, if it is a partition, and for its
 * own partitions, with their parents and bounds as SQL. */
static Rc
read_partitions(TableWork *work, PGresult **result, Error *err)
{
	static const char sql[] =
		"SELECT format('%I.%I', n.nspname, c.relname),"
		" format('%I.%I', pn.nspname, p.relname),"
		" pg_get_expr(c.relpartbound, c.oid),"
		" coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), ''),"
		" t.level = 0"
		" FROM pg_partition_tree($1::oid::regclass) t"
		" JOIN pg_class c ON c.oid = t.relid"
		" JOIN pg_namespace n ON n.oid = c.relnamespace"
		" JOIN pg_inherits i ON i.inhrelid = c.oid"
		" JOIN pg_class p ON p.oid = i.inhparent"
		" JOIN pg_namespace pn ON pn.oid = p.relnamespace"
		" WHERE c.relispartition ORDER BY t.level, c.oid";
	char oid[16];
	const char *params[] = {oid};

	snprintf(oid, sizeof(oid), "%u", work->oid);
	return pgconn_exec_params(work->source, sql, 1, params, result, err);
}

static Rc
make_partition(TableTarget *target, const PGresult *partitions, int row,
			   Error *err)
{
	Buf sql;

	ASSERT(row >= 0 && row < PQntuples(partitions));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "CREATE TABLE IF NOT EXISTS %s PARTITION OF %s %s%s",
			   PQgetvalue(partitions, row, 0), PQgetvalue(partitions, row, 1),
			   PQgetvalue(partitions, row, 2), PQgetvalue(partitions, row, 3));
	log_info("table", "%s: %s", target->label, sql.data);
	return sql_run(target->conn, &sql, NULL, err);
}

/*
 * Creates a partition with CREATE TABLE … PARTITION OF, if the current table is
 * a partition and its parent exists on the target; it then gets the parent's
 * indexes and constraints.  Otherwise sets *made to false.
 */
static Rc
make_partitions(TableWork *work, TableTarget *target, bool *made, Error *err)
{
	PGresult *partitions = NULL;
	PGresult *parent = NULL;
	const char *params[1];
	Rc rc = read_partitions(work, &partitions, err);
	bool is_partition = rc == RC_OK && PQntuples(partitions) > 0 &&
						sql_bool(partitions, 0, 4);

	*made = false;
	if (is_partition)
	{
		params[0] = PQgetvalue(partitions, 0, 1);
		rc = pgconn_exec_params(target->conn, "SELECT to_regclass($1)", 1,
								params, &parent, err);
		*made = rc == RC_OK && !PQgetisnull(parent, 0, 0);
	}
	for (int i = 0; *made && i < PQntuples(partitions) && rc == RC_OK; i++)
		rc = make_partition(target, partitions, i, err);
	PQclear(parent);
	PQclear(partitions);
	return rc;
}

/* Makes sure that the table exists on the target and is empty. */
static Rc
make_table(TableCopy *copy, TableTarget *target, Error *err)
{
	TableWork *work = copy->work;
	bool exists;
	bool has_rows;
	Rc rc = target->row.created ? drop_unfinished(copy, target, err) : RC_OK;

	ASSERT(copy->catalog != NULL);
	if (rc == RC_OK)
		rc = look_for_rows(work, target, &exists, &has_rows, err);
	if (rc != RC_OK)
		return rc;
	if (exists)
	{
		for (int i = 0; i < copy->catalog->table_count && rc == RC_OK; i++)
			rc = empty_table(target, &copy->catalog->tables[i], err);
		return rc;
	}
	log_info("table", "creating table %s on %s", work->qualified,
			 target->label);
	rc = make_partitions(work, target, &exists, err);
	if (rc != RC_OK || exists)
		return rc;
	rc = dump_schema(copy, err);
	if (rc == RC_OK)
		rc = note_created(copy, target, err);
	if (rc == RC_OK)
		rc = restore(copy, target, SCHEMA_BEFORE_DATA, err);
	FAULT("table.created");
	return rc;
}

/* Opens the Build of the indexes and constraints of a target. */
static Rc
open_build(TableCopy *copy, int number, Error *err)
{
	TableTarget *target = &copy->work->targets[number];
	static const BuildList nothing = {0};
	BuildOptions options = {
		.target = target->conninfo,
		.target_label = target->label,
		.jobs = copy->work->config->jobs,
		.list = &nothing,
	};
	Rc rc = RC_OK;

	ASSERT(copy->builds[number] == NULL);
	if (target->row.created)
		rc = schema_read_builds(copy->schema, target->conn, &options.list, err);
	if (rc != RC_OK)
		return rc;
	copy->builds[number] = build_open(&options);
	build_start(copy->builds[number], false);
	return RC_OK;
}

static Rc
renew_snapshot(void *argument, Error *err)
{
	TableCopy *copy = argument;

	copy->snapshot_due = false;
	return create_slot(copy, err);
}

static Rc
copy_rows(TableCopy *copy, int number, Error *err)
{
	TableTarget *target = &copy->work->targets[number];
	const DataOptions options = {
		.copier =
			{
				.source = copy->work->config->source,
				.pipeline = copy->work->config->name,
				.target = target->conninfo,
				.target_label = target->label,
				.snapshot = copy->snapshot.name,
			},
		.jobs = copy->work->config->jobs,
		.build = copy->builds[number],
		.expects_quiet = true,
		.take_snapshot = copy->snapshot_due ? renew_snapshot : NULL,
		.argument = copy,
	};
	DataReport report;
	Rc rc = match_target(copy->catalog, target->conn, err);

	ASSERT(copy->catalog != NULL && copy->builds[number] != NULL);
	FAULT("table.rows");
	if (rc != RC_OK)
		return rc;
	rc = data_copy(copy->catalog, &options, &report, err);
	copy->changed |= report.tables_changed > 0;
	if (rc == RC_OK && report.tables_changed == 0)
		log_info("table",
				 "copied table %s to %s: %" PRId64 " rows, %.1f MB, %.1f MB/s",
				 copy->work->qualified, target->label, report.rows,
				 (double) report.bytes / (double) MB, report.rate);
	return rc;
}

/*
 * Copies the rows to all targets again, under one newer snapshot, after the
 * table was truncated or rewritten on the source before it was read.
 */
static Rc
copy_again(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = read_catalog(copy, err);

	ASSERT(copy->changed);
	copy->changed = false;
	copy->snapshot_due = true;
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		for (int n = 0; n < copy->catalog->table_count && rc == RC_OK; n++)
			rc = empty_table(&work->targets[i], &copy->catalog->tables[n], err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = copy_rows(copy, i, err);
	return rc;
}

/* Waits for the builds of indexes, and creates everything else that comes after
 * the rows. */
static Rc
complete_definition(TableCopy *copy, int number, Error *err)
{
	TableTarget *target = &copy->work->targets[number];
	Build *build = copy->builds[number];
	int sequences;
	Rc rc;

	ASSERT(build != NULL);
	log_info("table", "building indexes and constraints on %s", target->label);
	rc = build_wait(build, NULL, NULL, -1, err);
	if (rc == RC_OK)
		rc = build_add_keys(build, target->conn, false, err);
	if (rc == RC_OK)
		rc = build_wait(build, NULL, NULL, -1, err);
	if (rc == RC_OK)
		rc = restore(copy, target, SCHEMA_AFTER_DATA, err);
	if (rc == RC_OK)
		rc = sequences_copy(copy->catalog, copy->work->source, target->conn,
							&sequences, err);
	return rc;
}

static Rc
complete_target(TableCopy *copy, int number, Error *err)
{
	TableTarget *target = &copy->work->targets[number];
	Rc rc = RC_OK;

	ASSERT(copy->builds[number] != NULL);
	CHECK(!copy->changed);
	if (target->row.created)
		rc = complete_definition(copy, number, err);
	build_analyze(copy->builds[number], copy->catalog);
	if (rc == RC_OK)
		rc = build_wait(copy->builds[number], NULL, NULL, -1, err);
	FAULT("table.copied");
	if (rc == RC_OK)
		rc = say_copied(copy, target, err);
	return rc;
}

static Rc
run(TableCopy *copy, Error *err)
{
	TableWork *work = copy->work;
	Rc rc = ask_first(copy, err);

	if (rc == RC_OK)
		rc = leave_out_all(copy, err);
	if (rc == RC_OK && !work->published_only)
		rc = table_publish(work, err);
	if (rc == RC_OK)
		rc = open_snapshot(copy, err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
	{
		rc = make_table(copy, &work->targets[i], err);
		if (rc == RC_OK)
			rc = open_build(copy, i, err);
		if (rc == RC_OK)
			rc = copy_rows(copy, i, err);
	}
	while (rc == RC_OK && copy->changed)
		rc = copy_again(copy, err);
	if (rc == RC_OK)
		rc = read_definitions(copy, err);
	if (rc != RC_OK)
		return rc;
	release_source(copy);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = complete_target(copy, i, err);
	return rc;
}

/* Drops the slot after a failure, because it would keep WAL in vain. */
static void
undo(TableCopy *copy)
{
	TableWork *work = copy->work;
	Error err = {0};
	Rc rc;

	if (!copy->slot_begun)
		return;
	interrupt_defer(true);
	release_source(copy);
	rc = table_drop_slot(work, &err);
	if (rc == RC_FAIL)
	{
		log_error(LOG_WARNING, "table.slot-left", &err);
		log_warning("table.slot-left",
					"replication slot \"%s\" may be left on the source, where "
					"it keeps WAL: the same command, or \"%s\", removes it",
					work->slot, table_command(work, "remove"));
	}
	error_reset(&err);
	interrupt_defer(false);
}

Rc
table_copy(TableWork *work, bool anew, Error *err)
{
	TableCopy copy = {.work = work, .anew = anew};
	Rc rc = run(&copy, err);

	for (int i = 0; i < work->target_count; i++)
		build_close(copy.builds[i]);
	if (rc != RC_OK)
		undo(&copy);
	schema_close(copy.schema);
	catalog_free(copy.catalog);
	definition_set_free(copy.definitions);
	pgconn_close(copy.replication);
	return rc;
}
