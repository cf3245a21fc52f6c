/*
 * log_source.c
 *    Makes messages of the entries of a log.
 */
#include "source/log/log_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "log/reader.h"
#include "wire/plain.h"

typedef struct LogSource
{
	Source source; /* first member; see log_source() */
	LogReader *reader;
	LogSourceOptions options;
	LogItem item;
	bool in_item;     /* whether entries of the item are left */
	size_t offset;    /* of the next of them */
	bool session_due; /* whether no Session was returned yet */
	Lsn position;     /* last position that was returned */
	int64_t poll_us;  /* when to look for more at the end of the log */
} LogSource;

static LogSource *
log_source(Source *source)
{
	return (LogSource *) source;
}

/* Returns a message that consists of the bytes in `buf`, which it takes. */
static void
take_message(SourceMessage *message, Buf *buf)
{
	CHECK(!buf->overflowed);
	*message = (SourceMessage){.kind = SOURCE_DATA,
							   .memory = buf->data,
							   .memory_free = free,
							   .data = (const uint8_t *) buf->data,
							   .length = buf->length};
	*buf = (Buf){0};
}

static void
return_session(LogSource *self, SourceMessage *message)
{
	const LogHead *head = self->item.head;
	Buf buf;

	buf_init(&buf, LOG_SESSION_BYTES_MAX + 16);
	plain_append_session(head->session, head->session_bytes, &buf);
	self->session_due = false;
	take_message(message, &buf);
}

static void
return_entry(const LogEntry *entry, SourceMessage *message)
{
	Buf buf;

	buf_init(&buf, entry->length + 64);
	if (entry->kind == LOG_ENTRY_RELATION)
		plain_append_relation(entry->content, entry->length, &buf);
	else
		buf_append(&buf, entry->content, entry->length);
	take_message(message, &buf);
}

/* Ends the item.  Returns true if it says a new position. */
static bool
end_item(LogSource *self, SourceMessage *message)
{
	const LogRecord *record = &self->item.record;

	self->in_item = false;
	if ((record->flags & LOG_RECORD_INSIDE) != 0 ||
		record->position.end_lsn <= self->position)
		return false;
	self->position = record->position.end_lsn;
	*message = (SourceMessage){.kind = SOURCE_KEEPALIVE, .lsn = self->position};
	return true;
}

/* Returns what is left of the item.  RC_AGAIN: nothing. */
static MUST_CHECK Rc
return_rest(LogSource *self, SourceMessage *message, Error *err)
{
	const LogItem *item = &self->item;

	if (self->session_due && item->head != NULL &&
		item->head->session_bytes > 0)
	{
		return_session(self, message);
		return RC_OK;
	}
	for (;;)
	{
		LogEntry entry;
		Rc rc = log_entry_next(item->payload, item->length, &self->offset,
							   &entry);

		if (rc == RC_FAIL)
			return error_set(err, ERR_PROTOCOL,
							 "record of the log before LSN " LSN_FORMAT
							 " is not well formed",
							 LSN_ARGS(item->record.position.end_lsn));
		if (rc == RC_END)
			return end_item(self, message) ? RC_OK : RC_AGAIN;
		if (item->skipped && entry.kind != LOG_ENTRY_RELATION)
			continue;
		return_entry(&entry, message);
		return RC_OK;
	}
}

/*
 * Ends the stream where a timeline begins that the receiver does not know: it
 * proves the history, and records the timeline, when it begins again.
 */
static MUST_CHECK Rc
check_timeline(const LogSource *self, const LogHead *head, Error *err)
{
	if (head->timeline <= self->options.timeline)
		return RC_OK;
	return error_set(err, ERR_CONNECT,
					 "the log goes on with timeline %u of the source, from "
					 "LSN " LSN_FORMAT " on",
					 head->timeline, LSN_ARGS(head->position.end_lsn));
}

/* Ends the stream at the end of a log that ends before the receiver's LSN. */
static MUST_CHECK Rc
check_end(const LogSource *self, Error *err)
{
	Lsn end_lsn = log_reader_end(self->reader);
	Rc rc;

	if (end_lsn >= self->options.reached)
		return RC_AGAIN;
	rc = error_set(err, ERR_CONNECT,
				   "log \"%s\" has not got to where the target is",
				   self->options.path);
	error_detail(
		err, "It ends at LSN " LSN_FORMAT ", the target is at " LSN_FORMAT ".",
		LSN_ARGS(end_lsn), LSN_ARGS(self->options.reached));
	error_hint(err, "Is the log recorded, and is it the one that the target "
					"has followed?");
	return rc;
}

static Rc
receive(Source *source, SourceMessage *message, Error *err)
{
	LogSource *self = log_source(source);

	for (;;)
	{
		Rc rc = RC_AGAIN;

		if (self->in_item)
			rc = return_rest(self, message, err);
		if (rc != RC_AGAIN)
			return rc;
		if (clock_monotonic_us() < self->poll_us)
			return RC_AGAIN;
		rc = log_reader_next(self->reader, &self->item, err);
		if (rc == RC_AGAIN)
		{
			self->poll_us = clock_monotonic_us() + LOG_SOURCE_POLL_MS * 1000;
			rc = check_end(self, err);
		}
		if (rc == RC_OK && self->item.head != NULL)
			rc = check_timeline(self, self->item.head, err);
		if (rc != RC_OK)
			return rc;
		self->in_item = true;
		self->offset = 0;
	}
}

/* The log keeps what it has, whatever was applied. */
static void
set_positions(Source *source UNUSED, const SourcePositions *positions UNUSED)
{
}

static Rc
work(Source *source UNUSED, int64_t now_us UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static Rc
send_last(Source *source UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
interest(const Source *source, bool receiving, Interest *interest)
{
	const LogSource *self = (const LogSource *) source;

	if (receiving)
		interest_until(interest, self->in_item ? 0 : self->poll_us);
}

static void
close_source(Source *source)
{
	LogSource *self = log_source(source);

	log_reader_close(self->reader);
	free(self);
}

Rc
log_source_open(Source **source, const LogSourceOptions *options, Error *err)
{
	static const SourceOps ops = {.name = "log",
								  .receive = receive,
								  .set_positions = set_positions,
								  .work = work,
								  .send_last = send_last,
								  .interest = interest,
								  .close = close_source};
	LogReader *reader = NULL;
	LogSource *self;
	Rc rc = log_reader_open(&reader, options->path, options->from, err);

	if (rc != RC_OK)
		return rc;
	self = xcalloc(1, sizeof(LogSource));
	self->source.ops = &ops;
	self->reader = reader;
	self->options = *options;
	self->session_due = true;
	self->position = options->from;
	*source = &self->source;
	return RC_OK;
}
