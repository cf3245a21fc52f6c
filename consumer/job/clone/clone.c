/*
 * clone.c
 *    The steps of a clone.
 */
#include "job/clone/clone.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "catalog/match.h"
#include "catalog/settings.h"
#include "control/copy/copied_table.h"
#include "control/copy/table_state.h"
#include "control/schema.h"
#include "copy/rows/data.h"
#include "copy/rows/large_objects.h"
#include "copy/rows/summary.h"
#include "copy/rows/verify.h"
#include "copy/rows/work_tables.h"
#include "copy/schema/objects.h"
#include "job/clone/check.h"
#include "job/clone/copied.h"
#include "job/clone/definitions.h"
#include "job/clone/postponed.h"
#include "job/clone/recover.h"
#include "job/clone/resume.h"
#include "job/clone/several.h"
#include "job/clone/snapshot.h"
#include "job/clone/spread.h"
#include "job/clone/state.h"
#include "job/clone/undo.h"
#include "net/sql.h"
#include "net/writer.h"
#include "pipeline/beside/keys.h"
#include "sequence/sequences.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Maximum number of the database's settings that a warning lists. */
#define SETTINGS_SHOWN 20

static Rc
dump_schema(Clone *clone, Error *err)
{
	const SchemaOptions options = {
		.source = clone->lead->conn,
		.catalog = clone->lead->catalog,
		.programs = &clone->programs,
		.snapshot = clone->lead->snapshot.name[0] != '\0'
						? clone->lead->snapshot.name
						: NULL,
		.jobs = clone->config->jobs,
		.with_data = !clone->config->schema_only,
		.no_owner = clone->config->no_owner,
		.no_privileges = clone->config->no_privileges,
		.no_tablespaces = clone->config->no_tablespaces,
		.pipeline = clone->config->schema_only ? NULL : clone->config->name,
		.resumed = clone->resumed,
	};

	log_info("clone", "dumping the schema");
	return schema_open(&clone->schema, &options, err);
}


/* ---- Targets ---- */

static Rc
restore_schema(Clone *clone, CloneTarget *target, SchemaSection section,
			   Error *err)
{
	if (clone->config->data_only)
		return RC_OK;
	ASSERT(clone->schema != NULL);
	log_info("clone", "restoring %s on %s",
			 section == SCHEMA_BEFORE_DATA
				 ? "the schema"
				 : "triggers and what else follows the data",
			 target->label);
	target->schema_begun = true;
	return schema_restore(clone->schema, target->conn, section, target->build,
						  err);
}

/* Restores the section of the schema before the data, unless the work list says
 * that it is done. */
static Rc
restore_before_data(Clone *clone, CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	int tables;
	int others;
	Rc rc = RC_OK;

	if (clone->config->data_only || target->run.schema == WORK_SCHEMA_DONE)
		return clone_note_definitions(clone, target, err);
	if (target->run.schema == WORK_SCHEMA_BEGUN)
	{
		rc = objects_drop(target->conn, name, &tables, &others, err);
		if (rc == RC_OK)
			log_info("clone", "dropped what there was of the schema on %s",
					 target->label);
	}
	if (rc == RC_OK)
		rc = work_list_set_schema(target->conn, name, WORK_SCHEMA_BEGUN, err);
	FAULT("clone.schema_begun");
	if (rc == RC_OK)
		rc = restore_schema(clone, target, SCHEMA_BEFORE_DATA, err);
	FAULT("clone.schema_restored");
	if (rc == RC_OK)
		rc = clone_note_definitions(clone, target, err);
	if (rc == RC_OK)
		rc = work_list_set_schema(target->conn, name, WORK_SCHEMA_DONE, err);
	return rc;
}

/* Reads from the work list which tables are done, empties those that are done
 * in part, and checks that the others can be copied. */
