/*
 * resume.c
 *    Reads what an interrupted clone has left on the targets, and continues or
 *    removes it.
 */
#include "job/clone/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "control/copy/large_object_table.h"
#include "copy/rows/large_objects.h"
#include "copy/rows/work_tables.h"
#include "copy/schema/objects.h"
#include "job/clone/check.h"
#include "job/clone/undo.h"

static void
describe_patterns(Buf *text, const char *option, const PatternList *list)
{
	for (int i = 0; i < list->count; i++)
		buf_printf(text, " --%s=%s", option, list->patterns[i]);
}

/* Maximum size of a placement's rules as text: more than PLACEMENT_RULES_MAX of
 * them have. */
#define RULES_TEXT_MAX ((size_t) 256 * MB)

/*
 * Appends a hash of the placement, and which node the target is: rows that were
 * copied with one placement, or to one node, cannot be used for another.
 */
static void
describe_placement(Buf *text, const Config *config, int number)
{
	char label[CONFIG_LABEL_SIZE];
	const Placement *placement = config->placement;
	const PlacementDirectory *directory = placement_find_directory(placement);
	Buf rules;

	buf_init(&rules, RULES_TEXT_MAX);
	for (int i = 0; i < placement_rule_count(placement); i++)
	{
		const PlacementRule *rule = placement_rule(placement, i);

		buf_printf(&rules, "%s.%s%s=", rule->schema, rule->name,
				   rule->is_prefix ? "*" : "");
		placement_append_place(rule, &rules);
		buf_append_char(&rules, ';');
	}
	if (directory != NULL)
		buf_printf(&rules, "%s.%s(%s,%s)%d;", directory->schema,
				   directory->table, directory->key, directory->node,
				   directory->default_target);
	for (int i = 0; i < config->target_count; i++)
		buf_printf(&rules, "%s;",
				   config->target_names[i] != NULL ? config->target_names[i]
												   : "");
	CHECK(!rules.overflowed);
	config_label_target(config, number, label);
	buf_printf(text, ", placed by rules %016" PRIx64 ", as %s",
			   hash_text(HASH_START, rules.data), label);
	buf_release(&rules);
}

char *
clone_describe_options(const Config *config, int number)
{
	const Selection *selection = &config->selection;
	char *description;
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	buf_printf(&text, "--publications=%s", config->publications);
	describe_patterns(&text, "table", &selection->tables);
	describe_patterns(&text, "schema", &selection->schemas);
	describe_patterns(&text, "exclude-table", &selection->exclude_tables);
	describe_patterns(&text, "exclude-schema", &selection->exclude_schemas);
	buf_append_string(&text, config->data_only ? " --data-only" : "");
	buf_append_string(&text, config->no_owner ? " --no-owner" : "");
	buf_append_string(&text, config->no_privileges ? " --no-privileges" : "");
	buf_append_string(&text, config->no_tablespaces ? " --no-tablespaces" : "");
	buf_append_string(
		&text, config->no_unlogged_data ? " --no-unlogged-table-data" : "");
	if (config->placement != NULL)
		describe_placement(&text, config, number);
	if (config->source_count > 1)
		buf_printf(&text, ", %d sources", config->source_count);
	buf_printf(&text, ", %d %s", config->target_count,
			   config->target_count == 1 ? "target" : "targets");
	description = xstrdup(text.data);
	buf_release(&text);
	return description;
}


/* ---- Reading and checking ---- */

static Rc
refuse_unfinished(const Clone *clone, const CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	Rc rc = error_set(err, ERR_CONFIG,
					  "the clone of pipeline \"%s\" to %s was not finished",
					  name, target->label);

	error_detail(err, "It was begun at %s; %d of %d tables are copied.",
				 target->run.started_at, target->run.tables_done,
				 target->run.table_count);
	if (clone->config->source_count > 1)
		error_hint(err, "\"%s\" removes what it has copied and starts over.",
				   OWN_COMMAND("clone --restart"));
	else
		error_hint(err,
				   "\"%s\" goes on with it; with --restart instead, what it "
				   "has copied is removed.",
				   OWN_COMMAND("clone --resume"));
	return rc;
}

static Rc
refuse_source(const Clone *clone, const CloneTarget *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "the unfinished clone on %s is of another source",
					  target->label);

	error_detail(err,
				 "It is of the system with identifier %s, and the source's is "
				 "%s.",
				 target->run.source.system_identifier,
				 clone->lead->history.identity.system_identifier);
	return rc;
}

