/*
 * table.c
 *    The verbs, and what each does in each state of a table.
 */
#include "job/table/table.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/own_command.h"
#include "check/rules.h"
#include "control/copy/copied_table.h"
#include "control/definition_table.h"
#include "control/schema.h"
#include "job/table/copy.h"
#include "job/table/join.h"
#include "job/table/publication.h"
#include "job/table/work.h"
#include "net/origin.h"
#include "net/sql.h"
#include "source/slot.h"


/* ---- States of the table ---- */

/* Whether the table is in this state on a target. */
static bool
is_somewhere(const TableWork *work, TableStateKind kind)
{
	for (int i = 0; i < work->target_count; i++)
		if (work->targets[i].row.exists && work->targets[i].row.kind == kind)
			return true;
	return false;
}

/* Whether the pipeline has copied the table to all targets at some time. */
static bool
is_copied(const TableWork *work)
{
	ASSERT(work->target_count > 0);
	for (int i = 0; i < work->target_count; i++)
		if (!work->targets[i].copied && !work->targets[i].row.exists)
			return false;
	return true;
}

static bool
has_row_everywhere(const TableWork *work)
{
	ASSERT(work->target_count > 0);
	for (int i = 0; i < work->target_count; i++)
		if (!work->targets[i].row.exists)
			return false;
	return true;
}

/* Sets *followed to whether the table is published, exists on every target, and
 * has its changes applied there. */
static Rc
is_followed(TableWork *work, bool *followed, Error *err)
{
	const char *params[] = {work->qualified};
	Rc rc = table_is_published(work, followed, err);

	for (int i = 0; i < work->target_count && rc == RC_OK && *followed; i++)
	{
		TableTarget *target = &work->targets[i];
		PGresult *result = NULL;

		*followed = target->row.exists ? target->row.kind == TABLE_READY
									   : target->copied;
		rc = pgconn_exec_params(target->conn, "SELECT to_regclass($1)", 1,
								params, &result, err);
		if (rc == RC_OK && PQgetisnull(result, 0, 0))
			*followed = false;
		PQclear(result);
	}
	return rc;
}

/*
 * Whether all targets on which the table is not ready have a complete copy of
 * it, whose later changes are in the table's slot.
 */
static bool
can_join(const TableWork *work)
{
	bool some = false;

	for (int i = 0; i < work->target_count; i++)
	{
		const TableRow *row = &work->targets[i].row;

		if (row->kind == TABLE_READY)
			continue;
		if (row->slot[0] == '\0' || row->kind == TABLE_COPYING ||
			row->kind == TABLE_REMOVED)
			return false;
		some = true;
	}
	return some;
}


/* ---- Verbs ---- */

static Rc
copy_and_join(TableWork *work, bool anew, Error *err)
{
	Rc rc = table_copy(work, anew, err);

	if (rc == RC_OK)
		rc = table_join(work, err);
	return rc;
}

static Rc
run_add(TableWork *work, Error *err)
{
	bool followed;
	Rc rc = is_followed(work, &followed, err);

	if (rc != RC_OK)
		return rc;
	/* An earlier run has not finished the catch-up, or has not dropped the
	 * slot. */
	if (followed && has_row_everywhere(work))
		return table_join(work, err);
	if (followed)
	{
		log_info("table", "table %s is followed already", work->qualified);
		return RC_OK;
	}
	if (is_somewhere(work, TABLE_PAUSED))
	{
		rc = error_set(err, ERR_CONFIG, "table %s is paused", work->qualified);
		error_hint(err, "Take it up again with \"%s\".",
				   table_command(work, "resume"));
		return rc;
	}
	return can_join(work) ? table_join(work, err)
						  : copy_and_join(work, false, err);
}

/* Adds a table because it is published, so we must not publish it: somebody may
 * have removed it from the publication meanwhile. */
static Rc
run_add_published(TableWork *work, Error *err)
{
	bool published;
	Rc rc = table_is_published(work, &published, err);

	work->published_only = true;
	if (rc == RC_OK && !published)
		rc = error_set(err, ERR_CHANGED, "table %s is not published any more",
					   work->qualified);
	return rc == RC_OK ? run_add(work, err) : rc;
}

static Rc
run_resync(TableWork *work, Error *err)
{
	return copy_and_join(work, true, err);
}