static Rc
prepare_tables(Clone *clone, CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	Rc rc = work_tables_match(clone->lead->catalog, target->conn, name, true,
							  err);

	if (rc == RC_OK)
		rc = work_tables_empty(clone->lead->catalog, target->conn, name, false,
							   err);
	if (rc == RC_OK)
		rc = match_target(clone->lead->catalog, target->conn, err);
	if (rc == RC_OK)
		rc = work_tables_set_parts(clone->lead->catalog, target->conn, name,
								   clone->config->jobs, err);
	return rc;
}

/* Context of take_newer_snapshot(), which also sets the mark's watermark. */
typedef struct NewSnapshot
{
	Clone *clone;
	WorkMark *mark;
} NewSnapshot;

static Rc
take_newer_snapshot(void *argument, Error *err)
{
	NewSnapshot *newer = argument;
	Rc rc = clone_renew_snapshot(newer->clone->lead, err);

	newer->mark->watermark = newer->clone->lead->snapshot.consistent_lsn;
	/* The follower would not have what is between the two. */
	CHECK(rc != RC_OK ||
		  newer->mark->watermark >= newer->clone->lead->start_lsn);
	return rc;
}

static int
count_left(const CopyCatalog *catalog)
{
	int count = 0;

	for (int i = 0; i < catalog->table_count; i++)
		count += catalog->tables[i].done ? 0 : 1;
	return count;
}

/*
 * Records for tables that do not exist on the source any more that there are no
 * rows to copy.  On the target they are created all the same, because foreign
 * keys of other tables may refer to them.
 */
static Rc
give_up_gone(const Clone *clone, const CloneTarget *target,
			 const WorkMark *mark, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->lead->catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &clone->lead->catalog->tables[i];

		if (!table->gone || table->done)
			continue;
		log_warning("clone.table-gone",
					"table %s was dropped, renamed or taken out of the "
					"publication while the clone ran: on %s it stays without "
					"rows",
					table->qualified, target->label);
		rc = work_tables_give_up(target->conn, mark, table, err);
		build_table_copied(target->build, table);
	}
	return rc;
}

static Rc
copy_rows(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	WorkMark mark = {
		.pipeline = clone->config->name,
		.token = target->token,
		.watermark = clone->lead->snapshot.consistent_lsn,
	};
	NewSnapshot newer = {.clone = clone, .mark = &mark};
	DataOptions options = {
		.copier =
			{
				.source = clone_rows_source(clone),
				.pipeline = clone->config->name,
				.target = clone->config->targets[number],
				.target_label = target->label,
				.snapshot = clone->lead->snapshot.name,
				.mark = &mark,
			},
		.jobs = clone->config->jobs,
		.rate = (int64_t) clone->config->max_rate,
		.build = target->build,
		.meter = &target->meter,
		.expects_quiet = clone->config->data_only,
		.argument = &newer,
	};
	DataReport report;
	Rc rc = prepare_tables(clone, target, err);

	if (rc != RC_OK)
		return rc;
	if (clone_lacks_snapshot(clone->lead))
		options.take_snapshot = take_newer_snapshot;
	log_info("clone", "copying %d table%s to %s",
			 count_left(clone->lead->catalog),
			 PLURAL(count_left(clone->lead->catalog)), target->label);
	rc = data_copy(clone->lead->catalog, &options, &report, err);
	target->tables_written += report.tables_written;
	if (rc == RC_OK)
		rc = give_up_gone(clone, target, &mark, err);
	if (rc == RC_OK)
		log_info("clone",
				 "copied %d table%s to %s: %" PRId64
				 " rows, %.1f MB, %.1f MB/s",
				 report.tables, PLURAL(report.tables), target->label,
				 report.rows, (double) report.bytes / (double) MB, report.rate);
	return rc;
}

/* Marks the tables that were copied under the current snapshot as not done,
 * because some of them differ: a later run has to copy them again. */
static void
distrust_rows(const Clone *clone, const CloneTarget *target)
{
	Error err = {0};
	Rc rc = work_list_distrust(target->conn, clone->config->name,
							   clone->lead->snapshot.consistent_lsn, &err);

	if (rc != RC_OK)
		log_error(LOG_WARNING, "clone.clean-up-failed", &err);
	error_reset(&err);
}

