/*
 * verify.c
 *    Runs several comparisons at the same time, each as a task, under one
 * anchor after the other.
 */
#include "job/verify/verify.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "job/verify/anchor.h"
#include "job/verify/compare.h"
#include "job/verify/surroundings.h"
#include "job/verify/tables.h"

/* Interval at which we log the progress. */
#define SAY_MS 10000

/* Pause before a table that was locked is tried again. */
#define BUSY_PAUSE_MS 200

/* Maximum number of anchors under which a table is tried that was rewritten
 * each time, and of those under which the time was over each time. */
#define CHANGED_MAX 10
#define LATE_MAX    2

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
	Surroundings surroundings;
	int next; /* index of the table that the next free worker takes */
	int64_t deadline_us; /* monotonic time from which on the snapshots are too
						  * old to be used */
	int64_t say_us;
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

/* Whether the snapshots are too old to be used. */
static bool
is_over(const Verification *self)
{
	return clock_monotonic_us() >= self->deadline_us;
}

/* Compares a table; tries again while it is locked. */
static MUST_CHECK Rc
compare_table(Worker *worker, ComparedTable *table, Error *err)
{
	Verification *self = worker->verification;
	CompareOutcome outcome = COMPARE_BUSY;
	Rc rc;

	do
	{
		rc = comparer_run(&worker->comparer, table, &outcome, err);
		if (rc == RC_OK && outcome == COMPARE_BUSY)
			rc = interrupt_wait(-1, 0, BUSY_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	} while (rc == RC_OK && outcome == COMPARE_BUSY && !is_over(self));
	if (rc == RC_OK)
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
	int settled = 0;

	if (clock_monotonic_us() < self->say_us)
		return;
	self->say_us = clock_monotonic_us() + SAY_MS * 1000;
	for (int i = 0; i < self->tables.count; i++)
		settled += compared_table_is_pending(&self->tables.tables[i],
											 self->config->target_count)
					   ? 0
					   : 1;
	log_info("verify", "compared %d of %d tables", settled, self->tables.count);
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
	rc = interrupt_wait_tasks(tasks, self->config->jobs, self->say_us, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static MUST_CHECK Rc
run_workers(Verification *self, Error *err)
{
	bool left = true;
	Rc rc = RC_OK;

	self->next = 0;
	self->deadline_us = clock_monotonic_us() +
						(int64_t) self->config->max_snapshot_s * 1000000;
	self->say_us = clock_monotonic_us() + SAY_MS * 1000;
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

static bool
has_pending(const Verification *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
		if (self->verdict->tables[i]->outcome == TABLE_PENDING)
			return true;
	return false;
}

/* Whether schemas and sequences are compared: not if the user has asked for
 * some tables or a sample of rows only. */
static bool
compares_surroundings(const Verification *self)
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
	if (rc == RC_OK && compares_surroundings(self))
		rc = surroundings_look(&self->surroundings, &self->anchor,
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

Rc
verify_run(const Config *config, Verdict *verdict, Error *err)
{
	Verification self = {.config = config, .verdict = verdict};
	Rc rc;

	self.surroundings.config = config;
	do
		rc = run_at_position(&self, err);
	while (rc == RC_OK &&
		   (has_pending(&self) ||
			(compares_surroundings(&self) && !self.surroundings.settled)));
	if (rc == RC_OK)
		rc = surroundings_end(&self.surroundings, verdict, err);
	surroundings_release(&self.surroundings);
	return rc;
}
