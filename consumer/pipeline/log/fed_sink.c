/*
 * fed_sink.c
 *    Passes frames on from the stream and from the log.
 */
#include "pipeline/log/fed_sink.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "progress/proof.h"
#include "source/log/log_source.h"
#include "wire/decode.h"

/*
 * Largest number of messages that one turn reads from the log: as many as the
 * loop reads from the stream.
 */
#define MESSAGES_PER_TURN 64

typedef enum FedState
{
	FED_LIVE,
	FED_READING,
	FED_JOINING,
} FedState;

typedef struct FedSink
{
	Sink sink; /* first member; see fed_sink() */
	SinkReport report;
	FedSinkOptions options;
	FedState state;
	Lsn received; /* `next` has all up to here */

	/* The transaction of which `next` has a part, while it has. */
	TxnInfo txn;
	char *origin;   /* owned; that of `txn` */
	uint64_t given; /* number of its changes that `next` has */

	/* The stream. */
	Lsn live_lsn;     /* end of the last transaction that has come */
	bool live_inside; /* whether its end has still to come */
	bool live_taken;  /* whether it is passed on, or put into the queue */
	Lsn taken_lsn;    /* end of the last transaction that was */
	Lsn join_lsn;

	Frame **queue; /* references; those from `queue_first` on count */
	size_t queue_first;
	size_t queue_count;
	size_t queue_capacity;
	size_t queue_bytes;

	/* The log; NULL: it is not open. */
	Source *log;
	Input *input;
	Frame *held;     /* frame that is not to be passed on yet; or NULL */
	bool skips;      /* whether `next` has the present transaction */
	uint64_t skip;   /* number of changes of it that `next` has */
	bool log_inside; /* whether the end of the present transaction has still to
					  * come */
	bool was_open;   /* whether the log was ever opened */
	bool at_end;     /* whether there was nothing more in it */
	Lsn log_lsn;     /* all that it has up to here was read */
	Proof proof;
} FedSink;

static FedSink *
fed_sink(Sink *sink)
{
	return (FedSink *) sink;
}

/* ---- passing on --------------------------------------------------------- */

static void
remember_txn(FedSink *self, const TxnInfo *txn)
{
	free(self->origin);
	self->origin = txn->origin != NULL ? xstrdup(txn->origin) : NULL;
	self->txn = *txn;
	self->txn.origin = self->origin;
	self->given = 0;
}

/* Tells `next` that it has all up to an LSN. */
static void
note_received(FedSink *self, Lsn lsn)
{
	SinkOrders orders = self->sink.next->orders;

	if (lsn <= self->received)
		return;
	self->received = lsn;
	orders.received_lsn = lsn_max(orders.received_lsn, lsn);
	sink_order(self->sink.next, &orders);
}

/* Passes on the changes of a frame from `first` on, and its end. */
static MUST_CHECK Rc
pass_changes(FedSink *self, Frame *frame, size_t first, Error *err)
{
	Sink *next = self->sink.next;
	Rc rc = RC_OK;

	for (size_t i = first; i < frame->change_count && rc == RC_OK; i++)
	{
		rc = sink_change(next, frame, &frame->changes[i], err);
		self->given++;
	}
	if (rc != RC_OK || !frame->commits)
		return rc;
	rc = sink_commit(next, &self->txn, err);
	note_received(self, self->txn.end_lsn);
	return rc;
}

/* Passes on a frame of the stream, whose transaction `next` has not. */
static MUST_CHECK Rc
pass(FedSink *self, Frame *frame, Error *err)
{
	Rc rc = RC_OK;

	if (frame->begins)
	{
		self->skips = false;
		remember_txn(self, &frame->txn);
		rc = sink_begin(self->sink.next, &self->txn, err);
	}
	return rc == RC_OK ? pass_changes(self, frame, 0, err) : rc;
}

/* ---- the queue ---------------------------------------------------------- */

