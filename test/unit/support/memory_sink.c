/*
 * memory_sink.c
 *    Writing down.
 */
#include "support/memory_sink.h"

#define LOG_MAX (64 * KB)

static MemorySink *
memory_sink(Sink *sink)
{
	return (MemorySink *) sink;
}

static Rc
take_begin(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	buf_printf(&memory_sink(sink)->log, "begin %u%s%s; ", txn->xid,
			   txn->origin ? " from " : "", txn->origin ? txn->origin : "");
	return RC_OK;
}

static Rc
take_change(Sink *sink, Frame *frame UNUSED, const Change *change, Error *err)
{
	static const char *const names[] = {"insert", "update", "delete",
										"truncate", "message"};
	MemorySink *self = memory_sink(sink);

	if (self->fails && change->kind == self->fails_at)
		return error_set(err, ERR_CONFLICT, "it fails as it was told");
	buf_printf(&self->log, "%s; ", names[change->kind]);
	return RC_OK;
}

static Rc
take_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	buf_printf(&memory_sink(sink)->log, "commit %u; ", txn->xid);
	return RC_OK;
}

static Rc
work(Sink *sink UNUSED, bool source_idle UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
interest(const Sink *sink UNUSED, SinkInterest *wanted UNUSED)
{
}

static void
release(Sink *sink)
{
	buf_release(&memory_sink(sink)->log);
}

void
memory_sink_init(MemorySink *sink, Lsn start_lsn)
{
	static const SinkOps ops = {
		.name = "memory",
		.begin = take_begin,
		.change = take_change,
		.commit = take_commit,
		.work = work,
		.interest = interest,
		.free = release,
	};

	*sink = (MemorySink){.sink = {.ops = &ops, .start_lsn = start_lsn}};
	buf_init(&sink->log, LOG_MAX);
	buf_append_string(&sink->log, "");
}
