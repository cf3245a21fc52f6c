/*
 * segment.c
 *    Reads with pread(2), and checks every CRC.
 */
#include "log/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/crc32c.h"
#include "base/xalloc.h"

#define HEAD_BYTES_MAX                                                         \
	(LOG_HEAD_BYTES + LOG_SESSION_BYTES_MAX + LOG_HEAD_END_BYTES)

struct Segment
{
	int directory_fd;
	int fd;
	const char *path; /* of the directory; borrowed */
	char name[LOG_SEGMENT_NAME_SIZE];
	LogHead head;
	uint8_t *head_bytes; /* what the head points into */
	size_t first;
	ZSTD_DCtx *zstd; /* NULL until it is needed */
	Buf stored;
};

static MUST_CHECK Rc
could_not(const Segment *self, const char *what, Error *err)
{
	return error_set(err, ERR_IO, "could not %s file \"%s/%s\": %s", what,
					 self->path, self->name, strerror(errno));
}

/* Reads up to `length` bytes; *got is less at the end of the file. */
static MUST_CHECK Rc
read_at(const Segment *self, uint64_t offset, void *into, size_t length,
		size_t *got, Error *err)
{
	*got = 0;
	while (*got < length)
	{
		ssize_t bytes = pread(self->fd, (uint8_t *) into + *got, length - *got,
							  (off_t) (offset + *got));

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return could_not(self, "read", err);
		if (bytes == 0)
			break;
		*got += (size_t) bytes;
	}
	return RC_OK;
}

/* Whether the head is of the segment that the name says. */
static bool
fits_name(const Segment *self)
{
	uint32_t timeline;
	Lsn lsn;

	return log_segment_name_parse(self->name, &timeline, &lsn) &&
		   self->head.timeline == timeline &&
		   self->head.position.end_lsn == lsn;
}

Rc
segment_open(Segment **segment, int directory_fd, const char *path,
			 const char *name, Error *err)
{
	Segment *self = xcalloc(1, sizeof(Segment));
	size_t got;
	Rc rc;

	*segment = self;
	self->directory_fd = directory_fd;
	self->path = path;
	memcpy(self->name, name, LOG_SEGMENT_NAME_SIZE);
	buf_init(&self->stored, LOG_PAYLOAD_BYTES_MAX);
	self->head_bytes = xmalloc(HEAD_BYTES_MAX);
	self->fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
	rc = self->fd < 0
			 ? could_not(self, "open", err)
			 : read_at(self, 0, self->head_bytes, HEAD_BYTES_MAX, &got, err);
	if (rc != RC_OK)
	{
		segment_close(self);
		*segment = NULL;
		return rc;
	}
	return log_head_read(self->head_bytes, got, &self->head, &self->first) &&
				   fits_name(self)
			   ? RC_OK
			   : RC_END;
}

void
segment_close(Segment *segment)
{
	if (segment == NULL)
		return;
	if (segment->fd >= 0)
		close(segment->fd);
	ZSTD_freeDCtx(segment->zstd);
	buf_release(&segment->stored);
	free(segment->head_bytes);
	free(segment);
}

const LogHead *
segment_head(const Segment *segment)
{
	return &segment->head;
}

const char *
segment_name(const Segment *segment)
{
	return segment->name;
}

uint64_t
segment_first(const Segment *segment)
{
	return segment->first;
}