static void
put(FedSink *self, Frame *frame)
{
	if (self->queue_count == self->queue_capacity)
	{
		self->queue_capacity = self->queue_capacity * 2 + 64;
		self->queue = xrealloc_array(self->queue, self->queue_capacity,
									 sizeof(Frame *));
	}
	self->queue[self->queue_count++] = frame_ref(frame);
	self->queue_bytes += frame_bytes(frame);
}

static bool
is_queued(const FedSink *self)
{
	return self->queue_first < self->queue_count;
}

static void
drop_queue(FedSink *self)
{
	while (is_queued(self))
		frame_unref(self->queue[self->queue_first++]);
	self->queue_first = self->queue_count = self->queue_bytes = 0;
}

/* Removes the first frame of the queue, and returns the reference to it. */
static Frame *
take_first(FedSink *self)
{
	Frame *frame = self->queue[self->queue_first++];
	size_t bytes = frame_bytes(frame);

	self->queue_bytes -= bytes < self->queue_bytes ? bytes : self->queue_bytes;
	if (!is_queued(self))
		self->queue_first = self->queue_count = self->queue_bytes = 0;
	return frame;
}

/*
 * Passes on what is in the queue, as long as `next` has not enough.  Of its
 * first transactions the log may have been read meanwhile.
 */
static MUST_CHECK Rc
pass_queue(FedSink *self, Error *err)
{
	Rc rc = RC_OK;

	while (rc == RC_OK && is_queued(self) && !self->sink.next->report->full)
	{
		Frame *frame = take_first(self);

		if (frame->begins)
			self->skips = frame->txn.end_lsn <= self->received;
		if (!self->skips)
			rc = pass(self, frame, err);
		frame_unref(frame);
	}
	return rc;
}

/* ---- states ------------------------------------------------------------- */

static void
set_state(FedSink *self, FedState state)
{
	static const unsigned states_after[] = {
		[FED_LIVE] = 1U << FED_READING,
		[FED_READING] = 1U << FED_JOINING | 1U << FED_LIVE,
		[FED_JOINING] = 1U << FED_LIVE | 1U << FED_READING,
	};

	CHECK((states_after[self->state] & (1U << state)) != 0);
	self->state = state;
}

static void
close_log(FedSink *self)
{
	frame_unref(self->held);
	self->held = NULL;
	source_close(self->log);
	self->log = NULL;
	input_free(self->input);
	self->input = NULL;
	self->log_inside = false;
}

/* Drops what the stream has brought: the log has it. */
static void
begin_reading(FedSink *self)
{
	if (self->state == FED_READING)
		return;
	if (self->state == FED_LIVE)
		log_info("follow", "%s is fed from the log from LSN " LSN_FORMAT " on",
				 self->report.label != NULL ? self->report.label : "target",
				 LSN_ARGS(self->received));
	set_state(self, FED_READING);
	drop_queue(self);
	self->live_taken = false;
	self->taken_lsn = self->received;
	self->at_end = false;
	FAULT("fed.reading");
}

static void
begin_living(FedSink *self)
{
	log_info("follow", "%s has all that is in the log, up to LSN " LSN_FORMAT,
			 self->report.label != NULL ? self->report.label : "target",
			 LSN_ARGS(self->received));
	close_log(self);
	set_state(self, FED_LIVE);
	self->taken_lsn = lsn_max(self->taken_lsn, self->received);
	FAULT("fed.live");
}

/* ---- the stream --------------------------------------------------------- */

/* Decides whether a transaction of the stream, which begins, is passed on. */
static bool
is_taken(FedSink *self, const TxnInfo *txn)
{
	if (self->state == FED_READING && self->at_end)
	{
		set_state(self, FED_JOINING);
		self->join_lsn = self->live_lsn;
		FAULT("fed.joining");
	}
	if (self->state == FED_READING)
		return false;
	return txn->end_lsn > lsn_max(self->received, self->taken_lsn);
}

