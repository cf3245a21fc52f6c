/*
 * files.c
 *    Writes the last segment.
 *
 * `size` bytes of the file were written, and the bytes of the queue come after
 * them.  At `complete` is the end of the last record that does not end inside
 * of a transaction.
 */
#include "log/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "log/directory.h"
#include "log/flusher.h"

/* Bytes of queue that one record may have. */
#define QUEUE_BYTES_MAX (LOG_PAYLOAD_BYTES_MAX + 64 * MB)

typedef struct Files
{
	LogStore store; /* first member; see files_of() */
	int directory_fd;
	const char *path;
	Flusher *flusher;

	/* Of the segment that was begun. */
	char name[LOG_SEGMENT_NAME_SIZE];
	int fd;            /* -1: the file was not made yet */
	bool new_name;     /* the file's name was not flushed yet */
	uint64_t size;     /* bytes written */
	uint64_t complete; /* end of the last complete record */
	LogPosition start;
	Buf queue;
	size_t queue_done; /* bytes at the start of the queue that were written */
	Buf index;
	uint64_t indexed; /* offset of the last item of the index */
	bool ending;      /* the segment has its index, and ends when all is
					   * flushed */

	uint64_t dirty;         /* bytes written since the last flush was begun */
	int64_t dirty_since_us; /* time of the first of them */
	LogPosition flushing;   /* what the flush in progress makes durable */
	int64_t retry_us;       /* time of the next try to write; 0: none is due */
} Files;

static Files *
files_of(LogStore *store)
{
	return (Files *) store;
}

static uint64_t
end_of_queue(const Files *self)
{
	return self->size + self->queue.length - self->queue_done;
}

static void
update_state(Files *self)
{
	LogStoreState *state = &self->store.state;

	state->ready = !self->ending &&
				   self->queue.length - self->queue_done < FILES_QUEUE_BYTES &&
				   !state->out_of_room;
	state->segment_bytes = state->in_segment ? end_of_queue(self) : 0;
}

static MUST_CHECK Rc
could_not(const Files *self, const char *what, Error *err)
{
	return error_set(err, ERR_IO, "could not %s file \"%s/%s\": %s", what,
					 self->path, self->name, strerror(errno));
}

/* ---- what is given ------------------------------------------------------ */

static void
begin_segment(LogStore *store, const LogHead *head)
{
	Files *self = files_of(store);

	ASSERT(self->fd < 0 && self->queue.length == 0);
	log_segment_name(head->timeline, head->position.end_lsn, self->name);
	log_head_append(head, &self->queue);
	self->size = 0;
	self->queue_done = 0;
	self->complete = self->queue.length;
	self->start = head->position;
	self->indexed = 0;
	buf_reset(&self->index);
	store->state.in_segment = true;
	update_state(self);
}

/* Adds the record that comes next to the index, if it belongs there. */
static void
index_record(Files *self, const LogRecord *record)
{
	uint64_t offset = end_of_queue(self);
	const LogPosition *before = &self->store.state.appended;

	log_index_note(
		&(LogIndexItem){
			.offset = offset,
			.end_lsn = before->end_lsn,
			.commit_time_us = before->commit_time_us,
			.flags = (record->flags & LOG_RECORD_RELATIONS) |
					 (offset == self->complete ? 0U : LOG_RECORD_INSIDE)},
		&self->indexed, &self->index);
}

static void
queue_record(Files *self, const LogRecord *given, const void *payload)
{
	LogRecord record = *given;
	uint8_t bytes[LOG_RECORD_BYTES];

	record.payload_crc = crc32c(payload, record.stored_bytes);
	log_record_write(&record, bytes);
	buf_append(&self->queue, bytes, sizeof(bytes));
	buf_append(&self->queue, payload, record.stored_bytes);
	CHECK(!self->queue.overflowed);
}

static void
append(LogStore *store, const LogRecord *record, const void *payload)
{
	Files *self = files_of(store);
	bool inside = end_of_queue(self) != self->complete;

	/* Only its commit ends a transaction. */
	CHECK(!inside || (record->flags & LOG_RECORD_INSIDE) != 0 ||
		  record->transactions > 0);
	index_record(self, record);
	queue_record(self, record, payload);
	if ((record->flags & LOG_RECORD_INSIDE) == 0)
	{
		self->complete = end_of_queue(self);
		store->state.appended = record->position;
	}
	update_state(self);
}

/* ---- the end of a segment ----------------------------------------------- */

