/*
 * json_sink.c
 *    Prints the lines, and computes which transactions are durable.
 *
 * The output counts the bytes that are written and safe.  For each commit we
 * have a pair in a queue of sink/durable.h: the LSN of the commit, and the
 * number of bytes up to its last line, in place of an LSN of the target.  When
 * that number of bytes is safe, the commit is durable.
 */
#include "sink/json/json_sink.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "sink/durable.h"
#include "sink/json/json_line.h"
#include "sink/json/output.h"

typedef struct JsonSink
{
	Sink sink; /* first member, so that a Sink can be cast to a JsonSink */
	SinkReport report;
	Output output;
	size_t pending_bytes_max; /* number of bytes not written yet from which on
							   * the sink is full */
	bool blocked;             /* whether the last write was not complete */

	JsonLineTxn txn; /* the current transaction */
	int64_t seq;     /* number of the transaction's last line so far */
	int64_t skip;    /* number of the transaction's lines that were printed from
					  * an earlier stream */

	Lsn printed_lsn; /* end_lsn of the last transaction that is in the output */
	Lsn message_lsn; /* LSN of the last message that was not transactional */
	Lsn resumed_lsn; /* commit_lsn of the transaction in the middle of which the
					  * last stream has ended; 0: none */
	int64_t resumed_seq; /* number of that transaction's lines printed so far */

	DurableQueue unwritten; /* commits whose lines are not written yet */
	DurableQueue unsynced;  /* commits whose lines are written, but not safe */
	int64_t synced_at_us;   /* monotonic time of the last output_sync() */
} JsonSink;

static JsonSink *
json_sink(Sink *sink)
{
	return (JsonSink *) sink;
}

static void
update_full(JsonSink *self)
{
	self->report.full = output_pending(&self->output) >=
						self->pending_bytes_max;
}

/* ---- changes ------------------------------------------------------------ */

static Rc
take_begin(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	JsonSink *self = json_sink(sink);

	free(self->txn.origin);
	self->txn = (JsonLineTxn){.commit_lsn = txn->commit_lsn,
							  .xid = txn->xid,
							  .origin = xstrdup(txn->origin)};
	json_line_format_time(self->txn.time, txn->commit_time_us);
	self->seq = 0;
	self->skip = txn->commit_lsn == self->resumed_lsn ? self->resumed_seq : 0;
	self->resumed_lsn = 0;
	return RC_OK;
}

static MUST_CHECK Rc
print_line(JsonSink *self, const Change *change, int part, Error *err)
{
	const JsonLineTxn *txn = self->sink.in_transaction ? &self->txn : NULL;
	Rc rc;

	json_line_append(&self->output.buf, txn, self->seq, change, part);
	self->report.rows++;
	if (!self->output.buf.overflowed)
		return RC_OK;
	rc = error_set(err, ERR_LIMIT,
				   "lines that wait to be written are larger than %zu bytes",
				   OUTPUT_BYTES_MAX);
	if (change->relation != NULL)
		error_detail(err, "The last one is of table \"%s\".\"%s\".",
					 change->relation->schema, change->relation->name);
	return rc;
}

/* Prints a message that is not transactional, unless it was printed from an
 * earlier stream. */
static MUST_CHECK Rc
take_message(JsonSink *self, const Change *change, Error *err)
{
	if (change->message->lsn <= self->message_lsn)
		return RC_OK;
	self->message_lsn = change->message->lsn;
	return print_line(self, change, 0, err);
}

static Rc
take_change(Sink *sink, Frame *frame UNUSED, const Change *change, Error *err)
{
	JsonSink *self = json_sink(sink);
	int count = json_line_count(change);
	Rc rc = RC_OK;

	if (!sink->in_transaction)
		rc = take_message(self, change, err);
	for (int part = 0; rc == RC_OK && sink->in_transaction && part < count;
		 part++)
	{
		self->seq++;
		if (self->seq > self->skip)
			rc = print_line(self, change, part, err);
	}
	update_full(self);
	return rc;
}

static Rc
take_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	JsonSink *self = json_sink(sink);

	CHECK(txn->end_lsn > self->printed_lsn);
	self->printed_lsn = txn->end_lsn;
	durable_push(&self->unwritten, txn->end_lsn,
				 output_appended(&self->output));
	self->report.transactions++;
	return RC_OK;
}

