/*
 * promote.c
 *    Takes the leases, and computes and sets the values of sequences.
 */
#include "job/promote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "control/copy/index_build.h"
#include "control/copy/large_object_table.h"
#include "control/progress_table.h"
#include "control/schema.h"
#include "control/sequence_table.h"
#include "pipeline/beside/reach.h"
#include "sequence/columns.h"
#include "sequence/list.h"
#include "sequence/set.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Limits how long we wait for a follower's lock of the progress row. */
#define LOCK_TIMEOUT_SQL "SET lock_timeout = '30s'"

/* Maximum number of attempts to set sequences from which other sessions take
 * values at the same time. */
#define TRIES_MAX 5

/* lock_not_available */
#define LOCKED_SQLSTATE "55P03"

/* Why a sequence of the target is to be advanced.  The value that it is to be
 * beyond is in the list of sequences. */
typedef struct Goal
{
	const char *reason; /* origin of the value, for the report; NULL: no value
						 * is known */
	uint64_t margin;    /* number of values to add */
	bool noted;         /* whether a follower has recorded the value of the
						 * source's sequence */
} Goal;

typedef struct PromoteTarget
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *conn;
	ProgressRow progress;
	SequenceList list; /* the target's sequences, with the values that they are
						* to be advanced beyond */
	Goal *goals;       /* goals of the sequences in the list, by index */
	SequenceColumn *columns;
	int column_count;
	SequenceRow *rows; /* values of the source's sequences that a follower has
						* recorded on the target */
	int row_count;
} PromoteTarget;

typedef struct Promotion
{
	const Config *config;
	const Report *report;
	PromoteTarget targets[CONFIG_TARGETS_MAX];
} Promotion;


/* ---- Connecting and reading ---- */

static MUST_CHECK Rc
look_at_target(Promotion *self, int index, Error *err)
{
	PromoteTarget *target = &self->targets[index];
	const Config *config = self->config;
	Rc rc;

	config_label_target(config, index, target->label);
	rc = reach_target(config, index, &target->conn, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		error_hint(err, "Nothing was changed.  If that target is gone for "
						"good, promote the others without it.");
	if (rc == RC_OK)
		rc = progress_table_read(target->conn, config->name, &target->progress,
								 err);
	if (rc == RC_OK && !target->progress.exists)
		rc = error_set(err, ERR_CONFIG, "there is no pipeline \"%s\" on %s",
					   config->name, target->label);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, LOCK_TIMEOUT_SQL, NULL, err);
	return rc;
}


/* ---- The lease ---- */

static MUST_CHECK Rc
take_lease(Promotion *self, PromoteTarget *target, Error *err)
{
	Rc rc;

	if (self->config->dry_run)
		return RC_OK;
	rc = control_upgrade(target->conn, err);
	if (rc == RC_OK)
		rc = progress_table_promote(target->conn, self->config->name,
									&target->progress, err);
	if (rc == RC_OK)
		rc = large_object_table_supersede(target->conn, self->config->name,
										  err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, LOCKED_SQLSTATE) == 0)
		error_hint(err, "A follower is in the middle of a transaction there. "
						"Stop it, or end its sessions with "
						"pg_terminate_backend(), and run the same again.");
	return rc;
}

static void
report_lease(const Promotion *self, const PromoteTarget *target)
{
	report_line(self->report,
				"%s has everything up to LSN " LSN_FORMAT
				" of the source; %s of pipeline \"%s\" is applied there any "
				"more",
				target->label, LSN_ARGS(target->progress.end_lsn),
				self->config->dry_run ? "then nothing" : "nothing",
				self->config->name);
}

/* Reports the indexes that no follower will build any more. */
static MUST_CHECK Rc
report_builds(const Promotion *self, const PromoteTarget *target, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	IndexBuilds builds;
	Rc rc = index_builds_read(target->conn, self->config->name, arena, &builds,
							  err);

	for (int i = 0; i < builds.count && rc == RC_OK; i++)
		report_line(self->report,
					"%s lacks index \"%s\".\"%s\" of the source, which was "
					"not built yet; what builds it: %s",
					target->label, builds.builds[i].schema,
					builds.builds[i].name, builds.builds[i].statement);
	arena_free(arena);
	return rc;
}


/* ---- The values that sequences are to be beyond ---- */