static Rc
refuse_options(const CloneTarget *target, const char *options, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "the unfinished clone on %s was begun with other options",
					  target->label);

	error_detail(err, "They were: %s.  Now they are: %s.", target->run.options,
				 options);
	error_hint(err, "Give the same options, or start over with --restart.");
	return rc;
}

static Rc
refuse_nothing(const Clone *clone, const CloneTarget *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "there is no unfinished clone of pipeline \"%s\" on %s",
					  clone->config->name, target->label);

	if (target->complete)
		error_hint(err, "It is complete: go on with \"%s\".",
				   OWN_COMMAND("follow"));
	else
		error_hint(err, "Leave out --resume.");
	return rc;
}

/*
 * Takes the advisory lock of the clone on a target, and waits a few seconds for
 * it: the session of a clone that was killed ends as soon as the server
 * notices. Fails if another clone is running.
 */
static Rc
wait_for_other(const Clone *clone, const CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	int pid;
	Rc rc = work_list_hold(target->conn, name, &pid, err);

	if (rc != RC_OK || pid == 0)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "a clone of pipeline \"%s\" to %s is running", name,
				   target->label);
	error_detail(err,
				 "Its session there has PID %d; %d of %d tables are copied.",
				 pid, target->run.tables_done, target->run.table_count);
	error_hint(err,
			   "Wait for it, or stop it.  If it is gone and the server has not "
			   "noticed, end its session there: SELECT "
			   "pg_terminate_backend(%d);",
			   pid);
	return rc;
}

static Rc
read_target(Clone *clone, CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	ProgressRow progress;
	Rc rc = work_list_read(&target->run, target->conn, name, clone->arena, err);

	if (rc == RC_OK)
		rc = progress_table_read(target->conn, name, &progress, err);
	if (rc != RC_OK)
		return rc;
	target->complete = progress.exists && !target->run.exists;
	return RC_OK;
}

Rc
clone_hold(Clone *clone, CloneTarget *target, Error *err)
{
	Rc rc = read_target(clone, target, err);

	if (rc == RC_OK)
		rc = wait_for_other(clone, target, err);
	/* A clone that has ended while we waited may have written to the target. */
	if (rc == RC_OK)
		rc = read_target(clone, target, err);
	if (rc == RC_OK && target->run.exists)
		rc = refuse_unfinished(clone, target, err);
	if (rc == RC_OK)
		rc = clone_check_no_progress(clone->lead, target, err);
	return rc;
}

/* Checks that the rows that are copied already are in the timeline history of
 * the source with which we continue. */
static MUST_CHECK Rc
check_history(const Clone *clone, const CloneTarget *target, Error *err)
{
	const WorkRun *run = &target->run;

	if (run->source.timeline == 0)
		return RC_OK;
	return history_prove(
		&clone->lead->history,
		&(HistoryPoint){.source = &run->source,
						.lsn = lsn_max(run->start_lsn, run->watermark),
						.label = target->label,
						.pipeline = clone->config->name_asked},
		err);
}

/* Checks whether the unfinished clone on a target matches this command. */
static Rc
check_target(const Clone *clone, int number, Error *err)
{
	const CloneTarget *target = &clone->targets[number];
	char *options;
	Rc rc = RC_OK;

	if (!target->run.exists)
		return clone->config->resume && !target->complete
				   ? refuse_nothing(clone, target, err)
				   : RC_OK;
	if (!clone->config->resume && !clone->config->restart)
		return refuse_unfinished(clone, target, err);
	if (strcmp(target->run.source.system_identifier,
			   clone->lead->history.identity.system_identifier) != 0)
		return refuse_source(clone, target, err);
	if (!clone->config->resume)
		return RC_OK;
	options = clone_describe_options(clone->config, number);
	if (strcmp(target->run.options, options) != 0)
		rc = refuse_options(target, options, err);
	free(options);
	return rc == RC_OK ? check_history(clone, target, err) : rc;
}

/* Refuses a placement together with copying from a standby, and to resume a
 * clone of several sources. */
static Rc
refuse_placed(const Clone *clone, Error *err)
{
	Rc rc;

	if (clone->config->placement == NULL)
		return RC_OK;
	if (clone->config->copy_from != NULL)
		return error_set(err, ERR_CONFIG,
						 "rows that are spread over nodes cannot be copied "
						 "from a standby");
	if (!clone->config->resume || clone->config->source_count <= 1)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "a clone of several sources cannot be resumed");
	error_hint(err, "Start over with --restart.");
	return rc;
}

