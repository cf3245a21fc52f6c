/*
 * log_sink.c
 *    Makes records of frames.
 *
 * Entries are collected in `raw`.  close_record() makes a record of them; after
 * that the segment may end, if the record ends outside of a transaction.
 * `boundary` is where in `raw` the last complete transaction ends.
 */
#include "sink/log/log_sink.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "sink/log/described.h"
#include "sink/log/open_file.h"
#include "wire/plain.h"

/* Milliseconds that entries wait for more, while the source sends. */
#define COLLECT_MS 20

/* Milliseconds between two tries to write where there is no room. */
#define ROOM_INTERVAL_MS 500

typedef struct Counts
{
	size_t length; /* of `raw` */
	uint32_t transactions;
	uint32_t changes;
	bool describes; /* whether there are descriptions of tables */
} Counts;

typedef struct LogSink
{
	Sink sink; /* first member; see log_sink() */
	SinkReport report;
	LogStore *store;
	int directory_fd;
	const char *path;
	size_t segment_bytes;

	SourceIdentity source;
	Buf session;     /* Session record of this session; empty: not come yet */
	bool inside_txn; /* whether a transaction has begun and not ended */
	TxnInfo txn;     /* that transaction; without the origin */
	uint64_t txn_changes;

	Buf raw;
	int64_t raw_since_us; /* when the first entry came; 0: none */
	Counts counts;
	Counts boundary;
	LogPosition position; /* of the log with all that is in `raw` */
	Described described;  /* in the segment, with `raw` */
	int64_t position_us;  /* when the position was written last */

	OpenFile **open_files;
	size_t open_count;
	size_t open_capacity;
	OpenFile *entering; /* file that is being copied into the log, or NULL */
	Frame *entering_commit; /* commit of its transaction; a reference */
	bool out_of_room;       /* whether files of open transactions had no room */
	int64_t retry_us; /* when to try again to write them; 0: they are written */

	ZSTD_CCtx *zstd;
	Buf packed;
	Buf plain; /* for one frame */
} LogSink;

static LogSink *
log_sink(Sink *sink)
{
	return (LogSink *) sink;
}

/* ---- records ------------------------------------------------------------ */

static bool
is_record_due(const LogSink *self)
{
	return self->raw.length >= LOG_SINK_RECORD_BYTES;
}

static void
update_full(LogSink *self)
{
	self->report.full = self->entering != NULL || self->retry_us != 0 ||
						(is_record_due(self) && !self->store->state.ready);
}

static void
begin_segment(LogSink *self)
{
	LogHead head = {
		.system_identifier = strtoull(self->source.system_identifier, NULL, 10),
		.timeline = self->source.timeline,
		.position = self->store->state.appended,
		.session = (const uint8_t *) self->session.data,
		.session_bytes = self->session.length};

	log_store_begin_segment(self->store, &head);
}

/* Ends the segment; the next record begins another one. */
static MUST_CHECK Rc
end_segment(LogSink *self, Error *err)
{
	described_release(&self->described);
	return self->store->state.in_segment
			   ? log_store_end_segment(self->store, err)
			   : RC_OK;
}

/* Compresses `raw` into `packed`.  False: it would not become smaller. */
static bool
compress(LogSink *self)
{
	size_t bound = ZSTD_compressBound(self->raw.length);
	size_t length;
	char *into;

	buf_reset(&self->packed);
	into = buf_reserve(&self->packed, bound);
	CHECK(into != NULL);
	length = ZSTD_compressCCtx(self->zstd, into, bound, self->raw.data,
							   self->raw.length, LOG_SINK_ZSTD_LEVEL);
	CHECK(!ZSTD_isError(length));
	if (length >= self->raw.length)
		return false;
	buf_advance(&self->packed, length);
	return true;
}

static void
append_record(LogSink *self)
{
	bool packed = self->raw.length > 0 && compress(self);
	const Buf *payload = packed ? &self->packed : &self->raw;
	LogRecord record = {
		.flags = (packed ? LOG_RECORD_ZSTD : 0U) |
				 (self->inside_txn ? LOG_RECORD_INSIDE : 0U) |
				 (self->counts.describes ? LOG_RECORD_RELATIONS : 0U),
		.stored_bytes = (uint32_t) payload->length,
		.raw_bytes = (uint32_t) self->raw.length,
		.position = self->position,
		.transactions = self->counts.transactions,
		.changes = self->counts.changes};

	log_store_append(self->store, &record, payload->data);
	buf_reset(&self->raw);
	self->raw_since_us = 0;
	self->counts = (Counts){0};
	self->boundary = (Counts){0};
}

