/*
 * memory_sink.c
 *    Records the calls of a sink.
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
	MemorySink *self = memory_sink(sink);

	if (self->fails && change->kind == self->fails_at)
		return error_set(err, ERR_CONFLICT, "it fails as it was told");
	buf_printf(&self->log, "%s; ", change_kind_name(change->kind));
	return RC_OK;
}

static Rc
take_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	buf_printf(&memory_sink(sink)->log, "commit %u; ", txn->xid);
	return RC_OK;
}

static Rc
take_open_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	buf_printf(&memory_sink(sink)->log, "in %u ", frame->open_txn.xid);
	return take_change(sink, frame, change, err);
}

static Rc
take_open_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	buf_printf(&memory_sink(sink)->log, "commit open %u; ", txn->xid);
	return RC_OK;
}

static Rc
take_open_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err UNUSED)
{
	buf_printf(&memory_sink(sink)->log, "abort %u/%u; ", xid, subxid);
	return RC_OK;
}

static void
take_fetch(Sink *sink, SinkFetch *fetch)
{
	MemorySink *self = memory_sink(sink);

	fetch->next = self->fetch;
	self->fetch = fetch;
	buf_append_string(&self->log, "fetch; ");
}

static Rc
work(Sink *sink UNUSED, bool source_idle UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
interest(const Sink *sink UNUSED, Interest *wanted UNUSED)
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
	static const SinkOpenTxnOps open_txns = {
		.change = take_open_change,
		.commit = take_open_commit,
		.abort = take_open_abort,
	};
	static const SinkFetchOps fetching = {.fetch = take_fetch};
	static const SinkOps ops = {
		.name = "memory",
		.begin = take_begin,
		.change = take_change,
		.commit = take_commit,
		.open_txns = &open_txns,
		.fetching = &fetching,
		.work = work,
		.interest = interest,
		.free = release,
	};

	*sink = (MemorySink){0};
	sink_init(&sink->sink, &ops, &sink->report, start_lsn);
	buf_init(&sink->log, LOG_MAX);
	buf_append_string(&sink->log, "");
}
