/*
 * spread.c
 *    Checks the placement, spreads the rows, and records which tables are done.
 */
#include "job/clone/spread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "catalog/foreign_keys.h"
#include "catalog/match.h"
#include "check/ends.h"
#include "control/copy/table_state.h"
#include "control/placed_column_table.h"
#include "copy/rows/spread.h"
#include "copy/rows/work_tables.h"
#include "job/clone/snapshot.h"
#include "pipeline/beside/place.h"

/* Fails if two connections are connected to the same database: as targets it
 * would receive its rows twice, as sources they would be read twice. */
static MUST_CHECK Rc
check_distinct(PgConn *const *conns, int count, Error *err)
{
	char identities[CONFIG_TARGETS_MAX][ENDS_IDENTITY_SIZE];

	for (int i = 0; i < count; i++)
	{
		Rc rc = ends_read_identity(conns[i], identities[i], err);

		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < i; n++)
			if (strcmp(identities[i], identities[n]) == 0)
				return error_set(
					err, ERR_CONFIG, "%s and %s are the same database",
					pgconn_label(conns[n]), pgconn_label(conns[i]));
	}
	return RC_OK;
}

_Static_assert(CONFIG_SOURCES_MAX <= CONFIG_TARGETS_MAX,
			   "sources fit where targets do");

static MUST_CHECK Rc
check_ends(Clone *clone, Error *err)
{
	PgConn *conns[CONFIG_TARGETS_MAX];
	Rc rc;

	for (int i = 0; i < clone->config->target_count; i++)
		conns[i] = clone->targets[i].conn;
	rc = check_distinct(conns, clone->config->target_count, err);
	for (int i = 0; i < clone->source_count; i++)
		conns[i] = clone->sources[i].conn;
	if (rc == RC_OK)
		rc = check_distinct(conns, clone->source_count, err);
	return rc;
}

/* Checks that each node will have the rows to which its rows refer. */
static MUST_CHECK Rc
check_foreign_keys(const CloneSource *source, Error *err)
{
	const Config *config = source->config;
	Placed *placed = NULL;
	Rc rc;

	if (config->placement == NULL || config->schema_only || config->data_only)
		return RC_OK;
	rc = placed_read(&placed, source->catalog, config->placement, source->conn,
					 err);
	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
		rc = foreign_keys_check_places(source->catalog, placed, source->conn,
									   err);
	placed_free(placed);
	return rc;
}

static MUST_CHECK Rc
check_source(const CloneSource *source, Error *err)
{
	Place place = {0};
	Rc rc = place_read(&place, source->config, source->conn, err);

	if (rc == RC_OK)
		rc = check_foreign_keys(source, err);
	place_release(&place);
	return rc;
}

Rc
clone_spread_check(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (clone->config->target_count > 1 || clone_has_several(clone))
		rc = check_ends(clone, err);
	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = check_source(&clone->sources[i], err);
	return rc;
}

/*
 * Matches the tables of a source with all targets, where they must have no
 * rows. `binary` is set only of tables that all targets can receive in binary
 * format.
 */
static MUST_CHECK Rc
match_targets(const Clone *clone, CopyCatalog *catalog, Error *err)
{
	bool *binary = arena_calloc(clone->arena, (size_t) catalog->table_count,
								sizeof(bool));

	for (int i = 0; i < clone->config->target_count; i++)
	{
		Rc rc = match_target(catalog, clone->targets[i].conn, err);

		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < catalog->table_count; n++)
			binary[n] = catalog->tables[n].binary && (i == 0 || binary[n]);
	}
	for (int n = 0; n < catalog->table_count; n++)
		catalog->tables[n].binary = binary[n];
	return RC_OK;
}

/* Writes the text that names the source in messages: empty if there is only
 * one. */
static void
describe_source(const Clone *clone, const CloneSource *source,
				char text[static CONFIG_LABEL_SIZE])
{
	text[0] = '\0';
	if (clone_has_several(clone))
		snprintf(text, CONFIG_LABEL_SIZE, " of source \"%s\"",
				 source->config->source_name);
}

/* Context of the callbacks of spread_copy(): the clone, and the source from
 * which rows are being copied. */
typedef struct Spreading
{
	Clone *clone;
	CloneSource *source;
} Spreading;

static Rc
take_newer_snapshot(void *argument, Error *err)
{
	const Spreading *spreading = argument;

	return clone_renew_snapshot(spreading->source, err);
}

/* Marks a table as done, with the snapshot's LSN as its watermark if that is
 * after the slot's start. */
static void
set_done(const CloneSource *source, CopyTable *table)
{
	ASSERT(!table->done && !table->changed);
	table->done = true;
	if (source->snapshot.consistent_lsn > source->start_lsn)
		table->watermark = source->snapshot.consistent_lsn;
}

