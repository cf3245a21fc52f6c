/*
 * open_file.c
 *    A file, and what has to be known to cut it.
 *
 * For each subtransaction the offset of its first change is kept.  So a frame
 * in which a subtransaction begins becomes two entries.
 *
 * The file is never flushed, because it does not outlive the process.  So the
 * kernel may fail to write it, and drop it from memory, without anybody being
 * told.  Each entry has a CRC after it, which is checked before the entry
 * enters the log.
 */
#include "sink/log/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fault.h"
#include "base/xalloc.h"
#include "log/directory.h"
#include "log/format.h"
#include "wire/plain.h"

/* Bytes that are appended before they are written. */
#define WRITE_BYTES (256 * KB)

#define NAME_SIZE   (sizeof(LOG_OPEN_PREFIX) + 10)

/* The state of the file when a subtransaction has made its first change. */
typedef struct Mark
{
	uint32_t subxid;
	uint64_t offset;
	uint64_t changes;
	size_t relations;
} Mark;

struct OpenFile
{
	int directory_fd;
	const char *path;
	char name[NAME_SIZE];
	uint32_t xid;
	int fd;           /* -1: not made yet */
	uint64_t written; /* bytes in the file; `rest` comes after them */
	Buf rest;
	uint64_t changes;
	uint64_t read; /* bytes that open_file_read() has returned */

	Mark *marks; /* in the order of their offsets */
	size_t mark_count;
	size_t mark_capacity;
	uint32_t subxid_max; /* largest subxid of a mark that ever was */

	Relation **relations; /* all that were described, in order; references */
	size_t relation_count;
	size_t relation_capacity;
	Described described;
};

static MUST_CHECK Rc
could_not(const OpenFile *self, const char *what, Error *err)
{
	return error_set(err, ERR_IO, "could not %s file \"%s/%s\": %s", what,
					 self->path, self->name, strerror(errno));
}

OpenFile *
open_file_new(int directory_fd, const char *path, uint32_t xid)
{
	OpenFile *self = xcalloc(1, sizeof(OpenFile));

	self->directory_fd = directory_fd;
	self->path = path;
	self->xid = xid;
	self->fd = -1;
	snprintf(self->name, sizeof(self->name), LOG_OPEN_PREFIX "%u", xid);
	buf_init(&self->rest, LOG_PAYLOAD_BYTES_MAX);
	return self;
}

static void
drop_relations(OpenFile *self, size_t left)
{
	while (self->relation_count > left)
		relation_unref(self->relations[--self->relation_count]);
}

void
open_file_free(OpenFile *self)
{
	if (self == NULL)
		return;
	if (self->fd >= 0)
	{
		/* What stays is removed at the next start. */
		(void) unlinkat(self->directory_fd, self->name, 0);
		close(self->fd);
	}
	drop_relations(self, 0);
	described_release(&self->described);
	free(self->relations);
	free(self->marks);
	buf_release(&self->rest);
	free(self);
}

uint32_t
open_file_xid(const OpenFile *self)
{
	return self->xid;
}

uint64_t
open_file_changes(const OpenFile *self)
{
	return self->changes;
}

/* ---- appending ---------------------------------------------------------- */

static Mark *
find_mark(const OpenFile *self, uint32_t subxid)
{
	/* Subtransactions mostly begin in the order of their numbers. */
	if (subxid > self->subxid_max)
		return NULL;
	for (size_t i = self->mark_count; i > 0; i--)
		if (self->marks[i - 1].subxid == subxid)
			return &self->marks[i - 1];
	return NULL;
}

static void
add_mark(OpenFile *self, uint32_t subxid)
{
	if (self->mark_count == self->mark_capacity)
	{
		self->mark_capacity = self->mark_capacity * 2 + 8;
		self->marks = xrealloc_array(self->marks, self->mark_capacity,
									 sizeof(self->marks[0]));
	}
	self->marks[self->mark_count++] = (Mark){.subxid = subxid,
											 .offset = self->written +
													   self->rest.length,
											 .changes = self->changes,
											 .relations = self->relation_count};
	if (subxid > self->subxid_max)
		self->subxid_max = subxid;
}