/*
 * Replaces the increment of a target's sequence by that of the source's.  With
 * a stride, the target's increment is the source's multiplied by the number of
 * nodes, but the values to be beyond are the source's.
 */
static void
undo_stride(const SequenceStride *stride, SequenceRange *range)
{
	if (stride->count > 0 && !range->cycles &&
		range->increment % stride->count == 0)
		range->increment /= stride->count;
}

/* Sets the value that a sequence is to be beyond, unless it is to be beyond a
 * farther one already. */
static void
raise_goal(PromoteTarget *target, int index, const SequenceValue *value,
		   const char *reason)
{
	SequenceItem *item = &target->list.items[index];

	if (target->goals[index].reason != NULL &&
		!sequence_is_beyond(&item->definition, value, &item->value))
		return;
	item->value = *value;
	target->goals[index].reason = reason;
}

static void
take_noted(PromoteTarget *target)
{
	for (int i = 0; i < target->row_count; i++)
	{
		const SequenceRow *row = &target->rows[i];
		int index = sequence_list_index(&target->list, row->schema, row->name);

		if (index < 0)
			continue;
		target->goals[index].noted = true;
		target->goals[index].margin = sequence_given(
			&target->list.items[index].definition, &row->polled, &row->ahead);
		raise_goal(target, index, &row->ahead,
				   arena_printf(target->list.arena,
								"the source's was at %" PRId64
								" when it was looked at last, at %s",
								row->polled.last_value, row->polled_at));
	}
}

/* Raises the goal of a sequence to the farthest value of a column.  A column
 * that cannot be read is ignored.  Values at the end of the sequence's range
 * count only if no other value is known. */
static MUST_CHECK Rc
take_column(PromoteTarget *target, const SequenceColumn *column, Error *err)
{
	SequenceItem *item = &target->list.items[column->item];
	const Goal *goal = &target->goals[column->item];
	SequenceValue value = {.is_called = true};
	SequenceValue ahead;
	bool found = false;
	Rc rc;

	if (!item->has_value || item->definition.cycles)
		return RC_OK;
	if (!column->is_number)
	{
		log_warning("promote.column-not-number",
					"column %s of table %s on %s is no number: what sequence "
					"%s has given out cannot be told from it",
					column->column, column->table, target->label,
					item->qualified);
		return RC_OK;
	}
	rc = sequence_column_read(item, column, goal->noted ? goal->margin : 1,
							  target->conn, &found, &value.last_value, err);
	if (rc == RC_FAIL && err->code == ERR_SQL && !error_is_transient(err))
	{
		error_context(err, "reading column %s of table %s, for sequence %s",
					  column->column, column->table, item->qualified);
		log_error(LOG_WARNING, "promote.sequences-failed", err);
		error_reset(err);
		return RC_OK;
	}
	if (!found)
		return rc;
	ahead = sequence_ahead(&item->definition, &value, goal->margin);
	raise_goal(target, column->item, &ahead,
			   arena_printf(target->list.arena,
							"column %s of table %s has %" PRId64,
							column->column, column->table, value.last_value));
	return rc;
}

static MUST_CHECK Rc
choose_goals(Promotion *self, int index, Error *err)
{
	PromoteTarget *target = &self->targets[index];
	const SequenceStride stride = config_stride(self->config, index);
	bool complete;
	Rc rc = sequence_list_find(&target->list, NULL, target->conn, false, err);

	if (rc == RC_OK)
		rc = sequence_list_read(&target->list, target->conn, &complete, err);
	if (rc == RC_OK)
		rc = sequence_table_read(target->conn, self->config->name,
								 target->list.arena, &target->rows,
								 &target->row_count, err);
	if (rc == RC_OK)
		rc = sequence_columns_find(&target->list, target->conn,
								   &target->columns, &target->column_count,
								   err);
	if (rc != RC_OK)
		return rc;
	target->goals = arena_calloc(target->list.arena,
								 (size_t) target->list.count, sizeof(Goal));
	for (int i = 0; i < target->list.count; i++)
	{
		SequenceRange *range = &target->list.items[i].definition;

		undo_stride(&stride, range);
		target->goals[i].margin = range->increment != 0
									  ? sequence_margin(range, 1, 0)
									  : 0;
	}
	take_noted(target);
	for (int i = 0; i < target->column_count && rc == RC_OK; i++)
		rc = take_column(target, &target->columns[i], err);
	return rc;
}


/* ---- Setting sequences ---- */