/* Compares the tables that this run has copied with the source.  Those that an
 * earlier run has copied are as of another snapshot. */
static Rc
verify_rows(const Clone *clone, int number, Error *err)
{
	const CloneTarget *target = &clone->targets[number];
	const VerifyOptions options = {
		.source = clone_rows_source(clone),
		.target = clone->config->targets[number],
		.target_label = target->label,
		.snapshot = clone->lead->snapshot.name,
		.jobs = clone->config->jobs,
		.build = target->build,
	};
	int compared;
	Rc rc;

	if (!clone->config->verify)
		return RC_OK;
	log_info("clone", "comparing the tables with those on %s", target->label);
	rc = verify_tables(clone->lead->catalog, &options, &compared, err);
	if (rc == RC_FAIL && err->code == ERR_CONFLICT)
		distrust_rows(clone, target);
	if (rc == RC_OK && compared > 0)
		log_info(
			"clone", "%d table%s %s the same contents on %s%s", compared,
			PLURAL(compared), compared == 1 ? "has" : "have", target->label,
			target->run.tables_done > 0
				? "; those that an earlier run has copied were not compared"
				: "");
	return rc;
}

static Rc
copy_large_objects(const Clone *clone, const CloneTarget *target, Error *err)
{
	const LargeObjectsOptions options = {
		.source = clone_rows_source(clone),
		.snapshot = clone->lead->snapshot.name,
		.pipeline = config_follows_large_objects(clone->config)
						? clone->config->name
						: NULL,
		.no_owner = clone->config->no_owner,
		.no_privileges = clone->config->no_privileges,
	};
	int64_t copied;
	Rc rc;

	if (clone->config->data_only ||
		!catalog_has_large_objects(clone->lead->catalog))
		return RC_OK;
	rc = large_objects_copy(&options, target->conn, &copied, err);
	if (rc == RC_OK && copied > 0)
		log_info("clone", "copied %" PRId64 " large object%s to %s%s", copied,
				 PLURAL(copied), target->label,
				 options.pipeline != NULL
					 ? ""
					 : "; changes to them are not followed");
	return rc;
}

/* Opens the Build of the indexes and constraints of a target. */
static Rc
open_build(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	static const BuildList nothing = {0};
	BuildOptions options = {
		.target = clone->config->targets[number],
		.target_label = target->label,
		.jobs = clone->config->jobs,
		.list = &nothing,
	};
	Rc rc = RC_OK;

	ASSERT(target->build == NULL);
	if (clone->schema != NULL)
		rc = schema_read_builds(clone->schema, target->conn, &options.list,
								err);
	if (rc != RC_OK)
		return rc;
	target->build = build_open(&options);
	build_start(target->build, clone->config->schema_only);
	meter_init(&target->meter);
	target->meter.build = target->build;
	target->meter.target = target->conn;
	return RC_OK;
}

static Rc
wait_for_builds(CloneTarget *target, Error *err)
{
	Rc rc = build_wait(target->build, meter_show, &target->meter,
					   METER_TERMINAL_PERIOD_MS, err);

	meter_clear();
	return rc;
}

/*
 * Whether the tables were copied under more than one snapshot.  Then rows may
 * refer to rows that do not exist until the follower has reached the LSN of the
 * last snapshot.
 */
static bool
has_several_snapshots(const Clone *clone)
{
	return clone->resumed || clone_has_several(clone) ||
		   clone->lead->snapshot.consistent_lsn > clone->lead->start_lsn;
}

/*
 * Sets *lsn to an LSN of the lead that is not before any of the snapshots. With
 * several sources, that is the current end of the lead's WAL: a row of another
 * source may refer to a row that the lead has sent to that source after the
 * lead was copied.
 */