Rc
clone_look(Clone *clone, Error *err)
{
	bool found = false;
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		rc = read_target(clone, &clone->targets[i], err);
		if (rc == RC_OK && clone->targets[i].run.exists)
			rc = wait_for_other(clone, &clone->targets[i], err);
		found = found || clone->targets[i].run.exists;
	}
	if (rc == RC_OK)
		rc = refuse_placed(clone, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = check_target(clone, i, err);
	if (rc == RC_OK && clone->config->resume && !found)
		rc = refuse_nothing(clone, &clone->targets[0], err);
	if (rc == RC_OK && clone->config->restart && !found)
		log_info("clone", "there is no unfinished clone to remove");
	clone->resumed = clone->config->resume;
	return rc;
}


/* ---- Starting over ---- */

void
clone_report_throw_away(const Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
	{
		const CloneTarget *target = &clone->targets[i];

		if (target->run.exists)
			report_line(
				clone->report,
				"remove what the clone begun at %s has made on %s, with "
				"%d of %d tables copied, %" PRId64 " rows",
				target->run.started_at, target->label, target->run.tables_done,
				target->run.table_count, target->run.rows);
	}
}

/* Empties the tables that existed before the clone and into which it has copied
 * rows. */
static Rc
empty_tables(Clone *clone, CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	Rc rc = RC_OK;

	if (target->run.table_count > 0)
		rc = work_tables_match(clone->lead->catalog, target->conn, name, false,
							   err);
	if (rc == RC_OK && target->run.table_count > 0)
		rc = work_tables_empty(clone->lead->catalog, target->conn, name, true,
							   err);
	return rc;
}

static Rc
throw_away_target(Clone *clone, CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	int tables = 0;
	int others = 0;
	Rc rc = objects_drop(target->conn, name, &tables, &others, err);

	if (rc == RC_OK && target->run.schema == WORK_SCHEMA_NONE)
		rc = empty_tables(clone, target, err);
	else if (rc == RC_OK && catalog_has_large_objects(clone->lead->catalog))
		rc = large_objects_drop(clone->lead->conn, target->conn, err);
	if (rc == RC_OK)
		rc = large_object_table_forget(target->conn, name, err);
	if (rc == RC_OK)
		rc = clone_forget_columns(clone, target->conn, err);
	if (rc != RC_OK)
		return rc;
	log_info("clone",
			 "removed what the clone begun at %s had made on %s: dropped %d "
			 "tables and %d other objects, with %" PRId64 " rows in %d tables "
			 "that were finished",
			 target->run.started_at, target->label, tables, others,
			 target->run.rows, target->run.tables_done);
	target->run = (WorkRun){0};
	return work_list_remove(target->conn, name, err);
}

/* Drops the slot of the clone that is removed.  The process that has created it
 * is dead, or has lost its claim. */
static MUST_CHECK Rc
throw_away_slot(const CloneSource *source, Error *err)
{
	const char *name = source->config->name;
	SlotInfo slot = {0};
	Rc rc = slot_end_making(source->conn, name, err);

	if (rc == RC_OK)
		rc = slot_read(source->conn, name, &slot, err);
	if (rc != RC_OK || !slot.exists)
		return rc;
	rc = clone_drop_slot(source->conn, name, err);
	if (rc == RC_OK)
		log_info("clone", "dropped replication slot \"%s\"", name);
	return rc;
}

/*
 * Drops the slots first: if we are interrupted after that, the work lists still
 * tell the next --restart what to remove.  In the opposite order, slots could
 * remain that no work list mentions.
 */
Rc
clone_throw_away(Clone *clone, Error *err)
{
	bool found = false;
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		CloneTarget *target = &clone->targets[i];

		if (!target->run.exists)
			continue;
		found = true;
		rc = work_list_claim(target->conn, clone->config->name, &target->token,
							 err);
	}
	for (int i = 0; i < clone->source_count && rc == RC_OK && found; i++)
		rc = throw_away_slot(&clone->sources[i], err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		if (clone->targets[i].run.exists)
			rc = throw_away_target(clone, &clone->targets[i], err);
	return rc;
}


/* ---- Continuing ---- */