static void
forget_segment(Files *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	self->new_name = false;
	self->ending = false;
	self->dirty = 0;
	buf_reset(&self->queue);
	self->queue_done = 0;
	/* Nothing waits for room any more; the next write finds out anew. */
	self->store.state.out_of_room = false;
	self->retry_us = 0;
	self->store.state.in_segment = false;
	update_state(self);
}

/* Waits for the flush in progress, before its file is closed. */
static MUST_CHECK Rc
wait_for_flush(Files *self, Error *err)
{
	while (flusher_is_busy(self->flusher))
	{
		struct pollfd fd = {.fd = flusher_fd(self->flusher), .events = POLLIN};
		Rc rc;

		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return error_set(err, ERR_IO, "could not wait for a flush: %s",
							 strerror(errno));
		rc = flusher_take(self->flusher, err);
		if (rc == RC_FAIL)
			return rc;
		if (rc == RC_OK)
			self->store.state.flushed = self->flushing;
	}
	return RC_OK;
}

/* Removes a segment that has no complete record. */
static MUST_CHECK Rc
remove_segment(Files *self, Error *err)
{
	Rc rc = wait_for_flush(self, err);

	if (rc == RC_OK && self->fd >= 0 &&
		unlinkat(self->directory_fd, self->name, 0) != 0)
		rc = could_not(self, "remove", err);
	forget_segment(self);
	return rc;
}

/* Drops what comes after the last complete record. */
static MUST_CHECK Rc
drop_incomplete(Files *self, Error *err)
{
	if (self->complete >= self->size)
	{
		self->queue.length = self->queue_done +
							 (size_t) (self->complete - self->size);
		return RC_OK;
	}
	buf_reset(&self->queue);
	self->queue_done = 0;
	if (ftruncate(self->fd, (off_t) self->complete) != 0)
		return could_not(self, "truncate", err);
	self->size = self->complete;
	self->dirty++; /* the new length has to be flushed, too */
	return RC_OK;
}

/*
 * Removes from the end of the index the records that were dropped.
 */
static void
drop_from_index(Files *self)
{
	while (self->index.length > 0)
	{
		LogIndexItem item;

		log_index_read((const uint8_t *) self->index.data + self->index.length -
						   LOG_INDEX_ITEM_BYTES,
					   &item);
		if (item.offset < self->complete)
			break;
		self->index.length -= LOG_INDEX_ITEM_BYTES;
	}
}

static MUST_CHECK Rc
end_segment(LogStore *store, Error *err)
{
	Files *self = files_of(store);
	LogRecord record = {.flags = LOG_RECORD_INDEX,
						.position = store->state.appended};
	Rc rc;

	if (store->state.appended.end_lsn == self->start.end_lsn)
		return remove_segment(self, err);
	rc = drop_incomplete(self, err);
	if (rc != RC_OK)
		return rc;
	drop_from_index(self);
	record.stored_bytes = (uint32_t) self->index.length;
	record.raw_bytes = record.stored_bytes;
	queue_record(self, &record, self->index.data);
	log_trailer_append(self->complete, &self->queue);
	self->ending = true;
	store->state.in_segment = false;
	update_state(self);
	return RC_OK;
}

/* ---- writing ------------------------------------------------------------ */

/* Records that there is no room.  Writing is tried again later. */
static Rc
wait_for_room(Files *self, int64_t now_us)
{
	if (!self->store.state.out_of_room)
		log_warning("log.no-room",
					"no room for the log in \"%s\": nothing is confirmed to "
					"the source, which keeps its WAL, until there is room",
					self->path);
	self->store.state.out_of_room = true;
	self->retry_us = now_us + FILES_ROOM_INTERVAL_MS * 1000;
	return RC_AGAIN;
}

static void
note_room(Files *self)
{
	if (!self->store.state.out_of_room)
		return;
	log_info("log", "there is room again for the log in \"%s\"", self->path);
	self->store.state.out_of_room = false;
	self->retry_us = 0;
}