static Rc
read_last_position(const Clone *clone, const CloneTarget *target, Lsn *lsn,
				   Error *err)
{
	PGresult *result = NULL;
	Lsn end = 0;
	Rc rc = RC_OK;

	*lsn = lsn_max(lsn_max(clone->lead->start_lsn, target->run.watermark),
				   clone->lead->snapshot.consistent_lsn);
	if (!clone_has_several(clone))
		return RC_OK;
	rc = pgconn_exec(clone->lead->conn, "SELECT pg_current_wal_flush_lsn()",
					 &result, err);
	if (rc == RC_OK)
		(void) lsn_parse(PQgetvalue(result, 0, 0), &end);
	PQclear(result);
	*lsn = lsn_max(*lsn, end);
	return rc;
}

/* Waits for the builds of indexes, and then builds all foreign keys. */
static Rc
finish_builds(const Clone *clone, CloneTarget *target, Error *err)
{
	Rc rc;

	log_info("clone", "building indexes and constraints on %s", target->label);
	rc = wait_for_builds(target, err);
	if (rc == RC_OK)
		rc = build_add_keys(target->build, target->conn,
							has_several_snapshots(clone), err);
	if (rc == RC_OK)
		rc = wait_for_builds(target, err);
	return rc;
}

static Rc
fill_views(const Clone *clone, CloneTarget *target, Error *err)
{
	NameList views;
	Rc rc = RC_OK;

	if (clone->config->data_only)
		return RC_OK;
	rc = schema_read_views(clone->schema, target->conn, &views, err);
	if (rc != RC_OK || views.count == 0)
		return rc;
	log_info("clone", "filling %d materialized view%s on %s", views.count,
			 PLURAL(views.count), target->label);
	rc = build_fill_views(target->build, &views, meter_show, &target->meter,
						  METER_TERMINAL_PERIOD_MS, err);
	meter_clear();
	return rc;
}

/* Sets the target's sequences to the lead's values, and advances them to those
 * of other sources that are farther. */
static Rc
copy_sequences(const Clone *clone, const CloneTarget *target, int *sequences,
			   Error *err)
{
	int advanced;
	Rc rc = sequences_copy(clone->lead->catalog, clone->lead->conn,
						   target->conn, sequences, err);

	for (int i = 1; i < clone->source_count && rc == RC_OK; i++)
		rc = sequences_advance(clone->sources[i].catalog, NULL,
							   clone->sources[i].conn, target->conn, false,
							   &advanced, err);
	return rc;
}

/* Creates everything that comes after the rows, and runs ANALYZE. */
static Rc
complete_target(Clone *clone, CloneTarget *target, Error *err)
{
	int sequences;
	Rc rc = finish_builds(clone, target, err);

	FAULT("clone.built");
	if (rc == RC_OK)
		rc = restore_schema(clone, target, SCHEMA_AFTER_DATA, err);
	if (rc == RC_OK)
		rc = fill_views(clone, target, err);
	if (rc == RC_OK)
		rc = copy_sequences(clone, target, &sequences, err);
	if (rc != RC_OK)
		return rc;
	log_info("clone", "set %d sequence%s on %s; gathering statistics",
			 sequences, PLURAL(sequences), target->label);
	build_analyze(target->build, clone->lead->catalog);
	return wait_for_builds(target, err);
}

static Rc
note_keys(const Clone *clone, const CloneTarget *target, Error *err)
{
	int count = 0;
	Lsn lsn = 0;
	Rc rc;

	ASSERT(target->build != NULL);
	(void) build_postponed_keys(target->build, &count);
	if (count == 0)
		return RC_OK;
	rc = read_last_position(clone, target, &lsn, err);
	if (rc == RC_OK)
		rc = postponed_note(target->conn, clone->config->name, target->build,
							lsn, err);
	return rc;
}

/* Writes the progress of a source's pipeline to a target, and the other rows
 * that a follower needs. */
static Rc
note_source(const Clone *clone, const CloneSource *source, int number,
			Error *err)
{
	PgConn *target = clone->targets[number].conn;
	Rc rc;

	/* A follower would take 0 for the start of all WAL. */
	CHECK(source->start_lsn != 0);
	rc = clone_spread_note(clone, source, number, target, err);
	if (source == clone->lead)
		FAULT("clone.before_progress");
	if (rc == RC_OK)
		rc = progress_table_begin(target, source->config->name,
								  &source->history.identity, source->start_lsn,
								  err);
	if (rc == RC_OK)
		rc = clone_note_options(source->config, target, clone->arena, err);
	if (rc == RC_OK)
		rc = clone_note_copied(source, target, clone->arena, err);
	return rc;
}