Rc
clone_claim(Clone *clone, Error *err)
{
	int holder; /* PID of a session that holds the lock */
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		CloneTarget *target = &clone->targets[i];

		if (target->complete)
			continue;
		rc = work_list_claim(target->conn, clone->config->name, &target->token,
							 err);
		if (rc == RC_OK)
			rc = work_list_hold(target->conn, clone->config->name, &holder,
								err);
		/* Read the run again: the process that had it may have changed it
		 * before we have claimed it. */
		if (rc == RC_OK)
			rc = work_list_read(&target->run, target->conn, clone->config->name,
								clone->arena, err);
		if (rc == RC_OK && !target->run.exists)
			rc = refuse_nothing(clone, target, err);
		if (rc == RC_OK)
			rc = slot_read_log_end(clone->lead->conn, &clone->lead->history,
								   err);
		if (rc == RC_OK)
			rc = check_history(clone, target, err);
		if (rc == RC_OK)
			rc = work_list_set_timeline(target->conn, clone->config->name,
										clone->lead->history.identity.timeline,
										err);
		if (rc == RC_OK)
			log_info("clone",
					 "going on with the clone to %s that was begun at %s: %d "
					 "of %d tables are copied, %" PRId64 " rows",
					 target->label, target->run.started_at,
					 target->run.tables_done, target->run.table_count,
					 target->run.rows);
	}
	return rc;
}

/* Reads the work lists again: a COMMIT that we had sent when the connection was
 * lost may have succeeded. */
Rc
clone_reclaim(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		CloneTarget *target = &clone->targets[i];

		rc = read_target(clone, target, err);
		if (rc == RC_OK && !target->complete && !target->run.exists)
			rc = refuse_nothing(clone, target, err);
	}
	return rc == RC_OK ? clone_claim(clone, err) : rc;
}

static Rc
refuse_slot(const CloneSource *source, const char *problem, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "replication slot \"%s\" of the unfinished clone %s",
					  source->config->name, problem);

	error_hint(err, "Start over: \"%s\".", OWN_COMMAND("clone --restart"));
	return rc;
}

static MUST_CHECK Rc
find_slot(CloneSource *source, Error *err)
{
	const char *name = source->config->name;
	SlotInfo slot = {0};
	Rc rc = slot_end_making(source->conn, name, err);

	if (rc == RC_OK)
		rc = slot_read(source->conn, name, &slot, err);
	if (rc != RC_OK)
		return rc;
	if (!slot.exists)
		return source->start_lsn == 0 ? RC_OK
									  : refuse_slot(source, "is gone", err);
	rc = slot_require_usable(&slot, name, err);
	if (rc != RC_OK)
		return rc;
	/* The slot was created, but its start was not recorded any more. */
	if (source->start_lsn == 0)
		source->start_lsn = slot.confirmed_lsn;
	return slot.confirmed_lsn == source->start_lsn
			   ? RC_OK
			   : refuse_slot(source, "does not start where it did", err);
}

Rc
clone_find_slots(Clone *clone, Error *err)
{
	Rc rc;

	for (int i = 0; i < clone->config->target_count; i++)
		clone->lead->start_lsn = lsn_max(clone->lead->start_lsn,
										 clone->targets[i].run.start_lsn);
	rc = find_slot(clone->lead, err);

	/* The work lists do not record the slots of the other sources.  They are
	 * those that this run has created. */
	for (int i = 1; i < clone->source_count && rc == RC_OK; i++)
		if (clone->sources[i].slot_begun)
			rc = find_slot(&clone->sources[i], err);
	return rc;
}

static Rc
check_kept(const CloneSource *source, Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(source->conn, source->config->name, &slot, err);

	if (rc != RC_OK)
		return rc;
	if (!slot.exists)
		return refuse_slot(source, "was dropped meanwhile", err);
	rc = slot_require_usable(&slot, source->config->name, err);
	if (rc == RC_OK && slot.confirmed_lsn > source->start_lsn)
		rc = refuse_slot(source, "was read by another program meanwhile", err);
	return rc;
}

Rc
clone_check_slot_kept(const Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = check_kept(&clone->sources[i], err);
	return rc;
}

bool
clone_needs_snapshot(const Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
	{
		const CloneTarget *target = &clone->targets[i];

		if (!target->complete &&
			(target->run.tables_done < target->run.table_count ||
			 target->run.table_count == 0 ||
			 (target->run.schema != WORK_SCHEMA_DONE &&
			  !clone->config->data_only)))
			return true;
	}
	return catalog_has_large_objects(clone->lead->catalog);
}