/* ---- positions ---------------------------------------------------------- */

/* Whether all lines are written, and no transaction has begun. */
static bool
holds_nothing(const JsonSink *self)
{
	return !self->sink.in_transaction && output_pending(&self->output) == 0;
}

static void
note_written(JsonSink *self)
{
	Lsn lsn = durable_take(&self->unwritten, self->output.written);

	if (lsn != 0)
		durable_push(&self->unsynced, lsn, self->output.written);
	self->report.applied_lsn = lsn_max(self->report.applied_lsn, lsn);
	if (holds_nothing(self))
		self->report.applied_lsn = lsn_max(self->report.applied_lsn,
										   self->sink.orders.received_lsn);
}

static void
note_synced(JsonSink *self)
{
	Lsn lsn = durable_take(&self->unsynced, self->output.synced);

	self->report.durable_lsn = lsn_max(self->report.durable_lsn, lsn);
	if (self->output.synced == output_appended(&self->output))
		self->report.durable_lsn = self->report.applied_lsn;
}

/* Returns the monotonic time of the next output_sync(); INT64_MAX: there is
 * nothing to do. */
static int64_t
sync_due_us(const JsonSink *self)
{
	if (self->output.synced == self->output.written)
		return INT64_MAX;
	if (self->output.is_pipe)
		return self->synced_at_us + OUTPUT_READER_MS * 1000;
	if (self->sink.orders.position_wanted ||
		self->sink.orders.mode != SINK_RUNNING)
		return 0;
	return self->synced_at_us + JSON_SINK_SYNC_INTERVAL_MS * 1000;
}

static Rc
json_work(Sink *sink, bool source_idle UNUSED, Error *err)
{
	JsonSink *self = json_sink(sink);
	Rc rc = output_write(&self->output, err);

	self->blocked = rc == RC_AGAIN;
	note_written(self);
	if ((rc == RC_OK || rc == RC_AGAIN) &&
		clock_monotonic_us() >= sync_due_us(self))
	{
		Rc synced = output_sync(&self->output, err);

		rc = synced == RC_OK ? rc : synced;
		self->synced_at_us = clock_monotonic_us();
	}
	note_synced(self);
	update_full(self);
	if ((sink->orders.mode == SINK_STOPPING ||
		 sink->orders.mode == SINK_SETTLING) &&
		output_pending(&self->output) == 0)
		self->report.stopped = self->output.synced == self->output.written;
	return rc == RC_AGAIN ? RC_OK : rc;
}

static void
json_interest(const Sink *sink, Interest *interest)
{
	const JsonSink *self = (const JsonSink *) sink;
	bool writing = output_pending(&self->output) > 0 || self->blocked;

	/* Without events, poll() still reports that the reader has closed the
	 * pipe. */
	interest_add(interest, self->output.fd, writing ? POLLOUT : 0);
	interest_until(interest, sync_due_us(self));
}

static void
json_free(Sink *sink)
{
	JsonSink *self = json_sink(sink);

	output_close(&self->output);
	free(self->txn.origin);
	free(self);
}

Sink *
json_sink_new(const JsonSinkOptions *options)
{
	static const SinkOps ops = {
		.name = "json",
		.begin = take_begin,
		.change = take_change,
		.commit = take_commit,
		.work = json_work,
		.interest = json_interest,
		.free = json_free,
	};
	JsonSink *self = xcalloc(1, sizeof(JsonSink));

	sink_init(&self->sink, &ops, &self->report, options->start_lsn);
	self->printed_lsn = options->start_lsn;
	self->pending_bytes_max = options->memory_bytes;
	output_open(&self->output, options->fd);
	return &self->sink;
}

void
json_sink_resume(Sink *sink)
{
	JsonSink *self = json_sink(sink);

	if (sink->in_transaction)
	{
		self->resumed_lsn = self->txn.commit_lsn;
		self->resumed_seq = self->seq > self->skip ? self->seq : self->skip;
	}
	self->report.start_lsn = self->printed_lsn;
	self->report.stopped = false;
}