static void
report_sequence(const Promotion *self, const PromoteTarget *target,
				const SequenceGoal *goal)
{
	report_line(self->report, "%s sequence %s on %s to %" PRId64 ": %s",
				self->config->dry_run ? "would set" : "set",
				goal->source->qualified, target->label, goal->value.last_value,
				target->goals[goal->source - target->list.items].reason);
}

static void
report_set(const Promotion *self, const PromoteTarget *target,
		   const SequenceSetting *setting)
{
	for (int i = 0; i < setting->count; i++)
	{
		const SequenceItem *item = &setting->target.items[i];

		if (setting->goals[i].was_set)
			report_sequence(self, target, &setting->goals[i]);
		else if (item->problem != NULL)
			log_warning("promote.sequence-not-set", "sequence %s on %s: %s%s%s",
						item->qualified, target->label, item->problem,
						item->hint != NULL ? "; " : "",
						item->hint != NULL ? item->hint : "");
	}
}

/* Sets the sequences of a target.  *left is set to the number of sequences that
 * could not be set. */
static MUST_CHECK Rc
set_sequences(Promotion *self, int index, int *left, Error *err)
{
	PromoteTarget *target = &self->targets[index];
	SequenceGoal *goals = xcalloc((size_t) target->list.count + 1,
								  sizeof(SequenceGoal));
	SequenceSetting setting = {.mode = SEQUENCES_ADVANCE,
							   .stride = config_stride(self->config, index),
							   .dry_run = self->config->dry_run,
							   .goals = goals,
							   .in_use = true};
	int done = 0;
	Rc rc = RC_OK;

	for (int i = 0; i < target->list.count; i++)
		if (target->goals[i].reason != NULL)
			goals[setting.count++].source = &target->list.items[i];
	for (int try = 0; setting.in_use && try < TRIES_MAX && rc == RC_OK; try++)
	{
		sequence_list_release(&setting.target);
		rc = sequence_set(&setting, target->conn, err);
		done += setting.set;
	}
	if (rc == RC_OK)
		report_set(self, target, &setting);
	for (int i = 0; i < setting.count && rc == RC_OK; i++)
		*left += setting.target.items[i].problem != NULL;
	if (rc == RC_OK)
		report_line(self->report, "%s: %d of %d sequences %s set",
					target->label, done, target->list.count,
					self->config->dry_run ? "would be" : "were");
	sequence_list_release(&setting.target);
	free(goals);
	return rc;
}


/* ---- All targets ---- */

/* Warns if the targets' progress differs: then their data does not belong to
 * one state of the source. */
static void
warn_of_positions(const Promotion *self)
{
	for (int i = 1; i < self->config->target_count; i++)
		if (self->targets[i].progress.end_lsn !=
			self->targets[0].progress.end_lsn)
		{
			log_warning("promote.targets-differ",
						"the targets are not at the same position "
						"of the source");
			return;
		}
}

static MUST_CHECK Rc
promote_all(Promotion *self, Error *err)
{
	int count = self->config->target_count;
	int left = 0;
	Rc rc = RC_OK;

	for (int i = 0; i < count && rc == RC_OK; i++)
		rc = look_at_target(self, i, err);
	for (int i = 0; i < count && rc == RC_OK; i++)
		rc = take_lease(self, &self->targets[i], err);
	if (rc == RC_OK)
		warn_of_positions(self);
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		report_lease(self, &self->targets[i]);
		rc = report_builds(self, &self->targets[i], err);
		if (rc == RC_OK)
			rc = choose_goals(self, i, err);
		if (rc == RC_OK)
			rc = set_sequences(self, i, &left, err);
	}
	if (rc == RC_OK && left > 0)
	{
		rc = error_set(err, ERR_CONFIG, "%d sequence%s could not be set", left,
					   PLURAL(left));
		error_hint(err, "They are named above.  Run the same again when that "
						"is fixed.");
	}
	return rc;
}

Rc
promote_run(const Config *config, const Report *report, Error *err)
{
	Promotion *self = xcalloc(1, sizeof(Promotion));
	Rc rc;

	self->config = config;
	self->report = report;
	rc = promote_all(self, err);
	for (int i = 0; i < config->target_count; i++)
	{
		sequence_list_release(&self->targets[i].list);
		pgconn_close(self->targets[i].conn);
	}
	free(self);
	return rc;
}
