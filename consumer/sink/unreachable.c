/*
 * unreachable.c
 *    Tries to open a target without blocking the loop.
 *
 * Each attempt is a task.  Only the lookup of a host name may block for a
 * moment.
 */
#include "sink/unreachable.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/task.h"
#include "base/xalloc.h"
#include "net/sqlstate.h"

typedef struct UnreachableSink
{
	Sink sink; /* first member, so that a Sink can be cast to this struct */
	SinkReport report;
	char *label;
	TaskFunction open;
	void *context;
	Task *look;       /* current attempt: a task that runs `open`; or NULL */
	bool was_opening; /* whether `look` is the task that the options gave us */
	bool answered;    /* whether the target was opened */
	Backoff backoff;
	int64_t due_us; /* monotonic time of the next attempt */
} UnreachableSink;

static UnreachableSink *
unreachable_sink(Sink *sink)
{
	return (UnreachableSink *) sink;
}

/* ---- taking nothing ----------------------------------------------------- */

static Rc
ignore_begin(Sink *sink UNUSED, const TxnInfo *txn UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static Rc
ignore_change(Sink *sink UNUSED, Frame *frame UNUSED,
			  const Change *change UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static Rc
ignore_abort(Sink *sink UNUSED, uint32_t xid UNUSED, uint32_t subxid UNUSED,
			 Error *err UNUSED)
{
	return RC_OK;
}

/* Never sets `done`: the caller drops the request when it sets up all sinks
 * anew. */
static void
ignore_fetch(Sink *sink UNUSED, SinkFetch *fetch UNUSED)
{
}

/* ---- looking for the server --------------------------------------------- */

/* Handles an attempt that has failed: schedules the next one after a pause,
 * which is longer each time. */
static void
end_attempt(UnreachableSink *self, Error *failure)
{
	if (self->was_opening)
		log_error(LOG_WARNING, "follow.target-unreachable", failure);
	else
		log_debug("follow", "%s is still unreachable: %s", self->label,
				  failure->message);
	self->was_opening = false;
	error_reset(failure);
	self->due_us = clock_monotonic_us() + backoff_take(&self->backoff) * 1000;
}

/* Whether the loop has asked the sink to stop. */
static bool
is_to_stop(const Sink *sink)
{
	return sink->orders.mode == SINK_STOPPING ||
		   sink->orders.mode == SINK_SETTLING;
}

/* Whether another attempt would fail, too. */
static bool
refuses(const Error *failure)
{
	return failure->code == ERR_CHANGED ||
		   (failure->code != ERR_INTERRUPTED && !error_is_transient(failure));
}

static Rc
look(Sink *sink, bool source_idle UNUSED, Error *err)
{
	UnreachableSink *self = unreachable_sink(sink);
	Error failure = {0};
	Rc rc;

	if (is_to_stop(sink))
	{
		self->report.stopped = true;
		return RC_OK;
	}
	if (self->look == NULL && clock_monotonic_us() >= self->due_us)
		self->look = task_new(self->open, self->context);
	if (self->look == NULL)
		return RC_OK;
	rc = task_work(self->look, &failure);
	if (rc == RC_AGAIN)
		return RC_OK;
	task_free(self->look);
	self->look = NULL;
	if (rc == RC_OK)
	{
		self->answered = true;
		return error_set(err, ERR_CHANGED, "%s can be reached again",
						 self->label);
	}
	if (refuses(&failure))
	{
		error_take(err, &failure);
		return RC_FAIL;
	}
	end_attempt(self, &failure);
	return RC_OK;
}

static void
wait_for_server(const Sink *sink, Interest *interest)
{
	const UnreachableSink *self = (const UnreachableSink *) sink;

	if (is_to_stop(sink))
		return;
	if (self->look == NULL)
		interest_until(interest, self->due_us);
	else
		task_interest(self->look, interest);
}

/* ---- life --------------------------------------------------------------- */

static void
release(Sink *sink)
{
	UnreachableSink *self = unreachable_sink(sink);

	task_free(self->look);
	free(self->label);
	free(self);
}

Sink *
unreachable_new(const UnreachableOptions *options)
{
	static const SinkOpenTxnOps open_txns = {
		.change = ignore_change,
		.commit = ignore_begin,
		.abort = ignore_abort,
	};
	static const SinkFetchOps fetching = {.fetch = ignore_fetch};
	static const SinkOps ops = {
		.name = "unreachable",
		.begin = ignore_begin,
		.change = ignore_change,
		.commit = ignore_begin,
		.open_txns = &open_txns,
		.fetching = &fetching,
		.work = look,
		.interest = wait_for_server,
		.free = release,
	};
	UnreachableSink *self = xcalloc(1, sizeof(UnreachableSink));

	ASSERT(options->label != NULL && options->open != NULL);
	sink_init(&self->sink, &ops, &self->report, options->durable_lsn);
	self->report.start_lsn = UINT64_MAX; /* the router hands over nothing */
	self->report.unreachable = true;
	self->label = xstrdup(options->label);
	self->report.label = self->label;
	self->open = options->open;
	self->context = options->context;
	self->look = options->opening;
	self->was_opening = options->opening != NULL;
	self->backoff = options->backoff;
	self->due_us = clock_monotonic_us() + backoff_take(&self->backoff) * 1000;
	return &self->sink;
}

static const UnreachableSink *
last_sink(const Sink *sink)
{
	CHECK(sink->report->unreachable);
	return (const UnreachableSink *) sink_last(sink);
}

bool
unreachable_has_answered(const Sink *sink)
{
	return last_sink(sink)->answered;
}

Backoff
unreachable_backoff(const Sink *sink)
{
	return last_sink(sink)->backoff;
}

static bool
has_sqlstate(const Error *err, const char *sqlstate)
{
	return err->code == ERR_SQL && strcmp(err->sqlstate, sqlstate) == 0;
}

bool
unreachable_is_reason(const Error *err)
{
	return (sqlstate_is_server_gone(err) && error_is_transient(err)) ||
		   has_sqlstate(err, "53100") || /* disk_full */
		   has_sqlstate(err, "55P03");   /* lock_not_available */
}

bool
unreachable_may_open_later(const Error *err)
{
	return (err->code == ERR_CONNECT || err->code == ERR_SQL) &&
		   error_is_transient(err) &&
		   !has_sqlstate(err, "55006"); /* object_in_use: another follower */
}