/* Sets of_lead of each source: its table for each table of the lead. */
static void
relate_tables(Clone *clone)
{
	const CopyCatalog *lead = clone->lead->catalog;

	for (int i = 0; i < clone->source_count; i++)
	{
		CloneSource *source = &clone->sources[i];

		source->of_lead = arena_calloc(clone->arena, (size_t) lead->table_count,
									   sizeof(CopyTable *));
		for (int n = 0; n < lead->table_count; n++)
			source->of_lead[n] = source == clone->lead
									 ? &source->catalog->tables[n]
									 : catalog_find_table(
										   source->catalog,
										   lead->tables[n].qualified);
	}
}

/* Whether the rows of a table are copied from all sources. */
static bool
is_whole(const Clone *clone, int number)
{
	for (int i = 0; i < clone->source_count; i++)
	{
		const CopyTable *table = clone->sources[i].of_lead[number];

		if (table != NULL && !table->done)
			return false;
	}
	return true;
}

static void
set_noted(Clone *clone, int number, bool is_noted)
{
	for (int i = 0; i < clone->source_count; i++)
		if (clone->sources[i].of_lead[number] != NULL)
			clone->sources[i].of_lead[number]->noted = is_noted;
}

/*
 * Returns the watermark that is written to the work list for a table.  With
 * several sources, each has a watermark of its own, which is written with its
 * progress; the work list then has the start of the lead's slot.
 */
static Lsn
noted_position(const Clone *clone)
{
	return clone_has_several(clone) ? clone->lead->start_lsn
									: clone->lead->snapshot.consistent_lsn;
}

/* Marks the tables that are copied from all sources as done, in the work lists
 * of all targets. */
static MUST_CHECK Rc
note_done(Clone *clone, Error *err)
{
	CopyCatalog whole = *clone->lead->catalog;
	Rc rc = RC_OK;

	whole.tables = xcalloc((size_t) whole.table_count + 1, sizeof(CopyTable));
	for (int i = 0; i < whole.table_count; i++)
	{
		whole.tables[i] = clone->lead->catalog->tables[i];
		whole.tables[i].done = is_whole(clone, i);
	}
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		const CloneTarget *target = &clone->targets[i];
		const WorkMark mark = {
			.pipeline = clone->config->name,
			.token = target->token,
			.watermark = noted_position(clone),
		};

		if (!target->complete)
			rc = work_tables_note(&whole, target->conn, &mark, err);
	}
	for (int i = 0; i < whole.table_count && rc == RC_OK; i++)
		set_noted(clone, i, whole.tables[i].done);
	free(whole.tables);
	FAULT("clone.spread_noted");
	return rc;
}

/* SpreadOptions.note: marks the finished tables as done. */
static Rc
note_finished(void *argument, Error *err)
{
	const Spreading *spreading = argument;
	CopyCatalog *catalog = spreading->source->catalog;

	for (int i = 0; i < catalog->table_count; i++)
		if (catalog->tables[i].ended_us != 0 && !catalog->tables[i].changed &&
			!catalog->tables[i].done)
			set_done(spreading->source, &catalog->tables[i]);
	return note_done(spreading->clone, err);
}

/*
 * Copies the rows of one source's tables that are not done.  *changed is set to
 * the number of tables that need a newer snapshot.
 */
static MUST_CHECK Rc
spread_rows(Clone *clone, CloneSource *source, const Placed *placed,
			int *changed, Error *err)
{
	const Config *config = clone->config;
	char of_source[CONFIG_LABEL_SIZE];
	Spreading spreading = {.clone = clone, .source = source};
	SpreadTarget targets[CONFIG_TARGETS_MAX];
	const SpreadOptions options = {
		.copier =
			{
				.source = source->config->source,
				.pipeline = clone->config->name,
				.snapshot = source->snapshot.name,
				.targets = targets,
				.target_count = config->target_count,
				.node_count = config->node_count,
			},
		.jobs = config->jobs,
		.rate = (int64_t) config->max_rate,
		.expects_quiet = config->data_only,
		.take_snapshot = clone_lacks_snapshot(source) ? take_newer_snapshot
													  : NULL,
		.note = note_finished,
		.argument = &spreading,
	};
	DataReport report;
	Rc rc;

	for (int i = 0; i < config->target_count; i++)
		targets[i] = (SpreadTarget){.conninfo = config->targets[i],
									.label = clone->targets[i].label};
	describe_source(clone, source, of_source);
	log_info("clone", "copying tables%s to %d targets", of_source,
			 config->target_count);
	rc = spread_copy(source->catalog, placed, &options, &report, err);
	*changed = report.tables_changed;
	for (int i = 0; i < config->target_count; i++)
		clone->targets[i].tables_written += report.tables_written;
	if (rc == RC_OK)
		log_info("clone",
				 "copied %d table%s%s to %d targets: %" PRId64
				 " rows, %.1f MB, %.1f MB/s",
				 report.tables, PLURAL(report.tables), of_source,
				 config->target_count, report.rows,
				 (double) report.bytes / (double) MB, report.rate);
	return rc;
}

