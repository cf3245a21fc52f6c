/*
 * absent.c
 *    Waiting for a server without holding anything up.
 *
 * The attempt to connect is libpq's asynchronous one.  Only looking up a host's
 * name may take a moment.
 */
#include "sink/absent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/pgconn.h"

typedef struct AbsentSink
{
	Sink sink; /* first */
	char *conninfo;
	char *label;
	PGconn *attempt; /* NULL: none is under way */
	short events;    /* that it waits for */
	bool asked;      /* it is connected, and an answer is to come */
	bool answered;
	int64_t pause_ms; /* before the attempt after the next */
	int64_t due_us; /* when the next attempt begins, or this one is given up */
} AbsentSink;

static AbsentSink *
absent_sink(Sink *sink)
{
	return (AbsentSink *) sink;
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

/* Not done before all is set up anew. */
static void
ignore_fetch(Sink *sink UNUSED, SinkFetch *fetch UNUSED)
{
}

/* ---- looking for the server --------------------------------------------- */

static void
begin_attempt(AbsentSink *self, int64_t now_us)
{
	self->attempt = PQconnectStart(self->conninfo);
	self->asked = false;
	self->events = POLLOUT;
	self->due_us = now_us + ABSENT_ATTEMPT_MS * 1000;
}

static void
lengthen_pause(AbsentSink *self)
{
	self->pause_ms *= 2;
	if (self->pause_ms > ABSENT_PAUSE_MAX_MS)
		self->pause_ms = ABSENT_PAUSE_MAX_MS;
}

/* It did not work, or took too long: again after a pause, longer each time. */
static void
end_attempt(AbsentSink *self, int64_t now_us)
{
	log_debug("follow", "%s is still away: %s", self->label,
			  PQerrorMessage(self->attempt));
	PQfinish(self->attempt);
	self->attempt = NULL;
	self->due_us = now_us + self->pause_ms * 1000;
	lengthen_pause(self);
}

/* Whether its descriptor is ready: libpq must not be asked before that. */
static bool
is_ready(const AbsentSink *self)
{
	struct pollfd fd = {.fd = PQsocket(self->attempt), .events = self->events};

	return fd.fd < 0 || poll(&fd, 1, 0) > 0;
}

/* It is connected: is there a server behind it? */
static void
ask(AbsentSink *self, int64_t now_us)
{
	self->asked = true;
	self->events = POLLIN;
	if (PQsendQuery(self->attempt, "SELECT 1") == 0)
		end_attempt(self, now_us);
}

static void
go_on_connecting(AbsentSink *self, int64_t now_us)
{
	switch (PQconnectPoll(self->attempt))
	{
		case PGRES_POLLING_OK:
			ask(self, now_us);
			break;
		case PGRES_POLLING_READING:
			self->events = POLLIN;
			break;
		case PGRES_POLLING_WRITING:
		case PGRES_POLLING_ACTIVE:
			self->events = POLLOUT;
			break;
		case PGRES_POLLING_FAILED:
			end_attempt(self, now_us);
			break;
	}
}

static void
read_answer(AbsentSink *self, int64_t now_us)
{
	PGresult *result;

	if (PQconsumeInput(self->attempt) && PQisBusy(self->attempt))
		return;
	result = PQgetResult(self->attempt);
	self->answered = PQresultStatus(result) == PGRES_TUPLES_OK;
	PQclear(result);
	if (!self->answered)
		end_attempt(self, now_us);
}

/* Nobody waits for the server any more. */
static bool
is_to_stop(const Sink *sink)
{
	return sink->mode == SINK_STOPPING || sink->mode == SINK_SETTLING;
}

static Rc
look(Sink *sink, bool source_idle UNUSED, Error *err)
{
	AbsentSink *self = absent_sink(sink);
	int64_t now_us = clock_monotonic_us();

	if (is_to_stop(sink))
	{
		sink->stopped = true;
		return RC_OK;
	}
	if (self->attempt == NULL && now_us >= self->due_us)
		begin_attempt(self, now_us);
	if (self->attempt == NULL)
		return RC_OK;
	if (PQstatus(self->attempt) == CONNECTION_BAD || now_us >= self->due_us)
		end_attempt(self, now_us);
	else if (is_ready(self) && self->asked)
		read_answer(self, now_us);
	else if (is_ready(self))
		go_on_connecting(self, now_us);
	if (!self->answered)
		return RC_OK;
	return error_set(err, ERR_CHANGED, "%s is there again", self->label);
}

static void
wait_for_server(const Sink *sink, SinkInterest *interest)
{
	const AbsentSink *self = (const AbsentSink *) sink;

	if (is_to_stop(sink))
		return;
	interest->deadline_us = self->due_us;
	if (self->attempt != NULL && PQsocket(self->attempt) >= 0)
		sink_interest_add(interest, PQsocket(self->attempt), self->events);
}

/* ---- life --------------------------------------------------------------- */

static void
release(Sink *sink)
{
	AbsentSink *self = absent_sink(sink);

	PQfinish(self->attempt);
	free(self->conninfo);
	free(self->label);
	free(self);
}

Sink *
absent_new(const char *conninfo, const char *label, Lsn durable_lsn,
		   int64_t pause_ms)
{
	static const SinkOps ops = {
		.name = "absent",
		.begin = ignore_begin,
		.change = ignore_change,
		.commit = ignore_begin,
		.stream_change = ignore_change,
		.stream_commit = ignore_begin,
		.stream_abort = ignore_abort,
		.fetch = ignore_fetch,
		.work = look,
		.interest = wait_for_server,
		.free = release,
	};
	AbsentSink *self = xcalloc(1, sizeof(AbsentSink));

	self->sink = (Sink){
		.ops = &ops,
		.start_lsn = UINT64_MAX, /* let nothing be offered */
		.applied_lsn = durable_lsn,
		.durable_lsn = durable_lsn,
		.absent = true,
	};
	self->conninfo = xstrdup(conninfo);
	self->label = xstrdup(label);
	self->sink.label = self->label;
	self->pause_ms = pause_ms > 0 ? pause_ms : ABSENT_PAUSE_FIRST_MS;
	self->due_us = clock_monotonic_us() + self->pause_ms * 1000;
	lengthen_pause(self);
	return &self->sink;
}

bool
absent_has_answered(const Sink *sink)
{
	return ((const AbsentSink *) sink)->answered;
}

int64_t
absent_pause_ms(const Sink *sink)
{
	return ((const AbsentSink *) sink)->pause_ms;
}

/* Classes 08 (connection exception) and 57P (operator intervention). */
bool
absent_is_reason(const Error *err)
{
	if (err->code == ERR_CONNECT)
		return error_is_transient(err);
	return err->code == ERR_SQL && (strncmp(err->sqlstate, "08", 2) == 0 ||
									strncmp(err->sqlstate, "57P", 3) == 0);
}