static MUST_CHECK Rc
make_file(Files *self, int64_t now_us, Error *err)
{
	FAULT("log.before_create");
	self->fd = openat(self->directory_fd, self->name,
					  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (self->fd < 0 && log_is_want_of_room(errno))
		return wait_for_room(self, now_us);
	if (self->fd < 0)
		return could_not(self, "make", err);
	self->new_name = true;
	FAULT("log.after_create");
	return RC_OK;
}

/* Writes the queue.  RC_AGAIN: there is no room. */
static MUST_CHECK Rc
write_queue(Files *self, int64_t now_us, Error *err)
{
	while (self->queue_done < self->queue.length)
	{
		ssize_t written;

		FAULT("log.before_write");
		written = pwrite(self->fd, self->queue.data + self->queue_done,
						 self->queue.length - self->queue_done,
						 (off_t) self->size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && log_is_want_of_room(errno))
			return wait_for_room(self, now_us);
		if (written < 0)
			return could_not(self, "write", err);
		if (self->dirty == 0)
			self->dirty_since_us = now_us;
		self->dirty += (uint64_t) written;
		self->size += (uint64_t) written;
		self->queue_done += (size_t) written;
	}
	buf_reset(&self->queue);
	self->queue_done = 0;
	self->store.state.written = self->store.state.appended;
	FAULT("log.after_write");
	return RC_OK;
}

static MUST_CHECK Rc
write_out(Files *self, int64_t now_us, Error *err)
{
	Rc rc = RC_OK;

	if (self->queue.length == 0 || now_us < self->retry_us)
		return RC_OK;
	if (self->fd < 0)
		rc = make_file(self, now_us, err);
	if (rc == RC_OK)
		rc = write_queue(self, now_us, err);
	if (rc == RC_OK)
		note_room(self);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static bool
is_flush_due(const Files *self, int64_t now_us, bool wanted)
{
	if (self->dirty == 0)
		return false;
	return wanted || self->ending || self->dirty >= FILES_FLUSH_BYTES ||
		   now_us >= self->dirty_since_us + FILES_FLUSH_MS * 1000;
}

static void
begin_flush(Files *self)
{
	self->flushing = self->store.state.written;
	self->dirty = 0;
	flusher_begin(self->flusher, self->fd,
				  self->new_name ? self->directory_fd : -1);
	self->new_name = false;
}

/* Takes the result of a flush, if one has ended. */
static MUST_CHECK Rc
end_flush(Files *self, Error *err)
{
	Rc rc;

	if (!flusher_is_busy(self->flusher))
		return RC_OK;
	rc = flusher_take(self->flusher, err);
	if (rc == RC_OK)
		self->store.state.flushed = self->flushing;
	if (rc == RC_FAIL)
		error_hint(err, "What was not flushed was not confirmed to the source, "
						"and comes again after the next start.  Check the disk "
						"before.");
	return rc == RC_AGAIN ? RC_OK : rc;
}

static Rc
work(LogStore *store, int64_t now_us, bool flush, Error *err)
{
	Files *self = files_of(store);
	Rc rc = end_flush(self, err);

	if (rc == RC_OK)
		rc = write_out(self, now_us, err);
	if (rc != RC_OK)
		return rc;
	if (!flusher_is_busy(self->flusher))
	{
		if (is_flush_due(self, now_us, flush))
			begin_flush(self);
		else if (self->ending && self->queue.length == 0)
		{
			forget_segment(self);
			FAULT("log.segment_complete");
		}
	}
	update_state(self);
	return RC_OK;
}

static void
interest(const LogStore *store, Interest *interest)
{
	const Files *self = (const Files *) store;

	if (flusher_is_busy(self->flusher))
		interest_add(interest, flusher_fd(self->flusher), POLLIN);
	else if (self->dirty > 0)
		interest_until(interest, self->dirty_since_us + FILES_FLUSH_MS * 1000);
	else if (self->ending && self->queue.length == 0)
		interest_until(interest, 0);
	if (self->queue.length > 0)
		interest_until(interest, self->retry_us);
}

static void
close_store(LogStore *store)
{
	Files *self = files_of(store);

	flusher_free(self->flusher);
	if (self->fd >= 0)
		close(self->fd);
	buf_release(&self->queue);
	buf_release(&self->index);
	free(self);
}

Rc
files_open(LogStore **store, int directory_fd, const char *path,
		   const LogPosition *end, Error *err)
{
	static const LogStoreOps ops = {.name = "files",
									.begin_segment = begin_segment,
									.append = append,
									.end_segment = end_segment,
									.work = work,
									.interest = interest,
									.close = close_store};
	Files *self = xcalloc(1, sizeof(Files));
	Rc rc = flusher_new(&self->flusher, err);

	if (rc != RC_OK)
	{
		free(self);
		return rc;
	}
	self->store.ops = &ops;
	self->store.state = (LogStoreState){
		.appended = *end, .written = *end, .flushed = *end, .ready = true};
	self->directory_fd = directory_fd;
	self->path = path;
	self->fd = -1;
	buf_init(&self->queue, QUEUE_BYTES_MAX);
	buf_init(&self->index, LOG_PAYLOAD_BYTES_MAX);
	*store = &self->store;
	return RC_OK;
}