bool
segment_is_current(const Segment *segment)
{
	struct stat mine;
	struct stat named;

	return fstat(segment->fd, &mine) == 0 &&
		   fstatat(segment->directory_fd, segment->name, &named, 0) == 0 &&
		   mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

Rc
segment_size(const Segment *segment, uint64_t *bytes, Error *err)
{
	struct stat status;

	if (fstat(segment->fd, &status) != 0)
		return could_not(segment, "look at", err);
	*bytes = (uint64_t) status.st_size;
	return RC_OK;
}

Rc
segment_next(const Segment *segment, uint64_t *offset, LogRecord *record,
			 Error *err)
{
	uint8_t bytes[LOG_RECORD_BYTES];
	size_t got;
	Rc rc = read_at(segment, *offset, bytes, sizeof(bytes), &got, err);

	if (rc != RC_OK)
		return rc;
	if (got < sizeof(bytes) || !log_record_read(bytes, record))
		return RC_END;
	*offset += LOG_RECORD_BYTES + record->stored_bytes;
	return RC_OK;
}

static bool
decompress(Segment *self, size_t raw_bytes, Buf *payload)
{
	char *into = buf_reserve(payload, raw_bytes);
	size_t done;

	if (self->zstd == NULL)
		self->zstd = ZSTD_createDCtx();
	CHECK(self->zstd != NULL && into != NULL);
	done = ZSTD_decompressDCtx(self->zstd, into, raw_bytes, self->stored.data,
							   self->stored.length);
	if (ZSTD_isError(done) || done != raw_bytes)
		return false;
	buf_advance(payload, raw_bytes);
	return true;
}

Rc
segment_payload(Segment *segment, uint64_t offset, const LogRecord *record,
				Buf *payload, Error *err)
{
	uint64_t size;
	size_t got;
	char *into;
	Rc rc = segment_size(segment, &size, err);

	buf_reset(payload);
	if (rc != RC_OK)
		return rc;
	/* No memory is allocated for more than the file has. */
	if (offset + LOG_RECORD_BYTES + record->stored_bytes > size)
		return RC_END;
	buf_reset(&segment->stored);
	into = buf_reserve(&segment->stored, record->stored_bytes);
	CHECK(into != NULL);
	rc = read_at(segment, offset + LOG_RECORD_BYTES, into, record->stored_bytes,
				 &got, err);
	if (rc != RC_OK)
		return rc;
	if (got < record->stored_bytes || crc32c(into, got) != record->payload_crc)
		return RC_END;
	buf_advance(&segment->stored, got);
	if ((record->flags & LOG_RECORD_ZSTD) != 0)
		return decompress(segment, record->raw_bytes, payload) ? RC_OK : RC_END;
	buf_append(payload, segment->stored.data, segment->stored.length);
	return RC_OK;
}

/* ---- the index ---------------------------------------------------------- */

/* Reads where the index is.  RC_END: the segment is not complete. */
static MUST_CHECK Rc
find_index(const Segment *self, uint64_t *offset, LogRecord *record, Error *err)
{
	uint8_t trailer[LOG_TRAILER_BYTES];
	uint64_t size = 0;
	uint64_t end;
	size_t got = 0;
	Rc rc = segment_size(self, &size, err);

	if (rc == RC_OK && size < self->first + LOG_TRAILER_BYTES)
		return RC_END;
	if (rc == RC_OK)
		rc = read_at(self, size - LOG_TRAILER_BYTES, trailer, sizeof(trailer),
					 &got, err);
	if (rc != RC_OK)
		return rc;
	if (got < sizeof(trailer) || !log_trailer_read(trailer, offset) ||
		*offset < self->first || *offset > size)
		return RC_END;
	end = *offset;
	rc = segment_next(self, &end, record, err);
	if (rc == RC_OK && ((record->flags & LOG_RECORD_INDEX) == 0 ||
						end + LOG_TRAILER_BYTES != size))
		return RC_END;
	return rc;
}

Rc
segment_is_complete(const Segment *segment, uint64_t offset, bool *complete,
					Error *err)
{
	LogRecord record;
	uint64_t index;
	Rc rc = find_index(segment, &index, &record, err);

	*complete = rc == RC_OK && index == offset;
	return rc == RC_END ? RC_OK : rc;
}

Rc
segment_end(const Segment *segment, LogPosition *position, Error *err)
{
	LogRecord record;
	uint64_t offset;
	Rc rc = find_index(segment, &offset, &record, err);

	if (rc == RC_OK)
		*position = record.position;
	return rc;
}

/* Returns the LSN of the first item of the index after `offset`; 0: unknown. */
static Lsn
find_in_index(Segment *self, uint64_t offset)
{
	LogRecord record;
	uint64_t at;
	Buf index;
	Lsn lsn = 0;
	Error ignored = {0};

	buf_init(&index, LOG_PAYLOAD_BYTES_MAX);
	if (find_index(self, &at, &record, &ignored) == RC_OK && at > offset &&
		segment_payload(self, at, &record, &index, &ignored) == RC_OK)
	{
		lsn = record.position.end_lsn;
		for (size_t i = 0; i + LOG_INDEX_ITEM_BYTES <= index.length;
			 i += LOG_INDEX_ITEM_BYTES)
		{
			LogIndexItem item;

			log_index_read((const uint8_t *) index.data + i, &item);
			if (item.offset > offset && (item.flags & LOG_RECORD_INSIDE) == 0)
			{
				lsn = item.end_lsn;
				break;
			}
		}
	}
	error_reset(&ignored);
	buf_release(&index);
	return lsn;
}

Rc
segment_explain_damage(Segment *segment, uint64_t offset,
					   const LogPosition *position, const char *next,
					   Error *err)
{
	LogRecord record;
	uint64_t end = offset;
	uint32_t timeline;
	Lsn last = 0;
	Rc rc = segment_next(segment, &end, &record, err);

	if (rc == RC_FAIL)
		return rc;
	if (rc == RC_OK && (record.flags & LOG_RECORD_INSIDE) == 0)
		last = record.position.end_lsn;
	if (last == 0)
		last = find_in_index(segment, offset);
	if (last == 0 &&
		(next == NULL || !log_segment_name_parse(next, &timeline, &last)))
		last = 0;
	rc = error_set(err, ERR_IO,
				   "log segment \"%s/%s\" is damaged at byte %" PRIu64,
				   segment->path, segment->name, offset);
	if (last == position->end_lsn && last != 0)
		error_detail(err, "The changes are there; what describes them is "
						  "damaged.");
	else if (last != 0)
		error_detail(err,
					 "Changes after LSN " LSN_FORMAT
					 " and up to LSN " LSN_FORMAT " cannot be read.",
					 LSN_ARGS(position->end_lsn), LSN_ARGS(last));
	else
		error_detail(err, "Changes after LSN " LSN_FORMAT " cannot be read.",
					 LSN_ARGS(position->end_lsn));
	error_hint(err,
			   "Put a copy of this file in its place, for example from a "
			   "backup.  \"penstock log verify --log=%s\" reads the whole log "
			   "and lists all damage.",
			   segment->path);
	return rc;
}