static void
append_entry(OpenFile *self, LogEntryKind kind, const void *content,
			 size_t length)
{
	size_t start = self->rest.length;
	uint32_t crc;

	log_entry_append(kind, content, length, &self->rest);
	crc = crc32c(self->rest.data + start, self->rest.length - start);
	buf_append(&self->rest, &crc, sizeof(crc));
	CHECK(!self->rest.overflowed);
}

/* Appends the changes `first` up to `end` - 1, whose tables are described. */
static void
append_part(OpenFile *self, const Frame *frame, size_t first, size_t end)
{
	Buf bytes;

	if (first == end)
		return;
	buf_init(&bytes, LOG_PAYLOAD_BYTES_MAX);
	plain_append(frame, &(PlainPart){.first = first, .end = end}, &bytes);
	append_entry(self, LOG_ENTRY_FRAME, bytes.data, bytes.length);
	buf_release(&bytes);
	self->changes += end - first;
}

static void
add_relation(OpenFile *self, Relation *relation)
{
	append_entry(self, LOG_ENTRY_RELATION, relation->record,
				 relation->record_bytes);
	described_add(&self->described, relation);
	if (self->relation_count == self->relation_capacity)
	{
		self->relation_capacity = self->relation_capacity * 2 + 8;
		self->relations = xrealloc_array(self->relations,
										 self->relation_capacity,
										 sizeof(self->relations[0]));
	}
	self->relations[self->relation_count++] = relation_ref(relation);
}

/*
 * Describes the tables of the change with index `before`.  If one of them was
 * described in another way, the changes from *first on are appended before.
 */
static void
describe(OpenFile *self, const Frame *frame, size_t *first, size_t before)
{
	int count;
	Relation *const *needs = described_needs(&frame->changes[before], &count);

	for (int i = 0; i < count; i++)
	{
		if (described_has(&self->described, needs[i]))
			continue;
		if (described_differs(&self->described, needs[i]))
		{
			append_part(self, frame, *first, before);
			*first = before;
		}
		add_relation(self, needs[i]);
	}
}

/*
 * Whether a change is the first one of its subtransaction.  *last is the
 * subtransaction of the change before.
 */
static bool
begins_subtransaction(const OpenFile *self, const Change *change,
					  uint32_t *last)
{
	bool same = change->subxid == *last;

	*last = change->subxid;
	return !same && change->subxid != 0 &&
		   find_mark(self, change->subxid) == NULL;
}

void
open_file_append(OpenFile *self, const Frame *frame)
{
	uint32_t last = 0;
	size_t first = 0;

	for (size_t i = 0; i < frame->change_count; i++)
	{
		const Change *change = &frame->changes[i];

		if (begins_subtransaction(self, change, &last))
		{
			append_part(self, frame, first, i);
			first = i;
			add_mark(self, change->subxid);
		}
		describe(self, frame, &first, i);
	}
	append_part(self, frame, first, frame->change_count);
}

/* ---- cutting ------------------------------------------------------------ */

static void
rebuild_described(OpenFile *self)
{
	described_release(&self->described);
	for (size_t i = 0; i < self->relation_count; i++)
		described_add(&self->described, self->relations[i]);
}

Rc
open_file_cut(OpenFile *self, uint32_t subxid, Error *err)
{
	const Mark *mark = find_mark(self, subxid);
	uint64_t offset;

	if (mark == NULL)
		return RC_OK;
	offset = mark->offset;
	self->changes = mark->changes;
	drop_relations(self, mark->relations);
	rebuild_described(self);
	self->mark_count = (size_t) (mark - self->marks);
	if (offset >= self->written)
	{
		self->rest.length = (size_t) (offset - self->written);
		return RC_OK;
	}
	buf_reset(&self->rest);
	self->written = offset;
	return ftruncate(self->fd, (off_t) offset) == 0
			   ? RC_OK
			   : could_not(self, "truncate", err);
}