/* Takes the end of a transaction that was sent before its commit. */
static void
take_open(FedSink *self, const Frame *frame)
{
	if (!frame->commits || frame->txn.end_lsn <= self->received)
		return;
	self->live_lsn = lsn_max(self->live_lsn, frame->txn.end_lsn);
	begin_reading(self);
}

static Rc
take_frame(Sink *sink, Frame *frame, Error *err)
{
	FedSink *self = fed_sink(sink);
	Rc rc = RC_OK;

	if (frame->open_txn.xid != 0)
	{
		take_open(self, frame);
		return RC_OK;
	}
	/* The router passes on nothing more of what was there at the start, and a
	 * message outside of transactions changes nothing. */
	if ((frame->begins && frame->txn.end_lsn <= self->report.start_lsn) ||
		(!frame->begins && !self->live_inside))
		return RC_OK;
	if (frame->begins)
	{
		self->live_inside = true;
		self->live_taken = is_taken(self, &frame->txn);
		if (self->live_taken)
			self->taken_lsn = frame->txn.end_lsn;
		self->live_lsn = lsn_max(self->live_lsn, frame->txn.end_lsn);
	}
	if (self->live_taken && self->state == FED_LIVE && !is_queued(self) &&
		!sink->next->report->full)
		rc = pass(self, frame, err);
	else if (self->live_taken)
		put(self, frame);
	if (frame->commits)
		self->live_inside = false;
	if (self->queue_bytes > self->options.queue_bytes)
		begin_reading(self);
	return rc;
}

/* ---- the log ------------------------------------------------------------ */

/*
 * Opens the log.  The first time, if it can be, before the last transaction of
 * the target, which has to come once more.
 */
static MUST_CHECK Rc
open_log(FedSink *self, Error *err)
{
	const SinkReport *next = self->sink.next->report;
	LogSourceOptions options = {.path = self->options.path,
								.from = self->received,
								.timeline = self->options.timeline};
	Rc rc;

	if (!self->was_open && self->received == next->start_lsn &&
		next->last_commit_lsn >= self->options.first_lsn &&
		next->last_commit_lsn != 0 && next->last_commit_lsn < self->received)
	{
		options.from = next->last_commit_lsn;
		proof_add(&self->proof,
				  &(ProofItem){.label = next->label,
							   .commit_lsn = next->last_commit_lsn,
							   .commit_time_us = next->last_commit_time_us},
				  options.from);
	}
	rc = log_source_open(&self->log, &options, err);
	if (rc != RC_OK)
		return rc;
	self->was_open = true;
	self->input = decoder_new_for_log();
	return RC_OK;
}

/* Begins a transaction of the log, or goes on with one of the stream. */
static MUST_CHECK Rc
begin_from_log(FedSink *self, const Frame *frame, Error *err)
{
	Sink *next = self->sink.next;

	self->log_inside = true;
	self->skips = frame->txn.end_lsn <= self->received;
	self->skip = 0;
	if (self->skips)
		return RC_OK;
	if (next->in_transaction)
	{
		CHECK(frame->txn.end_lsn == self->txn.end_lsn);
		self->skip = self->given;
		return RC_OK;
	}
	remember_txn(self, &frame->txn);
	return sink_begin(next, &self->txn, err);
}

/* Passes on a frame of the log. */
static MUST_CHECK Rc
pass_from_log(FedSink *self, Frame *frame, Error *err)
{
	uint64_t skipped;
	Rc rc = RC_OK;

	if (frame->begins && proof_is_open(&self->proof))
		rc = proof_transaction(&self->proof, &frame->txn, err);
	if (rc == RC_OK && frame->begins)
		rc = begin_from_log(self, frame, err);
	if (rc != RC_OK || !self->log_inside)
		return rc; /* a message outside of transactions changes nothing */
	if (frame->commits)
		self->log_inside = false;
	if (self->skips)
		return RC_OK;
	skipped = self->skip < frame->change_count ? self->skip
											   : frame->change_count;
	self->skip -= skipped;
	CHECK(!frame->commits || self->skip == 0);
	return pass_changes(self, frame, (size_t) skipped, err);
}