/* Drops the table's slot, and its replication origins on the targets. */
static Rc
drop_kept(TableWork *work, Error *err)
{
	Rc rc = table_drop_slot(work, err);

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
	{
		bool removed;

		rc = origin_drop(work->targets[i].conn, work->slot, &removed, err);
	}
	return rc;
}

/* Sets the state to `kind`, so that the follower leaves the table out from its
 * current LSN on.  With `keep`, records the slot that keeps the changes. */
static Rc
leave_out(TableWork *work, TableTarget *target, TableStateKind kind, bool keep,
		  Error *err)
{
	TableRow row = {.kind = kind};
	OidList tables = table_oids(work);
	bool removed;
	Rc rc = table_begin(work, target, err);

	ASSERT(kind == TABLE_REMOVED || kind == TABLE_PAUSED);
	ASSERT(!keep || kind == TABLE_PAUSED);
	/* The follower may not have reached the watermark of the copy yet. */
	row.watermark = target->progress.end_lsn;
	if (target->row.exists && target->row.kind == TABLE_READY)
		row.watermark = lsn_max(row.watermark, target->row.watermark);
	if (rc == RC_OK && keep)
	{
		snprintf(row.slot, sizeof(row.slot), "%s", work->slot);
		rc = progress_table_begin(target->conn, work->slot,
								  &work->history.identity, row.watermark, err);
		if (rc == RC_OK)
			rc = definition_table_lend(target->conn, work->config->name,
									   work->slot, &tables, err);
		if (rc == RC_OK)
			rc = definition_table_lend_types(target->conn, work->config->name,
											 work->slot, row.watermark, err);
	}
	else if (rc == RC_OK)
		rc = progress_table_remove(target->conn, work->slot, &removed, err);
	if (rc == RC_OK)
		rc = table_write(work, target, &row, err);
	return table_end(target, rc, err);
}

/* Sets *known to whether the table exists on a target, or its state is recorded
 * there. */
static Rc
is_known_to(const TableWork *work, TableTarget *target, bool *known, Error *err)
{
	const char *name[] = {work->qualified};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target->conn,
							   "SELECT to_regclass($1) IS NOT NULL", 1, name,
							   &result, err);

	*known = rc == RC_OK && (target->row.exists || sql_bool(result, 0, 0));
	PQclear(result);
	if (rc != RC_OK || *known)
		return rc;
	return copied_table_names(target->conn, work->config->name, &work->names[0],
							  known, err);
}

/*
 * Refuses the name of a table that neither the source nor a target knows: it is
 * most likely misspelled.  With `by_name` the user says that it is not: the
 * table may have been created and dropped again, and only occur in the WAL.
 */
static Rc
refuse_unknown(TableWork *work, Error *err)
{
	bool known = work->config->by_name;
	Rc rc = RC_OK;

	ASSERT(work->name_count > 0);
	if (!known && work->oid != 0)
		rc = table_is_published(work, &known, err);
	for (int i = 0; i < work->target_count && rc == RC_OK && !known; i++)
		rc = is_known_to(work, &work->targets[i], &known, err);
	if (rc != RC_OK || known)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "table %s is not followed, and no target has it",
				   work->qualified);
	error_hint(err,
			   "Is the name right?  If the follower has stopped at it, since "
			   "the WAL has it from before it was dropped or taken out of the "
			   "publication, run \"%s\".",
			   OWN_COMMAND_TABLE("remove --by-name", work->names[0].schema,
								 work->names[0].name));
	return rc;
}

static Rc
run_remove(TableWork *work, Error *err)
{
	bool published = false;
	Rc rc = refuse_unknown(work, err);

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = leave_out(work, &work->targets[i], TABLE_REMOVED, false, err);
	FAULT("table.removed");
	if (rc == RC_OK && work->oid != 0)
		rc = table_unpublish(work, &published, err);
	if (rc == RC_OK)
		rc = drop_kept(work, err);
	if (rc != RC_OK)
		return rc;
	log_info("table",
			 "table %s is not followed any more; what the target has of it "
			 "stays there%s",
			 work->qualified,
			 published ? ", and the publication goes on sending its changes"
					   : "");
	return RC_OK;
}

/* Records the name of the slot on a target, before we create the slot, so that
 * a later run finds it. */
static Rc
note_slot(TableWork *work, TableTarget *target, Error *err)
{
	TableRow row = target->row;
	Rc rc = RC_OK;

	ASSERT(work->slot[0] != '\0');
	snprintf(row.slot, sizeof(row.slot), "%s", work->slot);
	for (int i = 0; i < work->name_count && rc == RC_OK; i++)
		rc = table_state_write(target->conn, work->config->name,
							   &work->names[i], &row, err);
	return rc;
}

