/*
 * verify.c
 *    Runs several comparisons at the same time, each as a task, under one
 * anchor after the other.
 */
#include "job/verify/verify.h"

#include <stddef.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "control/verified_table.h"
#include "job/verify/anchor.h"
#include "job/verify/compare.h"
#include "job/verify/progress.h"
#include "job/verify/repair.h"
#include "job/verify/schemas.h"
#include "job/verify/sequences.h"
#include "job/verify/tables.h"
#include "pipeline/beside/reach.h"

/* Pause before a table that was locked is tried again. */
#define BUSY_PAUSE_MS 200

/* Maximum number of anchors under which a table is tried that was rewritten
 * each time, and of those under which the time was over each time. */
#define CHANGED_MAX 10
#define LATE_MAX    2

/* Maximum number of anchors in a row under which nothing was settled: more than
 * the attempts that a table, and the schema, may take. */
#define IDLE_ANCHORS_MAX 20

/* Maximum number of anchors in a row that have failed because a server could
 * not be reached, and the pauses after each. */
#define FAILED_ANCHORS_MAX  10
#define FAILED_PAUSE_MS     500
#define FAILED_PAUSE_MS_MAX 30000

typedef struct Verification Verification;

typedef struct Worker
{
	Verification *verification;
	Comparer comparer;
	Task *task;
} Worker;

struct Verification
{
	const Config *config;
	Verdict *verdict;
	Anchor anchor;
	ComparedTables tables;
	VerifySchemas schemas;
	VerifySequences sequences;
	bool lost; /* whether the snapshots cannot be imported any more */
	int next;  /* index of the table that the next free worker takes */
	int64_t deadline_us; /* monotonic time from which on the snapshots are too
						  * old to be used */
	VerifyProgress progress;
	Worker workers[CONFIG_JOBS_MAX];
};

/* ---- one table ---------------------------------------------------------- */

static void
count_attempt(Verification *self, const ComparedTable *table,
			  CompareOutcome outcome)
{
	for (int i = 0; i < self->config->target_count; i++)
	{
		TableVerdict *verdict = table->targets[i].verdict;

		if (verdict == NULL || verdict->outcome != TABLE_PENDING)
			continue;
		if (outcome == COMPARE_CHANGED && ++verdict->changed == CHANGED_MAX)
			verdict_refuse(self->verdict, verdict,
						   "it was rewritten or altered each time");
		if (outcome == COMPARE_LATE && ++verdict->late == LATE_MAX)
			verdict_refuse(self->verdict, verdict,
						   "it takes longer than --max-snapshot");
	}
}

/* Whether the snapshots are too old to be used, or lost. */
static bool
is_over(const Verification *self)
{
	return self->lost || clock_monotonic_us() >= self->deadline_us;
}