static void
start_builds(Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
		for (int n = 0; n < clone->lead->catalog->table_count &&
						clone->targets[i].build != NULL;
			 n++)
			build_table_copied(clone->targets[i].build,
							   &clone->lead->catalog->tables[n]);
}

/* Marks the remaining tables as done when the rows are copied, apart from those
 * that need a newer snapshot: they have no rows to be copied, or do not exist
 * any more. */
static MUST_CHECK Rc
end_snapshot(Clone *clone, const CloneSource *source, Error *err)
{
	CopyCatalog *catalog = source->catalog;

	for (int i = 0; i < catalog->table_count; i++)
	{
		CopyTable *table = &catalog->tables[i];

		if (table->changed || table->done)
			continue;
		set_done(source, table);
		if (table->gone)
			log_warning("clone.table-gone",
						"table %s was dropped, renamed or taken out of the "
						"publication while the clone ran: it stays without "
						"rows",
						table->qualified);
	}
	return note_done(clone, err);
}

/* Fails if a table with rows of several sources would have to be emptied to be
 * copied again: the target cannot distinguish the rows of one source. */
static MUST_CHECK Rc
check_not_shared(const Clone *clone, const PlacedTable *placed, Error *err)
{
	Rc rc;

	if (!clone_has_several(clone) || placed->rule->kind == PLACEMENT_ALL)
		return RC_OK;
	rc = error_set(
		err, ERR_CONFIG,
		"table %s, which has rows of several sources, was truncated, "
		"rewritten or replaced on one of them while it was copied",
		placed->table->qualified);
	error_hint(err, "Start over with --restart.");
	return rc;
}

/* Empties the tables that are to be copied again, and reads their definitions
 * again. */
static MUST_CHECK Rc
prepare_stale(Clone *clone, CloneSource *source, const Placed *placed,
			  Error *err)
{
	const char *name = clone->config->name;
	CopyCatalog *catalog = source->catalog;
	Rc rc = RC_OK;

	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
	{
		if (!catalog->tables[i].stale)
			continue;
		rc = check_not_shared(clone, &placed->tables[i], err);
		for (int n = 0; n < clone->config->target_count && rc == RC_OK; n++)
			rc = work_tables_empty_one(&catalog->tables[i],
									   clone->targets[n].conn, name, err);
	}
	if (rc == RC_OK)
		rc = clone_renew_catalog(source, err);
	if (rc == RC_OK)
		rc = match_targets(clone, catalog, err);
	return rc;
}

static MUST_CHECK Rc
spread_all_rows(Clone *clone, CloneSource *source, const Placed *placed,
				Error *err)
{
	int changed;
	Rc rc = spread_rows(clone, source, placed, &changed, err);

	while (rc == RC_OK && changed > 0)
	{
		rc = end_snapshot(clone, source, err);
		if (rc == RC_OK)
			rc = prepare_stale(clone, source, placed, err);
		if (rc == RC_OK)
			rc = spread_rows(clone, source, placed, &changed, err);
	}
	return rc == RC_OK ? end_snapshot(clone, source, err) : rc;
}

/* Marks tables of which no rows are taken from this source as done. */
static void
leave_out(CloneSource *source, const Placed *placed)
{
	for (int i = 0; i < source->catalog->table_count; i++)
		if (placed->tables[i].rule->kind == PLACEMENT_NONE)
			source->catalog->tables[i].done = true;
}

/*
 * Writes to a target by which columns the rows are placed.  The rows that an
 * earlier run has copied must have been placed by the same.
 */
static MUST_CHECK Rc
note_on_target(const CloneSource *source, const Placed *placed, PgConn *target,
			   Error *err)
{
	const char *name = source->config->name;
	PlacedColumnsList list = {0};
	PlacedColumnsList now = {0};
	Rc rc = placed_column_table_read(target, name, &list, err);

	if (rc == RC_OK)
		rc = place_require_noted(placed, &list, err);
	if (rc == RC_FAIL && err->code == ERR_CONFIG)
		error_hint(err, "Give the columns their names back, or start over with "
						"--restart.");
	if (rc == RC_OK)
	{
		placed_list_columns(placed, &now);
		rc = placed_column_table_add(target, name, &now, err);
	}
	placed_columns_release(&list);
	placed_columns_release(&now);
	return rc;
}

static MUST_CHECK Rc
note_columns(Clone *clone, const CloneSource *source, const Placed *placed,
			 Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		if (!clone->targets[i].complete)
			rc = note_on_target(source, placed, clone->targets[i].conn, err);
	return rc;
}