/* ---- writing and reading ------------------------------------------------ */

static MUST_CHECK Rc
make_file(OpenFile *self, Error *err)
{
	self->fd = openat(self->directory_fd, self->name,
					  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (self->fd >= 0)
		return RC_OK;
	return log_is_want_of_room(errno) ? RC_AGAIN : could_not(self, "make", err);
}

Rc
open_file_write(OpenFile *self, bool all, Error *err)
{
	size_t done = 0;
	Rc rc = RC_OK;

	if (self->rest.length == 0 || (!all && self->rest.length < WRITE_BYTES))
		return RC_OK;
	if (self->fd < 0)
		rc = make_file(self, err);
	FAULT("log.before_open_write");
	while (rc == RC_OK && done < self->rest.length)
	{
		ssize_t bytes = pwrite(self->fd, self->rest.data + done,
							   self->rest.length - done,
							   (off_t) (self->written + done));

		if (bytes >= 0)
			done += (size_t) bytes;
		else if (log_is_want_of_room(errno))
			rc = RC_AGAIN;
		else if (errno != EINTR)
			rc = could_not(self, "write", err);
	}
	self->written += done;
	memmove(self->rest.data, self->rest.data + done, self->rest.length - done);
	self->rest.length -= done;
	return rc;
}

static MUST_CHECK Rc
refuse_damage(const OpenFile *self, Error *err)
{
	Rc rc = error_set(err, ERR_IO, "file \"%s/%s\" is damaged at byte %" PRIu64,
					  self->path, self->name, self->read);

	error_detail(err,
				 "It has the changes of transaction %u, which was in "
				 "progress on the source.",
				 self->xid);
	error_hint(err, "Nothing of it is in the log, nor was confirmed to the "
					"source: it comes again after the next start.  Check the "
					"disk before.");
	return rc;
}

/* Reads exactly `length` bytes at self->read. */
static MUST_CHECK Rc
read_bytes(OpenFile *self, size_t length, Buf *buf, Error *err)
{
	char *into = buf_reserve(buf, length);
	size_t done = 0;

	CHECK(into != NULL);
	while (done < length)
	{
		ssize_t bytes = pread(self->fd, into + done, length - done,
							  (off_t) (self->read + done));

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return could_not(self, "read", err);
		if (bytes == 0)
			return refuse_damage(self, err);
		done += (size_t) bytes;
	}
	buf_advance(buf, length);
	self->read += length;
	return RC_OK;
}

/* Appends an entry to `buf`, without its CRC. */
static MUST_CHECK Rc
read_entry(OpenFile *self, Buf *buf, Error *err)
{
	size_t start = buf->length;
	LogEntry entry;
	uint32_t crc;
	Rc rc = read_bytes(self, LOG_ENTRY_BYTES, buf, err);

	if (rc != RC_OK)
		return rc;
	log_entry_head((const uint8_t *) buf->data + start, &entry);
	/* A length that was damaged is not believed. */
	if (entry.length > self->written - self->read)
		return refuse_damage(self, err);
	rc = read_bytes(self, entry.length + sizeof(crc), buf, err);
	if (rc != RC_OK)
		return rc;
	buf->length -= sizeof(crc);
	memcpy(&crc, buf->data + buf->length, sizeof(crc));
	return crc == crc32c(buf->data + start, buf->length - start)
			   ? RC_OK
			   : refuse_damage(self, err);
}

Rc
open_file_read(OpenFile *self, size_t bytes, Buf *buf, Error *err)
{
	size_t start = buf->length;

	ASSERT(self->rest.length == 0);
	if (self->read == self->written)
		return RC_END;
	while (self->read < self->written && buf->length - start < bytes)
	{
		Rc rc = read_entry(self, buf, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

void
open_file_note_described(const OpenFile *self, Described *described)
{
	for (size_t i = 0; i < self->relation_count; i++)
		described_add(described, self->relations[i]);
}