/* Compares a table; tries again while it is locked. */
static MUST_CHECK Rc
compare_table(Worker *worker, ComparedTable *table, Error *err)
{
	Verification *self = worker->verification;
	CompareOutcome outcome = COMPARE_BUSY;
	ptrdiff_t number = worker - self->workers;
	Rc rc;

	self->progress.now[number] = table->table;
	self->progress.since_us[number] = clock_monotonic_us();
	do
	{
		rc = comparer_run(&worker->comparer, table, &outcome, err);
		if (rc == RC_OK && outcome == COMPARE_BUSY)
			rc = interrupt_wait(-1, 0, BUSY_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	} while (rc == RC_OK && outcome == COMPARE_BUSY && !is_over(self));
	self->progress.now[number] = NULL;
	if (rc == RC_OK && outcome == COMPARE_LOST)
		self->lost = true;
	else if (rc == RC_OK)
		count_attempt(self, table,
					  outcome == COMPARE_BUSY ? COMPARE_LATE : outcome);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		error_context(err, "comparing table %s", table->table->qualified);
	return rc;
}

static ComparedTable *
take_table(Verification *self)
{
	while (self->next < self->tables.count)
	{
		ComparedTable *table = &self->tables.tables[self->next++];

		if (compared_table_is_pending(table, self->config->target_count))
			return table;
	}
	return NULL;
}

/* Task of a worker: compares tables until there are no more, or the snapshots
 * are too old.  It compares at least one table, so that every anchor makes
 * progress.
 */
static Rc
work(void *context, Error *err)
{
	Worker *worker = context;
	Verification *self = worker->verification;
	ComparedTable *table = take_table(self);
	Rc rc = RC_OK;

	if (table != NULL)
		rc = comparer_open(&worker->comparer, err);
	while (rc == RC_OK && table != NULL)
	{
		rc = compare_table(worker, table, err);
		table = is_over(self) ? NULL : take_table(self);
	}
	comparer_close(&worker->comparer);
	return rc;
}

/* ---- all tables, under one anchor --------------------------------------- */

static void
say_progress(Verification *self)
{
	VerifyProgress *progress = &self->progress;

	if (!verify_progress_is_due(progress))
		return;
	progress->tables = 0;
	progress->settled = 0;
	progress->bytes = 0;
	progress->settled_bytes = 0;
	for (int i = 0; i < self->tables.count; i++)
	{
		const ComparedTable *table = &self->tables.tables[i];

		if (table->table->skip)
			continue;
		progress->tables++;
		progress->bytes += table->table->bytes;
		if (compared_table_is_pending(table, self->config->target_count))
			continue;
		progress->settled++;
		progress->settled_bytes += table->table->bytes;
	}
	verify_progress_show(progress);
}

/* Calls task_work() for each worker that has a task.  *left is set to whether a
 * worker still has one. */
static MUST_CHECK Rc
work_in_turn(Verification *self, bool *left, Error *err)
{
	Rc rc = RC_OK;

	*left = false;
	for (int i = 0; i < self->config->jobs && rc == RC_OK; i++)
	{
		Worker *worker = &self->workers[i];

		if (worker->task == NULL)
			continue;
		rc = task_work(worker->task, err);
		if (rc == RC_AGAIN)
		{
			*left = true;
			rc = RC_OK;
			continue;
		}
		task_free(worker->task);
		worker->task = NULL;
	}
	return rc;
}

static MUST_CHECK Rc
wait_for_workers(Verification *self, Error *err)
{
	Task *tasks[CONFIG_JOBS_MAX];
	Rc rc;

	for (int i = 0; i < self->config->jobs; i++)
		tasks[i] = self->workers[i].task;
	rc = interrupt_wait_tasks(tasks, self->config->jobs, self->progress.next_us,
							  err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static MUST_CHECK Rc
run_workers(Verification *self, Error *err)
{
	bool left = true;
	Rc rc = RC_OK;

	self->next = 0;
	self->lost = false;
	self->deadline_us = self->anchor.taken_us +
						(int64_t) self->config->max_snapshot_s * 1000000;
	verify_progress_begin(&self->progress);
	for (int i = 0; i < self->config->jobs; i++)
	{
		Worker *worker = &self->workers[i];

		*worker = (Worker){.verification = self};
		worker->comparer = (Comparer){
			.anchor = &self->anchor,
			.verdict = self->verdict,
			.deadline_us = self->deadline_us,
		};
		worker->task = task_new(work, worker);
	}
	while (rc == RC_OK && left)
	{
		rc = work_in_turn(self, &left, err);
		if (rc == RC_OK && left)
			rc = wait_for_workers(self, err);
		say_progress(self);
	}
	for (int i = 0; i < self->config->jobs; i++)
		task_free(self->workers[i].task);
	verify_progress_end(&self->progress);
	return rc;
}

/* Sets the verdict of tables that are still to be compared but do not exist any
 * more. */
static void
forget_gone(const Verification *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
	{
		TableVerdict *verdict = self->verdict->tables[i];

		if (verdict->outcome == TABLE_PENDING &&
			catalog_find_table(self->tables.catalog, verdict->table) == NULL)
			verdict->outcome = TABLE_GONE;
	}
}

static int
count_pending(const Verification *self)
{
	int count = 0;

	for (int i = 0; i < self->verdict->table_count; i++)
		if (self->verdict->tables[i]->outcome == TABLE_PENDING)
			count++;
	return count;
}

/* Whether schemas and sequences are compared: not if the user has asked for
 * some tables or a sample of rows only. */
static bool
compares_all(const Verification *self)
{
	return self->config->verify_tables.count == 0 &&
		   self->config->sample_percent == 0;
}

static MUST_CHECK Rc
run_at_position(Verification *self, Error *err)
{
	Rc rc = anchor_take(&self->anchor, self->config, err);

	if (rc == RC_OK)
		rc = compared_tables_read(&self->tables, &self->anchor, self->verdict,
								  err);
	if (rc == RC_OK && compares_all(self))
		rc = verify_schemas_look(&self->schemas, &self->anchor,
								 self->tables.catalog, self->verdict, err);
	if (rc == RC_OK)
	{
		forget_gone(self);
		rc = run_workers(self, err);
	}
	compared_tables_release(&self->tables);
	anchor_release(&self->anchor);
	return rc;
}

/* ---- one anchor after the other ----------------------------------------- */

/* Number of anchors in a row. */
typedef struct Attempts
{
	int pending; /* tables that were pending after the last one; -1: none was
				  * taken yet */
	int idle;    /* anchors since something was settled */
	int failed;  /* anchors since one has not failed */
	Backoff pause;
} Attempts;

static void
give_up(Verification *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
		if (self->verdict->tables[i]->outcome == TABLE_PENDING)
			verdict_refuse(self->verdict, self->verdict->tables[i],
						   "its snapshots were lost each time");
	if (compares_all(self) && !self->schemas.settled)
		verdict_doubt(self->verdict,
					  "the schema, since its snapshots were lost "
					  "each time");
	self->schemas.settled = true;
}

/* Whether another anchor is needed.  Gives up after IDLE_ANCHORS_MAX anchors
 * that were of no use. */
static bool
is_left(Verification *self, Attempts *attempts)
{
	int pending = count_pending(self);

	attempts->idle = pending == attempts->pending ? attempts->idle + 1 : 0;
	attempts->pending = pending;
	if (attempts->idle == IDLE_ANCHORS_MAX)
		give_up(self);
	return count_pending(self) > 0 ||
		   (compares_all(self) && !self->schemas.settled);
}

/* After a failure under an anchor: if a server could not be reached, pauses, so
 * that what is left can be compared under another anchor. */
static MUST_CHECK Rc
judge_anchor(Attempts *attempts, Rc rc, Error *err)
{
	if (rc == RC_OK)
	{
		attempts->failed = 0;
		backoff_reset(&attempts->pause);
		return RC_OK;
	}
	if (!error_is_transient(err) || ++attempts->failed == FAILED_ANCHORS_MAX)
		return rc;
	log_error(LOG_WARNING, "verify.trying-again", err);
	log_info("verify", "going on with newer snapshots");
	error_reset(err);
	return backoff_wait(&attempts->pause, err);
}

static MUST_CHECK Rc
run_anchors(Verification *self, Error *err)
{
	Attempts attempts = {
		.pending = -1,
		.pause = {.first_ms = FAILED_PAUSE_MS, .max_ms = FAILED_PAUSE_MS_MAX}};
	bool left = true;
	Rc rc = RC_OK;

	while (rc == RC_OK && left)
	{
		rc = run_at_position(self, err);
		if (rc == RC_OK)
			left = is_left(self, &attempts);
		rc = judge_anchor(&attempts, rc, err);
	}
	return rc;
}

/*
 * Notes on every target whether rows differ, for those who want to move the
 * writes there.  A comparison of some tables, or of a sample, is not noted. Nor
 * is one that has failed (`rc_of_run`), or was stopped, unless it had found
 * rows that differ: then the note of an earlier one is not true any more.  That
 * it could not be noted is no failure.
 */
static void
note_result(const Verification *self, Rc rc_of_run)
{
	const Config *config = self->config;
	bool differs = verdict_has_different_rows(self->verdict);

	if (rc_of_run != RC_OK && !differs)
		return;
	interrupt_defer(true);
	for (int i = 0; i < config->target_count && compares_all(self); i++)
	{
		PgConn *target = NULL;
		Error failure = {0};
		Rc rc = reach_target(config, i, &target, &failure);

		if (rc == RC_OK)
			rc = verified_table_write(target, config->name, differs,
									  rc_of_run == RC_OK &&
										  verdict_is_complete(self->verdict),
									  &failure);
		if (rc == RC_FAIL)
			log_error(LOG_WARNING, "verify.not-noted", &failure);
		error_reset(&failure);
		pgconn_close(target);
	}
	interrupt_defer(false);
}

Rc
verify_run(const Config *config, Verdict *verdict, Error *err)
{
	Verification self = {.config = config, .verdict = verdict};
	Rc rc = RC_OK;

	self.schemas.config = config;
	if (config->repair)
	{
		verdict->keys_max = REPAIR_ROWS_MAX;
		rc = repair_check(config, err);
	}
	if (rc == RC_OK && compares_all(&self))
		rc = verify_sequences_read(&self.sequences, config, err);
	if (rc == RC_OK)
		rc = run_anchors(&self, err);
	if (rc == RC_OK && config->repair)
		rc = repair_run(config, verdict, err);
	if (rc == RC_OK)
		rc = verify_sequences_compare(&self.sequences, verdict, err);
	note_result(&self, rc);
	verify_schemas_release(&self.schemas);
	verify_sequences_release(&self.sequences);
	return rc;
}