/*
 * Makes a record of what was collected, even if that is only a position.  Only
 * while the store is ready.
 */
static MUST_CHECK Rc
close_record(LogSink *self, Error *err)
{
	if (!self->store->state.in_segment)
		begin_segment(self);
	append_record(self);
	if (!self->inside_txn &&
		self->store->state.segment_bytes >= self->segment_bytes)
		return end_segment(self, err);
	return RC_OK;
}

static MUST_CHECK Rc
close_if_due(LogSink *self, Error *err)
{
	return is_record_due(self) && self->store->state.ready
			   ? close_record(self, err)
			   : RC_OK;
}

/* ---- entries ------------------------------------------------------------ */

static void
note_entry(LogSink *self)
{
	CHECK(!self->raw.overflowed);
	if (self->raw_since_us == 0)
		self->raw_since_us = clock_monotonic_us();
	self->counts.length = self->raw.length;
}

/* Appends parts of a frame, whose tables are described. */
static void
append_plain(LogSink *self, const Frame *frame, const PlainPart *part)
{
	buf_reset(&self->plain);
	plain_append(frame, part, &self->plain);
	CHECK(!self->plain.overflowed);
	log_entry_append(LOG_ENTRY_FRAME, self->plain.data, self->plain.length,
					 &self->raw);
	self->counts.changes += (uint32_t) (part->end - part->first);
	note_entry(self);
}

/*
 * Describes a table before the change with index `before`, unless the segment
 * has described it so.  If it has described it in another way, the changes that
 * come before are appended first: they are read with that description.
 */
static void
describe(LogSink *self, const Frame *frame, PlainPart *part, size_t before,
		 Relation *relation)
{
	if (described_has(&self->described, relation))
		return;
	if (before > part->first && described_differs(&self->described, relation))
	{
		append_plain(self, frame,
					 &(PlainPart){.begin = part->begin,
								  .first = part->first,
								  .end = before});
		part->begin = false;
		part->first = before;
	}
	log_entry_append(LOG_ENTRY_RELATION, relation->record,
					 relation->record_bytes, &self->raw);
	described_add(&self->described, relation);
	self->counts.describes = true;
}

/*
 * Appends parts of a frame, each change after the descriptions of its tables,
 * and the commit after those of tables that the transaction has dropped.
 */
static void
append_described(LogSink *self, const Frame *frame, PlainPart part)
{
	for (size_t i = part.first; i < part.end; i++)
	{
		int count;
		Relation *const *needs = described_needs(&frame->changes[i], &count);

		for (int j = 0; j < count; j++)
			describe(self, frame, &part, i, needs[j]);
	}
	for (size_t i = 0; part.commit && i < frame->relation_count; i++)
		if (frame->relations[i]->gone)
			describe(self, frame, &part, part.end, frame->relations[i]);
	append_plain(self, frame, &part);
}

static void
begin_txn(LogSink *self, const TxnInfo *txn)
{
	CHECK(!self->inside_txn && txn->end_lsn > self->position.end_lsn);
	self->inside_txn = true;
	self->txn = *txn;
	self->txn.origin = NULL;
	self->txn_changes = 0;
}

static void
end_txn(LogSink *self)
{
	self->inside_txn = false;
	self->position = (LogPosition){.end_lsn = self->txn.end_lsn,
								   .commit_lsn = self->txn.commit_lsn,
								   .commit_time_us = self->txn.commit_time_us};
	self->counts.transactions++;
	self->boundary = self->counts;
	self->report.transactions++;
}

/* ---- frames ------------------------------------------------------------- */

/*
 * Takes a part of a transaction that has committed, unless the log has it.  Of
 * one that it has, only the frame that describes the session comes.
 */
static void
take_committed(LogSink *self, const Frame *frame)
{
	if (frame->begins && frame->txn.end_lsn <= self->report.start_lsn)
		return;
	if (frame->begins)
		begin_txn(self, &frame->txn);
	self->txn_changes += frame->change_count;
	self->report.rows += (int64_t) frame->change_count;
	append_described(self, frame,
					 (PlainPart){.begin = frame->begins,
								 .commit = frame->commits,
								 .end = frame->change_count,
								 .change_count = self->txn_changes});
	if (frame->commits)
		end_txn(self);
}

/* Takes a message outside of transactions, unless the log has it. */
static void
take_message(LogSink *self, const Frame *frame)
{
	const MessageInfo *message;

	CHECK(frame->change_count == 1);
	message = frame->changes[0].message;
	if (message->lsn < self->position.end_lsn)
		return;
	append_plain(self, frame, &(PlainPart){.end = 1});
	self->position.end_lsn = message->lsn + 1;
	self->boundary = self->counts;
}