/* Creates the table's slot as a copy of the pipeline's slot, at its
 * confirmed_flush_lsn. */
static Rc
copy_slot(TableWork *work, Error *err)
{
	const char *params[] = {work->config->name, work->slot};
	Rc rc = table_drop_slot(work, err);

	ASSERT(work->slot[0] != '\0');
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = note_slot(work, &work->targets[i], err);
	if (rc == RC_OK)
		rc = pgconn_exec_params(
			work->source,
			"SELECT pg_catalog.pg_copy_logical_replication_slot($1, $2)",
			LENGTH_OF(params), params, NULL, err);
	if (rc == RC_FAIL)
		error_context(err, "creating replication slot \"%s\"", work->slot);
	FAULT("table.slot_copied");
	return rc;
}

static Rc
refuse_pause(const TableWork *work, Error *err)
{
	Rc rc;

	if (is_somewhere(work, TABLE_REMOVED) || !is_copied(work))
		return error_set(err, ERR_CONFIG, "table %s is not followed",
						 work->qualified);
	if (!is_somewhere(work, TABLE_COPYING))
		return RC_OK;
	rc = error_set(err, ERR_CONFIG, "the copy of table %s is incomplete",
				   work->qualified);
	error_hint(err, "It is not followed until \"%s\" has copied it.",
			   table_command(work, "resync"));
	return rc;
}

static Rc
run_pause(TableWork *work, Error *err)
{
	bool keep = work->config->keep;
	Rc rc = refuse_pause(work, err);

	if (rc != RC_OK)
		return rc;
	if (is_somewhere(work, TABLE_PAUSED) ||
		is_somewhere(work, TABLE_CATCHING_UP) ||
		is_somewhere(work, TABLE_JOINING))
	{
		log_info("table", "table %s is not being followed already",
				 work->qualified);
		return RC_OK;
	}
	if (keep)
		rc = copy_slot(work, err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		rc = leave_out(work, &work->targets[i], TABLE_PAUSED, keep, err);
	if (rc != RC_OK)
		return rc;
	log_info("table", "table %s is paused; %s", work->qualified,
			 keep ? "the source keeps its WAL until it is resumed"
				  : "to resume it, it will be copied anew");
	return RC_OK;
}

static Rc
run_resume(TableWork *work, Error *err)
{
	Rc rc;

	if (can_join(work))
		return table_join(work, err);
	if (is_somewhere(work, TABLE_PAUSED))
		return copy_and_join(work, true, err);
	rc = error_set(err, ERR_CONFIG, "table %s is not paused", work->qualified);
	if (is_somewhere(work, TABLE_COPYING))
		error_hint(err, "Its copy is incomplete: copy it with \"%s\".",
				   table_command(work, "resync"));
	return rc;
}


/* ---- The command ---- */

/* Functions of the verbs, by TableVerb. */
static const struct
{
	Rc (*run)(TableWork *work, Error *err);
	bool must_exist; /* whether the table must exist on the source */
} verbs[] = {
	[TABLE_VERB_ADD] = {run_add, true},
	[TABLE_VERB_ADD_PUBLISHED] = {run_add_published, true},
	[TABLE_VERB_REMOVE] = {run_remove, false},
	[TABLE_VERB_RESYNC] = {run_resync, true},
	[TABLE_VERB_PAUSE] = {run_pause, false},
	[TABLE_VERB_RESUME] = {run_resume, true},
};

static Rc
run_on_table(TableWork *work, TableVerb verb, const char *name, Error *err)
{
	Rc rc = table_work_take(work, name, verbs[verb].must_exist, err);

	ASSERT((size_t) verb < LENGTH_OF(verbs));
	if (rc == RC_OK)
		rc = verbs[verb].run(work, err);
	if (rc == RC_OK)
		table_work_leave(work);
	return rc;
}

Rc
table_run(const Config *config, const Config *given, TableVerb verb,
		  char *const *names, int count, Error *err)
{
	TableWork work = {0};
	Rc rc = table_work_open(&work, config, err);

	if (rc == RC_OK)
		rc = rules_check_exist(given, work.source, err);
	for (int i = 0; i < count && rc == RC_OK; i++)
		rc = run_on_table(&work, verb, names[i], err);
	table_work_close(&work);
	return rc;
}
