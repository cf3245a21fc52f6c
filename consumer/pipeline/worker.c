/*
 * worker.c
 *    One task runs all turns of a sink's work, and pauses between them.
 */
#include "pipeline/worker.h"

#include <stdlib.h>

#include "base/task.h"
#include "base/xalloc.h"

/*
 *   PAUSED ◄──► WORKING ──► ENDED ──► RELEASING ──► ENDED
 */
typedef enum WorkerState
{
	WORKER_PAUSED,  /* between two turns of the sink's work */
	WORKER_WORKING, /* in a turn of the sink's work; the main loop sees this
					 * state only if the work waits */
	WORKER_ENDED,   /* the work has failed or ended, or the sink is released */
	WORKER_RELEASING,
} WorkerState;

struct Worker
{
	WorkerState state;
	Sink *sink; /* NULL: the sink is released */
	Task *task; /* NULL in WORKER_ENDED */
	bool source_idle;
};

static void
set_state(Worker *self, WorkerState state)
{
	static const unsigned states_after[] = {
		[WORKER_PAUSED] = 1U << WORKER_WORKING,
		[WORKER_WORKING] = 1U << WORKER_PAUSED | 1U << WORKER_ENDED,
		[WORKER_ENDED] = 1U << WORKER_RELEASING,
		[WORKER_RELEASING] = 1U << WORKER_ENDED,
	};

	CHECK((states_after[self->state] & (1U << state)) != 0);
	self->state = state;
}

/* Runs the sink's work.  Function of a task. */
static Rc
work(void *context, Error *err)
{
	Worker *self = context;

	for (;;)
	{
		Rc rc;

		set_state(self, WORKER_WORKING);
		rc = sink_work(self->sink, self->source_idle, err);
		if (rc != RC_OK)
			return rc;
		set_state(self, WORKER_PAUSED);
		if (!task_pause())
			return RC_OK;
	}
}

/* Releases the sink.  Function of a task. */
static Rc
release(void *context, Error *err UNUSED)
{
	Worker *self = context;

	sink_free(self->sink);
	self->sink = NULL;
	return RC_OK;
}

/* Resumes the task until it pauses or waits (RC_AGAIN), or ends. */
static MUST_CHECK Rc
work_task(Worker *self, Error *err)
{
	Rc rc = task_work(self->task, err);

	if (rc == RC_AGAIN)
		return rc;
	ASSERT(self->state != WORKER_PAUSED);
	task_free(self->task);
	self->task = NULL;
	set_state(self, WORKER_ENDED);
	return rc;
}

Worker *
worker_new(Sink *sink)
{
	Worker *self = xcalloc(1, sizeof(Worker));

	self->sink = sink;
	self->task = task_new(work, self);
	return self;
}

void
worker_free(Worker *self)
{
	if (self == NULL)
		return;
	task_free(self->task);
	free(self);
}

Rc
worker_work(Worker *self, bool source_idle, Error *err)
{
	Rc rc;

	ASSERT(self->state == WORKER_PAUSED || self->state == WORKER_WORKING);
	self->source_idle = source_idle;
	rc = work_task(self, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

bool
worker_is_waiting(const Worker *self)
{
	return self->state == WORKER_WORKING;
}

void
worker_interest(const Worker *self, Interest *interest)
{
	if (self->state == WORKER_PAUSED)
		sink_interest(self->sink, interest);
	else if (self->task != NULL)
		task_interest(self->task, interest);
}

Rc
worker_release_sink(Worker *self)
{
	Error none = {0};

	ASSERT(self->sink != NULL);
	if (self->state != WORKER_RELEASING)
	{
		ASSERT(self->task == NULL);
		set_state(self, WORKER_RELEASING);
		self->task = task_new(release, self);
	}
	return work_task(self, &none);
}