/* Records that a file of an open transaction has no room. */
static void
wait_for_room(LogSink *self, int64_t now_us)
{
	if (!self->out_of_room)
		log_warning("log.no-room-open",
					"no room for open transactions in \"%s\": nothing is read "
					"from the source, which keeps its WAL, until there is room",
					self->path);
	self->out_of_room = true;
	self->retry_us = now_us + ROOM_INTERVAL_MS * 1000;
}

static void
note_room(LogSink *self)
{
	if (self->out_of_room)
		log_info("log", "there is room again for open transactions in \"%s\"",
				 self->path);
	self->out_of_room = false;
	self->retry_us = 0;
}

static OpenFile *
find_open(const LogSink *self, uint32_t xid)
{
	for (size_t i = 0; i < self->open_count; i++)
		if (open_file_xid(self->open_files[i]) == xid)
			return self->open_files[i];
	return NULL;
}

static OpenFile *
add_open(LogSink *self, uint32_t xid)
{
	OpenFile *file = open_file_new(self->directory_fd, self->path, xid);

	if (self->open_count == self->open_capacity)
	{
		self->open_capacity = self->open_capacity * 2 + 8;
		self->open_files = xrealloc_array(self->open_files, self->open_capacity,
										  sizeof(OpenFile *));
	}
	self->open_files[self->open_count++] = file;
	return file;
}

static void
drop_open(LogSink *self, OpenFile *file)
{
	for (size_t i = 0; i < self->open_count; i++)
		if (self->open_files[i] == file)
		{
			self->open_files[i] = self->open_files[--self->open_count];
			break;
		}
	open_file_free(file);
}

static MUST_CHECK Rc
abort_open(LogSink *self, OpenFile *file, uint32_t subxid, Error *err)
{
	if (file == NULL)
		return RC_OK;
	if (subxid != 0)
		return open_file_cut(file, subxid, err);
	drop_open(self, file);
	return RC_OK;
}

/* Begins to copy the changes of an open transaction, which commits. */
static void
enter(LogSink *self, OpenFile *file, Frame *frame)
{
	begin_txn(self, &frame->txn);
	append_plain(self, frame, &(PlainPart){.begin = true});
	self->entering = file;
	self->entering_commit = frame_ref(frame);
}

static MUST_CHECK Rc
take_open(LogSink *self, Frame *frame, Error *err)
{
	const OpenTxnInfo *info = &frame->open_txn;
	OpenFile *file = find_open(self, info->xid);
	Rc rc = RC_OK;

	if (info->aborts)
		return abort_open(self, file, info->abort_subxid, err);
	if (file == NULL)
		file = add_open(self, info->xid);
	if (frame->commits && frame->txn.end_lsn <= self->report.start_lsn)
		drop_open(self, file);
	else if (frame->commits)
		enter(self, file, frame);
	else
	{
		open_file_append(file, frame);
		rc = open_file_write(file, false, err);
	}
	if (rc == RC_AGAIN)
		wait_for_room(self, clock_monotonic_us());
	return rc == RC_AGAIN ? RC_OK : rc;
}

/*
 * Notes the session.  A segment that was begun before it was known has only
 * positions.
 */
static MUST_CHECK Rc
take_session(LogSink *self, const Frame *frame, Error *err)
{
	if (frame->session_bytes > LOG_SESSION_BYTES_MAX)
		return error_set(err, ERR_LIMIT,
						 "description of the session has more than %zu bytes",
						 LOG_SESSION_BYTES_MAX);
	ASSERT(self->raw.length == 0);
	buf_append(&self->session, frame->session, frame->session_bytes);
	return end_segment(self, err);
}

static Rc
take_frame(Sink *sink, Frame *frame, Error *err)
{
	LogSink *self = log_sink(sink);
	Rc rc = RC_OK;

	ASSERT(self->entering == NULL);
	if (frame->session != NULL)
		rc = take_session(self, frame, err);
	if (rc != RC_OK)
		return rc;
	if (frame->open_txn.xid != 0)
		rc = take_open(self, frame, err);
	else if (frame->begins || self->inside_txn)
		take_committed(self, frame);
	else
		take_message(self, frame);
	if (rc == RC_OK)
		rc = close_if_due(self, err);
	update_full(self);
	return rc;
}

/* ---- open transactions that enter --------------------------------------- */