/*
 * Passes on the frames of a message, or the rest of them.  RC_AGAIN: none is
 * left.
 */
static MUST_CHECK Rc
pass_frame(FedSink *self, const WireMessage *message, Error *err)
{
	Frame *frame = NULL;
	Rc rc = message != NULL ? input_decode(self->input, message, &frame, err)
							: input_next(self->input, &frame, err);

	if (rc != RC_OK)
		return rc;
	if (frame->begins && frame->txn.end_lsn > self->sink.orders.received_lsn)
	{
		self->held = frame;
		return RC_OK;
	}
	rc = pass_from_log(self, frame, err);
	frame_unref(frame);
	return rc;
}

/* Passes on the frame that was held, if its time has come.  RC_AGAIN: no. */
static MUST_CHECK Rc
pass_held(FedSink *self, Error *err)
{
	Frame *frame = self->held;
	Rc rc;

	if (frame->txn.end_lsn > self->sink.orders.received_lsn)
		return RC_AGAIN;
	self->held = NULL;
	rc = pass_from_log(self, frame, err);
	frame_unref(frame);
	return rc;
}

/* Reads the next message of the log.  RC_AGAIN: there is none. */
static MUST_CHECK Rc
read_message(FedSink *self, Error *err)
{
	SourceMessage message;
	Rc rc = source_receive(self->log, &message, err);

	if (rc != RC_OK)
		return rc;
	if (message.kind == SOURCE_DATA)
	{
		const WireMessage wire = {message.memory, message.memory_free,
								  message.data, message.length};

		rc = pass_frame(self, &wire, err);
		return rc == RC_AGAIN ? RC_OK : rc;
	}
	if (self->log_inside)
		return RC_OK;
	rc = proof_position(&self->proof, message.lsn, err);
	if (rc == RC_OK)
		self->log_lsn = message.lsn;
	return rc;
}

/* Takes the next step in reading the log.  RC_AGAIN: there is nothing more. */
static MUST_CHECK Rc
read_next(FedSink *self, Error *err)
{
	Rc rc = RC_OK;

	if (self->log == NULL && self->options.log->applied_lsn <= self->received)
		return RC_AGAIN;
	if (self->log == NULL)
		rc = open_log(self, err);
	if (rc != RC_OK)
		return rc;
	if (self->held != NULL)
		return pass_held(self, err);
	rc = pass_frame(self, NULL, err);
	return rc == RC_AGAIN ? read_message(self, err) : rc;
}

/* Whether the target has got from the log what was to come from there. */
static bool
is_read(const FedSink *self)
{
	if (self->sink.next->in_transaction || self->log_inside ||
		proof_is_open(&self->proof))
		return false;
	return self->state == FED_JOINING
			   ? self->received >= self->join_lsn
			   : !self->live_inside && self->received >= self->live_lsn;
}

/* Feeds the target from the log, as long as it has not enough. */
static MUST_CHECK Rc
read_log(FedSink *self, Error *err)
{
	for (int i = 0; i < MESSAGES_PER_TURN; i++)
	{
		Rc rc;

		if (!self->log_inside && self->held == NULL)
			note_received(
				self, lsn_min(self->log_lsn, self->sink.orders.received_lsn));
		if (is_read(self))
		{
			begin_living(self);
			return RC_OK;
		}
		if (self->sink.next->report->full)
			return RC_OK;
		rc = read_next(self, err);
		self->at_end = rc == RC_AGAIN;
		if (rc == RC_END)
			rc = error_set(err, ERR_CONNECT, "the log has ended");
		if (rc != RC_OK)
			return rc == RC_AGAIN ? RC_OK : rc;
	}
	return RC_OK;
}