/*
 * Writes the progress and removes the work list, in one transaction.  Earlier
 * transactions were committed with synchronous_commit = off; they are durable
 * when this commit is.
 */
static Rc
write_progress(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	const char *name = clone->config->name;
	bool differs = clone->resumed || clone->lead->snapshot.consistent_lsn >
										 clone->lead->start_lsn;
	Rc rc = pgconn_exec(target->conn, "SET synchronous_commit = on; BEGIN",
						NULL, err);

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = note_source(clone, &clone->sources[i], number, err);
	if (rc == RC_OK)
		rc = note_keys(clone, target, err);
	if (rc == RC_OK && differs)
		rc = work_list_hand_over(target->conn, name, err);
	if (rc == RC_OK)
		rc = work_list_remove(target->conn, name, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "COMMIT", NULL, err);
	FAULT("clone.after_progress");
	return rc;
}


/* ---- Runs ---- */

static Rc
run_schema_only(Clone *clone, Error *err)
{
	Rc rc = dump_schema(clone, err);

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		CloneTarget *target = &clone->targets[i];

		rc = restore_schema(clone, target, SCHEMA_BEFORE_DATA, err);
		if (rc == RC_OK)
			rc = open_build(clone, i, err);
		if (rc == RC_OK)
			rc = finish_builds(clone, target, err);
		if (rc == RC_OK)
			rc = restore_schema(clone, target, SCHEMA_AFTER_DATA, err);
	}
	return rc;
}

static bool
has_stale_tables(const CopyCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
		if (catalog->tables[i].stale)
			return true;
	return false;
}

/*
 * Copies tables that the snapshot does not show any more under a newer one, and
 * repeats that until the snapshot shows all of them: a table may be truncated
 * again and again.
 */
static Rc
copy_stale_rows(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	while (rc == RC_OK && has_stale_tables(clone->lead->catalog))
	{
		rc = clone_renew_catalog(clone->lead, err);
		for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		{
			if (clone->targets[i].complete)
				continue;
			rc = copy_rows(clone, i, err);
			if (rc == RC_OK)
				rc = verify_rows(clone, i, err);
		}
	}
	return rc;
}

static Rc
copy_targets(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		if (clone->targets[i].complete)
			continue;
		rc = restore_before_data(clone, &clone->targets[i], err);
		if (rc == RC_OK)
			rc = open_build(clone, i, err);
		if (rc == RC_OK && clone->config->placement == NULL)
			rc = copy_rows(clone, i, err);
		if (rc == RC_OK)
			rc = verify_rows(clone, i, err);
		if (rc == RC_OK)
			rc = copy_large_objects(clone, &clone->targets[i], err);
	}
	if (rc == RC_OK && clone->config->placement != NULL)
		rc = clone_spread_rows(clone, err);
	else if (rc == RC_OK)
		rc = copy_stale_rows(clone, err);
	return rc;
}