static void
finish_entering(LogSink *self)
{
	Frame *commit = self->entering_commit;
	OpenFile *file = self->entering;

	self->txn_changes = open_file_changes(file);
	self->report.rows += (int64_t) self->txn_changes;
	self->counts.changes += (uint32_t) self->txn_changes;
	open_file_note_described(file, &self->described);
	append_described(
		self, commit,
		(PlainPart){.commit = true, .change_count = self->txn_changes});
	end_txn(self);
	drop_open(self, file);
	frame_unref(commit);
	self->entering = NULL;
	self->entering_commit = NULL;
}

/*
 * Copies a record's worth of an open transaction into the log, if the store
 * takes it.
 */
static MUST_CHECK Rc
work_entering(LogSink *self, int64_t now_us, Error *err)
{
	Rc rc;

	if (now_us < self->retry_us || !self->store->state.ready)
		return RC_OK;
	rc = open_file_write(self->entering, true, err);
	if (rc == RC_AGAIN)
		wait_for_room(self, now_us);
	if (rc != RC_OK)
		return rc == RC_AGAIN ? RC_OK : rc;
	note_room(self);
	rc = open_file_read(self->entering, LOG_SINK_RECORD_BYTES, &self->raw, err);
	if (rc == RC_END)
	{
		finish_entering(self);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	self->counts.describes = true;
	note_entry(self);
	return close_if_due(self, err);
}

/* Writes what could not be written for want of room. */
static MUST_CHECK Rc
retry_open_files(LogSink *self, int64_t now_us, Error *err)
{
	if (self->retry_us == 0 || now_us < self->retry_us)
		return RC_OK;
	for (size_t i = 0; i < self->open_count; i++)
	{
		Rc rc = open_file_write(self->open_files[i], false, err);

		if (rc == RC_FAIL)
			return rc;
		if (rc == RC_AGAIN)
		{
			wait_for_room(self, now_us);
			return RC_OK;
		}
	}
	note_room(self);
	return RC_OK;
}

/* ---- positions ---------------------------------------------------------- */

static bool
is_ending(const LogSink *self)
{
	return self->sink.orders.mode >= SINK_SETTLING;
}

/*
 * Whether the log is to say how far it is.  Not at the end of a stream: a
 * record that does not end inside of a transaction would complete the one whose
 * end has not come.
 */
static bool
is_position_due(const LogSink *self, int64_t now_us)
{
	const SinkOrders *orders = &self->sink.orders;
	Lsn received = orders->received_lsn;

	if (received <= self->position.end_lsn || self->inside_txn ||
		is_ending(self) || self->raw.length > 0)
		return false;
	return orders->position_wanted || orders->mode == SINK_DRAINING ||
		   received - self->position.end_lsn >= LOG_SINK_POSITION_BYTES ||
		   now_us >= self->position_us + LOG_SINK_POSITION_MS * 1000;
}

/*
 * Reports what the store has.  A message may be beyond what counts as received,
 * until the source tells its position.
 */
static void
update_report(LogSink *self)
{
	Lsn most = lsn_max(self->sink.orders.received_lsn, self->report.start_lsn);
	const LogStoreState *state = &self->store->state;

	self->report.applied_lsn = lsn_max(self->report.applied_lsn,
									   lsn_min(state->written.end_lsn, most));
	self->report.durable_lsn = lsn_max(self->report.durable_lsn,
									   lsn_min(state->flushed.end_lsn, most));
}

/* ---- work --------------------------------------------------------------- */

/* Drops the entries of a transaction whose end will not come. */
static void
cut_raw(LogSink *self)
{
	if (self->entering != NULL)
		return; /* its end has come */
	self->raw.length = self->boundary.length;
	self->counts = self->boundary;
	self->inside_txn = false;
}

/* Whether what was collected is to become a record, although it is not much. */
static bool
is_closing_due(const LogSink *self, int64_t now_us, bool source_idle)
{
	const LogStoreState *state = &self->store->state;

	if (self->raw.length == 0 || !state->ready)
		return false;
	if (now_us >= self->raw_since_us + COLLECT_MS * 1000 ||
		self->sink.orders.mode != SINK_RUNNING)
		return true;
	/* While a flush is in progress, more may come. */
	return source_idle && state->flushed.end_lsn == state->appended.end_lsn;
}

static MUST_CHECK Rc
make_records(LogSink *self, int64_t now_us, bool source_idle, Error *err)
{
	Rc rc = RC_OK;

	if (is_ending(self))
		cut_raw(self);
	if (self->entering != NULL)
		rc = work_entering(self, now_us, err);
	else
		rc = retry_open_files(self, now_us, err);
	if (rc == RC_OK && is_closing_due(self, now_us, source_idle))
		rc = close_record(self, err);
	if (rc == RC_OK && self->store->state.ready &&
		is_position_due(self, now_us))
	{
		self->position.end_lsn = self->sink.orders.received_lsn;
		self->position_us = now_us;
		rc = close_record(self, err);
	}
	return rc;
}

static bool
is_stopped(const LogSink *self)
{
	const LogStoreState *state = &self->store->state;

	return is_ending(self) && self->entering == NULL && self->raw.length == 0 &&
		   state->flushed.end_lsn == state->appended.end_lsn;
}

static Rc
work(Sink *sink, bool source_idle, Error *err)
{
	LogSink *self = log_sink(sink);
	int64_t now_us = clock_monotonic_us();
	Rc rc = make_records(self, now_us, source_idle, err);

	if (rc == RC_OK)
		rc = log_store_work(self->store, now_us,
							source_idle || sink->orders.mode != SINK_RUNNING ||
								sink->orders.position_wanted,
							err);
	if (rc == RC_OK)
		rc = close_if_due(self, err);
	if (rc != RC_OK)
		return rc;
	update_report(self);
	update_full(self);
	self->report.stopped = is_stopped(self);
	return RC_OK;
}

static void
interest(const Sink *sink, Interest *interest)
{
	const LogSink *self = (const LogSink *) sink;
	int64_t position_us = self->position_us + LOG_SINK_POSITION_MS * 1000;

	log_store_interest(self->store, interest);
	if (self->retry_us != 0)
		interest_until(interest, self->retry_us);
	else if (self->entering != NULL && self->store->state.ready)
		interest_until(interest, 0);
	if (self->raw.length > 0 && self->store->state.ready)
		interest_until(interest, self->raw_since_us + COLLECT_MS * 1000);
	if (sink->orders.received_lsn > self->position.end_lsn &&
		!self->inside_txn && !is_ending(self))
		interest_until(interest, position_us);
}

/* ---- life cycle --------------------------------------------------------- */

static void
drop_open_files(LogSink *self)
{
	while (self->open_count > 0)
		drop_open(self, self->open_files[self->open_count - 1]);
	frame_unref(self->entering_commit);
	self->entering_commit = NULL;
	self->entering = NULL;
}

static void
free_sink(Sink *sink)
{
	LogSink *self = log_sink(sink);

	drop_open_files(self);
	free(self->open_files);
	described_release(&self->described);
	log_store_close(self->store);
	ZSTD_freeCCtx(self->zstd);
	buf_release(&self->session);
	buf_release(&self->raw);
	buf_release(&self->packed);
	buf_release(&self->plain);
	free(self);
}

Sink *
log_sink_new(const LogSinkOptions *options)
{
	static const SinkOps ops = {.name = "log",
								.frame = take_frame,
								.work = work,
								.interest = interest,
								.free = free_sink};
	LogSink *self = xcalloc(1, sizeof(LogSink));
	const LogPosition *end = &options->store->state.appended;

	sink_init(&self->sink, &ops, &self->report, end->end_lsn);
	self->report.label = "log";
	self->report.last_commit_lsn = end->commit_lsn;
	self->report.last_commit_time_us = end->commit_time_us;
	self->store = options->store;
	self->directory_fd = options->directory_fd;
	self->path = options->path;
	self->segment_bytes = options->segment_bytes;
	self->position = *end;
	self->position_us = clock_monotonic_us();
	self->zstd = ZSTD_createCCtx();
	CHECK(self->zstd != NULL);
	buf_init(&self->session, LOG_SESSION_BYTES_MAX);
	buf_init(&self->raw, LOG_PAYLOAD_BYTES_MAX);
	buf_init(&self->packed, ZSTD_compressBound(LOG_PAYLOAD_BYTES_MAX));
	buf_init(&self->plain, LOG_PAYLOAD_BYTES_MAX);
	return &self->sink;
}

Rc
log_sink_begin_stream(Sink *sink, const SourceIdentity *source, Error *err)
{
	LogSink *self = log_sink(sink);
	const LogPosition *end = &self->store->state.appended;

	drop_open_files(self);
	buf_reset(&self->raw);
	buf_reset(&self->session);
	self->raw_since_us = 0;
	self->counts = (Counts){0};
	self->boundary = (Counts){0};
	self->inside_txn = false;
	self->out_of_room = false;
	self->retry_us = 0;
	self->source = *source;
	self->position = *end;
	self->report.start_lsn = end->end_lsn;
	self->report.last_commit_lsn = end->commit_lsn;
	self->report.last_commit_time_us = end->commit_time_us;
	self->report.full = false;
	self->report.stopped = false;
	sink_begin_stream(sink);
	return end_segment(self, err);
}