static MUST_CHECK Rc
place_rows(Clone *clone, CloneSource *source, Error *err)
{
	Placed *placed = NULL;
	Rc rc = placed_read(&placed, source->catalog, source->config->placement,
						source->conn, err);

	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
	{
		buf_release(&source->places);
		buf_init(&source->places, BUF_TEXT_MAX);
		place_append_places(placed, &source->places);
		leave_out(source, placed);
		rc = note_columns(clone, source, placed, err);
	}
	if (rc == RC_OK)
		rc = spread_all_rows(clone, source, placed, err);
	placed_free(placed);
	return rc;
}

/* Reads from the work lists which tables are done on all targets. */
static MUST_CHECK Rc
match_done(const Clone *clone, int *count, Error *err)
{
	CopyCatalog *catalog = clone->lead->catalog;
	bool *left = arena_calloc(clone->arena, (size_t) catalog->table_count,
							  sizeof(bool));

	for (int i = 0; i < clone->config->target_count; i++)
	{
		const CloneTarget *target = &clone->targets[i];
		Rc rc = RC_OK;

		if (target->complete)
			continue;
		rc = work_tables_match(catalog, target->conn, clone->config->name, true,
							   err);
		if (rc != RC_OK)
			return rc;
		for (int n = 0; n < catalog->table_count; n++)
			left[n] |= !catalog->tables[n].done;
	}
	*count = 0;
	for (int n = 0; n < catalog->table_count; n++)
	{
		catalog->tables[n].done = !left[n];
		catalog->tables[n].noted = !left[n];
		*count += left[n] ? 1 : 0;
	}
	return RC_OK;
}

/* Sets `done` of each source's tables: a table that is done was copied from all
 * sources, any other one counts as copied from none. */
static void
match_sources(Clone *clone)
{
	const CopyCatalog *lead = clone->lead->catalog;

	for (int n = 0; n < lead->table_count; n++)
	{
		bool done = lead->tables[n].done;

		set_noted(clone, n, done);
		for (int i = 0; i < clone->source_count; i++)
		{
			CopyTable *table = clone->sources[i].of_lead[n];

			if (table == NULL)
				continue;
			table->done = done;
			if (!done)
				table->watermark = 0;
		}
	}
}

/* Prepares to continue an earlier run or attempt: reads which tables are done,
 * and empties the others. */
static MUST_CHECK Rc
take_up(Clone *clone, Error *err)
{
	const CopyCatalog *catalog = clone->lead->catalog;
	int count;
	Rc rc;

	if (!clone->resumed)
		return RC_OK;
	rc = match_done(clone, &count, err);
	if (rc == RC_OK)
		match_sources(clone);
	if (rc == RC_OK && count > 0)
		log_info("clone", "emptying %d table%s that may be there in part",
				 count, PLURAL(count));
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		for (int n = 0; n < catalog->table_count && rc == RC_OK; n++)
			if (!clone->targets[i].complete && !catalog->tables[n].done)
				rc = work_tables_empty_one(&catalog->tables[n],
										   clone->targets[i].conn,
										   clone->config->name, err);
	return rc;
}

/* The tables of all sources are matched with the targets before any rows are
 * copied. */
Rc
clone_spread_rows(Clone *clone, Error *err)
{
	Rc rc;

	relate_tables(clone);
	rc = take_up(clone, err);
	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = match_targets(clone, clone->sources[i].catalog, err);
	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = place_rows(clone, &clone->sources[i], err);
	if (rc == RC_OK)
		start_builds(clone);
	return rc;
}

/* Writes the watermarks of the tables that were copied under a snapshot after
 * the slot's start. */
static MUST_CHECK Rc
write_watermarks(const CloneSource *source, PgConn *target, Error *err)
{
	const CopyCatalog *catalog = source->catalog;
	Rc rc = RC_OK;

	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &catalog->tables[i];
		const TableName name = {.schema = table->schema, .name = table->name};
		const TableRow row = {.kind = TABLE_READY,
							  .watermark = table->watermark};

		if (table->watermark != 0)
			rc = table_state_write(target, source->config->name, &name, &row,
								   err);
	}
	return rc;
}

Rc
clone_spread_note(const Clone *clone, const CloneSource *source, int number,
				  PgConn *target, Error *err)
{
	NodeIdentity node;
	Rc rc;

	ASSERT(pgconn_can_be_inside(target));
	if (!place_node(source->config, number, &source->places, &node))
		return RC_OK;
	rc = node_table_write(target, source->config->name, &node, err);
	/* With one source, work_list_hand_over() writes the watermarks. */
	if (rc == RC_OK && clone_has_several(clone))
		rc = write_watermarks(source, target, err);
	return rc;
}