/* ---- work --------------------------------------------------------------- */

static bool
is_ending(const FedSink *self)
{
	return self->sink.orders.mode >= SINK_SETTLING;
}

static MUST_CHECK Rc
feed(FedSink *self, Error *err)
{
	Rc rc = RC_OK;

	if (self->state != FED_LIVE)
		rc = read_log(self, err);
	if (rc == RC_OK && self->state == FED_LIVE)
		rc = pass_queue(self, err);
	if (rc == RC_OK && self->state == FED_LIVE && !is_queued(self) &&
		!self->sink.next->in_transaction)
		note_received(self, self->sink.orders.received_lsn);
	return rc;
}

/* Gives `next` the orders that this sink has, for what it has got. */
static void
order_next(FedSink *self)
{
	const SinkOrders *given = &self->sink.orders;
	SinkOrders orders = self->sink.next->orders;

	if (given->mode >= SINK_SETTLING ||
		(given->mode == SINK_DRAINING && self->received >= given->received_lsn))
		orders.mode = given->mode > orders.mode ? given->mode : orders.mode;
	orders.streamed_lsn = lsn_max(orders.streamed_lsn,
								  lsn_min(given->streamed_lsn, self->received));
	orders.everywhere_lsn = lsn_max(
		orders.everywhere_lsn, lsn_min(given->everywhere_lsn, self->received));
	orders.position_wanted = given->position_wanted;
	sink_order(self->sink.next, &orders);
}

static void
update_report(FedSink *self)
{
	Lsn start_lsn = self->report.start_lsn;

	self->report = *self->sink.next->report;
	self->report.start_lsn = start_lsn;
	self->report.full = false;
}

static Rc
work(Sink *sink, bool source_idle, Error *err)
{
	FedSink *self = fed_sink(sink);
	bool idle;
	Rc rc = RC_OK;

	if (is_ending(self))
		drop_queue(self);
	else
		rc = feed(self, err);
	if (rc != RC_OK)
		return rc;
	order_next(self);
	idle = self->state == FED_LIVE ? source_idle : self->at_end;
	rc = sink_work(sink->next, idle, err);
	update_report(self);
	return rc;
}

static void
interest(const Sink *sink, Interest *interest)
{
	const FedSink *self = (const FedSink *) sink;
	bool full = sink->next->report->full;

	sink_interest(sink->next, interest);
	if (is_ending(self) || full)
		return;
	if (self->state == FED_LIVE && is_queued(self))
		interest_until(interest, 0);
	if (self->state == FED_LIVE)
		return;
	if (!self->at_end)
		interest_until(interest, 0);
	else if (self->log != NULL && self->held == NULL)
		source_interest(self->log, true, interest);
}

/* ---- life cycle --------------------------------------------------------- */

static void
free_sink(Sink *sink)
{
	FedSink *self = fed_sink(sink);

	drop_queue(self);
	close_log(self);
	sink_free(sink->next);
	free(self->queue);
	free(self->origin);
	free(self);
}

Sink *
fed_sink_new(Sink *next, const FedSinkOptions *options)
{
	static const SinkOps ops = {.name = "fed",
								.frame = take_frame,
								.work = work,
								.interest = interest,
								.free = free_sink};
	FedSink *self = xcalloc(1, sizeof(FedSink));

	sink_init(&self->sink, &ops, &self->report, next->report->start_lsn);
	self->sink.next = next;
	self->sink.orders_next = true;
	self->options = *options;
	self->received = next->report->start_lsn;
	self->taken_lsn = self->received;
	self->live_lsn = options->start_lsn;
	self->report = *next->report;
	self->state = self->received >= options->start_lsn ? FED_LIVE : FED_READING;
	if (self->state == FED_READING)
		log_info("follow", "%s is fed from the log from LSN " LSN_FORMAT " on",
				 next->report->label != NULL ? next->report->label : "target",
				 LSN_ARGS(self->received));
	return &self->sink;
}