static Rc
complete_targets(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		if (!clone->targets[i].complete)
			rc = complete_target(clone, &clone->targets[i], err);
	if (rc == RC_OK)
		rc = clone_check_slot_kept(clone, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		if (!clone->targets[i].complete)
			rc = write_progress(clone, i, err);
	return rc;
}

/* Creates the schema "penstock" and the work list on a target.  This is done
 * early, because the role may have no privilege to. */
static Rc
begin_list(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	char *options = clone_describe_options(clone->config, number);
	const WorkRun run = {
		.source = clone->lead->history.identity,
		.options = options,
	};
	Rc rc;

	target->table_begun = true;
	rc = control_create(target->conn, err);
	if (rc == RC_OK)
		rc = clone_hold(clone, target, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "BEGIN", NULL, err);
	if (rc == RC_OK)
		rc = work_list_begin(target->conn, clone->config->name, &run,
							 &target->token, err);
	if (rc == RC_OK)
		rc = clone_note_options(clone->config, target->conn, clone->arena, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "COMMIT", NULL, err);
	target->list_begun = rc == RC_OK;
	free(options);
	return rc;
}

/* Claims the unfinished clone and finds its slots, or begins a new one. */
static Rc
begin(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (clone->resumed)
		rc = clone_claim(clone, err);
	if (rc == RC_OK && clone->resumed)
		rc = clone_find_slots(clone, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		if (!clone->resumed)
			rc = begin_list(clone, i, err);
	return rc;
}

/* Does everything that the work lists do not mark as done. */
static Rc
do_work(Clone *clone, Error *err)
{
	Rc rc = clone_take_snapshots(clone, err);

	if (rc == RC_OK && !clone->config->data_only && clone->schema == NULL)
		rc = dump_schema(clone, err);
	if (rc == RC_OK)
		rc = clone_read_definitions(clone, err);
	if (rc == RC_OK)
		rc = clone_join_standby(clone, err);
	if (rc == RC_OK)
		rc = copy_targets(clone, err);
	if (rc != RC_OK)
		return rc;
	clone_release_sources(clone);
	return complete_targets(clone, err);
}

static Rc
run_full(Clone *clone, Error *err)
{
	Rc rc = begin(clone, err);

	if (rc == RC_OK)
		rc = do_work(clone, err);
	while (rc == RC_FAIL && clone_can_recover(clone, err))
	{
		rc = clone_recover(clone, err);
		if (rc == RC_OK)
			rc = do_work(clone, err);
	}
	return rc;
}

static void
report_plan(const Clone *clone)
{
	const Config *config = clone->config;
	const CopyCatalog *catalog = clone->lead->catalog;

	if (config->restart)
		clone_report_throw_away(clone);
	if (!config->schema_only && !clone->resumed)
		report_line(clone->report,
					"create replication slot \"%s\" on the source",
					config->name);
	for (int i = 1; i < clone->source_count; i++)
		report_line(clone->report,
					"create replication slot \"%s\" on source \"%s\"",
					clone->sources[i].config->name,
					clone->sources[i].config->source_name);
	for (int i = 0; i < config->target_count; i++)
	{
		const char *label = clone->targets[i].label;

		if (!config->data_only && !clone->resumed)
			report_line(
				clone->report, "create %s on %s with \"%s\" of PostgreSQL %d",
				catalog->whole ? "the whole schema" : "the published tables",
				label, clone->programs.pg_dump, clone->programs.major);
		if (clone->resumed)
			report_line(
				clone->report,
				"go on with the clone to %s: %d of %d tables are copied", label,
				clone->targets[i].run.tables_done,
				clone->targets[i].run.table_count);
		for (int n = 0; n < catalog->table_count && !config->schema_only &&
						!clone->resumed;
			 n++)
			report_line(clone->report, "copy table %s to %s, about %.1f MB%s%s",
						catalog->tables[n].qualified, label,
						(double) catalog->tables[n].bytes / (double) MB,
						catalog->tables[n].filter ? ", rows where " : "",
						catalog->tables[n].filter ? catalog->tables[n].filter
												  : "");
		if (!config->schema_only)
			report_line(clone->report,
						"write progress of pipeline \"%s\" on %s", config->name,
						label);
	}
}


/* ---- What is not copied ---- */

static void
say_settings(const PGresult *settings, const char *label)
{
	int count = PQntuples(settings);

	if (count == 0)
		return;
	log_warning("clone.settings-not-copied",
				"settings of the source's database are not copied; %s lacks "
				"%d of them:",
				label, count);
	for (int i = 0; i < count && i < SETTINGS_SHOWN; i++)
		log_warning("clone.settings-not-copied", "  %s",
					PQgetvalue(settings, i, 0));
	if (count > SETTINGS_SHOWN)
		log_warning("clone.settings-not-copied", "  and %d more",
					count - SETTINGS_SHOWN);
}

static Rc
say_large_objects(const Clone *clone, Error *err)
{
	int64_t count = 0;
	Rc rc;

	if (!clone->config->data_only || !clone->lead->catalog->whole ||
		config_follows_large_objects(clone->config))
		return RC_OK;
	rc = large_objects_count(clone->lead->conn, &count, err);
	if (rc == RC_OK && count > 0)
		log_warning("clone.large-objects-left-out",
					"the source has %" PRId64 " large objects, which "
					"--data-only does not copy",
					count);
	return rc;
}

/* Warns of settings and large objects that the clone does not copy, although a
 * user might expect it. */
static Rc
say_not_carried(const Clone *clone, Error *err)
{
	Rc rc = say_large_objects(clone, err);

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		PGresult *settings = NULL;

		rc = settings_read_missing(clone->lead->conn, clone->targets[i].conn,
								   &settings, err);
		if (rc == RC_OK)
			say_settings(settings, clone->targets[i].label);
		PQclear(settings);
	}
	return rc;
}


/* ---- The command ---- */

/* Reports the summary; not with several targets, because the catalog has only
 * the figures of the last one. */
static void
report_summary(const Clone *clone)
{
	if (!clone->config->schema_only && clone->config->target_count == 1 &&
		log_level_is_on(LOG_INFO))
		summary_report(clone->lead->catalog, clone->targets[0].build,
					   clone->report);
}

static void
say_done(const Clone *clone)
{
	double seconds = (double) (clock_monotonic_us() - clone->start_us) / 1e6;

	if (clone->config->schema_only)
		log_info("clone", "done in %.1f s: the schema is copied", seconds);
	else
		log_info(
			"clone", "done in %.1f s: \"%s\" goes on from position " LSN_FORMAT,
			seconds, OWN_COMMAND("follow"), LSN_ARGS(clone->lead->start_lsn));
	if (clone->lead->snapshot.consistent_lsn > clone->lead->start_lsn)
		log_info("clone",
				 "the tables are newer than that; they agree when following "
				 "has come to " LSN_FORMAT,
				 LSN_ARGS(clone->lead->snapshot.consistent_lsn));
}

static Rc
identify_sources(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = clone_identify_source(&clone->sources[i], err);
	return rc;
}

/* Adds the name of the source to an error, if it is not the lead. */
static void
say_which(const Clone *clone, const CloneSource *source, Error *err)
{
	if (source != clone->lead && err->code != ERR_INTERRUPTED)
		error_context(err, "%s", pgconn_label(source->conn));
}

static Rc
check_source(const Clone *clone, CloneSource *source, Error *err)
{
	Rc rc = clone_check_source(source, err);

	/* The progress of the lead is checked only if no clone is resumed. */
	for (int i = 0; i < clone->config->target_count && rc == RC_OK &&
					source != clone->lead;
		 i++)
		rc = clone_check_no_progress(source, &clone->targets[i], err);
	if (rc == RC_FAIL)
		say_which(clone, source, err);
	return rc;
}

static Rc
check_sources(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = check_source(clone, &clone->sources[i], err);
	if (rc == RC_OK)
		rc = clone_find_programs(clone, err);
	if (rc == RC_OK)
		rc = clone_spread_check(clone, err);
	return rc == RC_OK ? clone_check_several(clone, err) : rc;
}

/* Refuses a new clone if sources or targets are in use already. */
static Rc
check_fresh(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
	{
		rc = clone_check_unused(clone, &clone->sources[i], err);
		if (rc == RC_FAIL)
			say_which(clone, &clone->sources[i], err);
	}
	return rc == RC_OK ? clone_check_targets(clone, err) : rc;
}

/* Queries and checks all servers.  Writes only with --restart. */
static Rc
look_and_check(Clone *clone, Error *err)
{
	const Config *config = clone->config;
	Rc rc = clone_check_ends(clone, err);

	if (rc == RC_OK && !config->schema_only)
		rc = identify_sources(clone, err);
	if (rc == RC_OK)
		rc = clone_check_standby(clone, err);
	if (rc == RC_OK && !config->schema_only)
		rc = clone_look(clone, err);
	if (rc == RC_OK)
		rc = check_sources(clone, err);
	if (rc == RC_OK && config->restart && !config->dry_run)
		rc = clone_throw_away(clone, err);
	if (rc == RC_OK && !clone->resumed)
		rc = say_not_carried(clone, err);
	if (rc == RC_OK && !clone->resumed && !(config->restart && config->dry_run))
		rc = check_fresh(clone, err);
	return rc;
}

static void
say_failure(Error *err)
{
	if (err->code == ERR_INTERRUPTED)
		log_warning("clone.interrupted", "%s", err->message);
	else
		log_error(LOG_ERROR, "clone.failed", err);
	error_reset(err);
}

static Rc
run(Clone *clone, Error *err)
{
	Rc rc = clone_open_all(clone, err);

	if (rc == RC_OK)
		rc = look_and_check(clone, err);
	if (rc != RC_OK)
		return rc;
	if (clone->config->dry_run)
	{
		report_plan(clone);
		return RC_OK;
	}
	rc = clone->config->schema_only ? run_schema_only(clone, err)
									: run_full(clone, err);
	if (rc == RC_OK)
		report_summary(clone);
	if (rc == RC_OK)
	{
		say_done(clone);
		return rc;
	}
	/* Logs the error before clone_undo() logs what is left on the servers. */
	say_failure(err);
	clone_undo(clone);
	return RC_END;
}

static void
release_source(CloneSource *source)
{
	pgconn_close(source->replication);
	pgconn_close(source->standby);
	pgconn_close(source->conn);
	history_release(&source->history);
	catalog_free(source->catalog);
	buf_release(&source->places);
}

static void
release(Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
	{
		build_close(clone->targets[i].build);
		if (clone_writes_rows(clone->config))
			writer_end(clone->targets[i].conn, clone->config->name);
		pgconn_close(clone->targets[i].conn);
	}
	schema_close(clone->schema);
	definition_set_free(clone->definitions);
	for (int i = 0; i < clone->source_count; i++)
		release_source(&clone->sources[i]);
	arena_free(clone->arena);
}

/*
 * Sets PGAPPNAME, so that our sessions and those of our child processes have an
 * application_name by which a later run of this clone can find and terminate
 * them.  Returns the previous value, which the caller passes to
 * rename_sessions().
 */
static char *
name_sessions(const Config *config)
{
	const char *before = getenv("PGAPPNAME");
	char *kept = before != NULL ? xstrdup(before) : NULL;
	char name[WORK_SESSION_NAME_SIZE];

	work_list_session_name(config->name, name);
	setenv("PGAPPNAME", name, 1);
	return kept;
}

/* Restores PGAPPNAME after the clone. */
static void
rename_sessions(char *before)
{
	if (before != NULL)
		setenv("PGAPPNAME", before, 1);
	else
		unsetenv("PGAPPNAME");
	free(before);
}

/* Sets the sources of the clone.  With --schema-only, the lead is the only
 * one. */
static void
take_sources(Clone *clone, const Config *all, const Config *first)
{
	bool several = all->source_count > 1 && !all->schema_only;

	clone->source_count = several ? all->source_count : 1;
	clone->sources = arena_calloc(clone->arena, (size_t) clone->source_count,
								  sizeof(CloneSource));
	clone->lead = &clone->sources[0];
	for (int i = 0; i < clone->source_count; i++)
	{
		Config *config = arena_dup(clone->arena, first, sizeof(Config));

		if (i > 0)
			config_take_source(all, i, config);
		clone->sources[i] = (CloneSource){.config = config,
										  .placement = all->placement};
	}
}

Rc
clone_run(const Config *config, const Config *first, const Report *report,
		  Error *err)
{
	Clone clone = {.config = first,
				   .report = report,
				   .arena = arena_new(ARENA_BLOCK_BYTES),
				   .start_us = clock_monotonic_us()};
	char *name_before = name_sessions(first);
	Rc rc;

	take_sources(&clone, config, first);
	rc = run(&clone, err);
	release(&clone);
	rename_sessions(name_before);
	return rc;
}
