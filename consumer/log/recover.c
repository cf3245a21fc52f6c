/*
 * recover.c
 *    Checks the chain of segments, and writes the last one anew.
 */
#include "log/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "log/segment.h"

#define COPY_BYTES MB

/* ---- the chain ---------------------------------------------------------- */

/* Fills `err`: the segments do not follow one another. */
static MUST_CHECK Rc
refuse_gap(const char *path, const char *name, Lsn before, Lsn after,
		   Error *err)
{
	Rc rc = error_set(err, ERR_IO,
					  before < after
						  ? "log \"%s\" has a gap before segment \"%s\""
						  : "log \"%s\" has segment \"%s\" in the wrong place",
					  path, name);

	error_detail(err,
				 "The segment before it ends at LSN " LSN_FORMAT
				 ", and it begins at LSN " LSN_FORMAT ".",
				 LSN_ARGS(before), LSN_ARGS(after));
	error_hint(err, "Put the segments that are missing into the directory, for "
					"example from a backup.");
	return rc;
}

/* Notes the head of a segment, which has to begin where the log is. */
static MUST_CHECK Rc
note_head(LogEnd *end, const Segment *segment, const char *path, Error *err)
{
	const LogHead *head = segment_head(segment);

	if (end->system_identifier == 0)
	{
		end->first = head->position;
		end->position = head->position;
	}
	else if (head->position.end_lsn != end->position.end_lsn)
		return refuse_gap(path, segment_name(segment), end->position.end_lsn,
						  head->position.end_lsn, err);
	end->system_identifier = head->system_identifier;
	end->timeline = head->timeline;
	return RC_OK;
}

/* Checks a segment that is not the last one. */
static MUST_CHECK Rc
check_earlier(LogEnd *end, Segment *segment, const char *path, const char *next,
			  Error *err)
{
	Rc rc = note_head(end, segment, path, err);
	LogPosition before = end->position;

	if (rc == RC_OK)
		rc = segment_end(segment, &end->position, err);
	if (rc == RC_END)
	{
		uint64_t size;

		rc = segment_size(segment, &size, err);
		if (rc == RC_OK)
			rc = segment_explain_damage(segment, size, &before, next, err);
	}
	return rc;
}

/* ---- the last segment --------------------------------------------------- */

static void
index_record(LogEnd *end, uint64_t offset, uint64_t *indexed,
			 const LogRecord *record)
{
	log_index_note(
		&(LogIndexItem){
			.offset = offset,
			.end_lsn = end->position.end_lsn,
			.commit_time_us = end->position.commit_time_us,
			.flags = (record->flags & LOG_RECORD_RELATIONS) |
					 (offset == end->complete ? 0U : LOG_RECORD_INSIDE)},
		indexed, &end->index);
}

/* Finds the last complete transaction of the last segment. */
static MUST_CHECK Rc
scan_last(LogEnd *end, Segment *segment, Error *err)
{
	uint64_t offset = segment_first(segment);
	uint64_t indexed = 0;
	size_t index_length = 0;
	Buf payload;
	Rc rc = RC_OK;

	buf_init(&payload, LOG_PAYLOAD_BYTES_MAX);
	end->complete = offset;
	for (;;)
	{
		uint64_t start = offset;
		LogRecord record;

		rc = segment_next(segment, &offset, &record, err);
		if (rc == RC_OK)
			rc = segment_payload(segment, start, &record, &payload, err);
		if (rc != RC_OK || (record.flags & LOG_RECORD_INDEX) != 0)
			break;
		index_record(end, start, &indexed, &record);
		if ((record.flags & LOG_RECORD_INSIDE) != 0)
			continue;
		end->complete = offset;
		end->position = record.position;
		index_length = end->index.length;
	}
	end->index.length = index_length;
	buf_release(&payload);
	return rc == RC_END ? RC_OK : rc;
}

static MUST_CHECK Rc
look_at_last(LogEnd *end, Segment *segment, const char *path, Error *err)
{
	LogPosition before;
	uint64_t size;
	bool complete;
	Rc rc = note_head(end, segment, path, err);

	before = end->position;
	if (rc == RC_OK)
		rc = scan_last(end, segment, err);
	if (rc == RC_OK)
		rc = segment_size(segment, &size, err);
	if (rc == RC_OK)
		rc = segment_is_complete(segment, end->complete, &complete, err);
	if (rc != RC_OK)
		return rc;
	end->dropped = complete ? 0 : size - end->complete;
	if (end->position.end_lsn == before.end_lsn)
		end->complete = 0;
	return RC_OK;
}

static MUST_CHECK Rc
look_at(LogEnd *end, int directory_fd, const char *path, const LogNames *names,
		size_t index, Error *err)
{
	const char *next = index + 1 < names->count ? names->names[index + 1]
												: NULL;
	Segment *segment = NULL;
	Rc rc = segment_open(&segment, directory_fd, path, names->names[index],
						 err);

	if (rc == RC_OK && next == NULL)
		rc = look_at_last(end, segment, path, err);
	else if (rc == RC_OK)
		rc = check_earlier(end, segment, path, next, err);
	else if (rc == RC_END && next == NULL)
		rc = segment_size(segment, &end->dropped, err);
	else if (rc == RC_END)
		rc = segment_explain_damage(segment, 0, &end->position, next, err);
	segment_close(segment);
	return rc;
}

Rc
log_end_find(LogEnd *end, int directory_fd, const char *path, Error *err)
{
	LogNames names;
	Rc rc;

	*end = (LogEnd){0};
	buf_init(&end->index, LOG_PAYLOAD_BYTES_MAX);
	rc = log_directory_list(directory_fd, path, &names, err);
	if (rc != RC_OK)
		return rc;
	end->segments = names.count;
	if (names.count > 0)
		memcpy(end->last, names.names[names.count - 1], LOG_SEGMENT_NAME_SIZE);
	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		rc = look_at(end, directory_fd, path, &names, i, err);
	log_names_release(&names);
	/* A log of one segment without a head has nothing. */
	if (rc == RC_OK && end->system_identifier == 0 && end->segments == 1)
		end->position = (LogPosition){0};
	return rc;
}

void
log_end_release(LogEnd *end)
{
	buf_release(&end->index);
}

/* ---- completing it ------------------------------------------------------ */

static bool
write_all(int fd, const char *bytes, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length)
	{
		ssize_t written = pwrite(fd, bytes + done, length - done,
								 (off_t) (offset + done));

		if (written < 0 && errno != EINTR)
			return false;
		done += written > 0 ? (size_t) written : 0;
	}
	return true;
}

static bool
copy_bytes(int from, int to, uint64_t bytes)
{
	char *buffer = xmalloc(COPY_BYTES);
	uint64_t done = 0;

	while (done < bytes)
	{
		size_t wanted = bytes - done < COPY_BYTES ? (size_t) (bytes - done)
												  : COPY_BYTES;
		ssize_t got = pread(from, buffer, wanted, (off_t) done);

		if (got == 0)
			errno = EIO; /* it is shorter than it was */
		if (got <= 0 || !write_all(to, buffer, (size_t) got, done))
			break;
		done += (uint64_t) got;
	}
	free(buffer);
	return done == bytes;
}

static bool
write_end(const LogEnd *end, int fd)
{
	LogRecord record = {.flags = LOG_RECORD_INDEX,
						.stored_bytes = (uint32_t) end->index.length,
						.raw_bytes = (uint32_t) end->index.length,
						.position = end->position};
	uint8_t bytes[LOG_RECORD_BYTES];
	bool done;
	Buf buf;

	record.payload_crc = crc32c(end->index.data, end->index.length);
	log_record_write(&record, bytes);
	buf_init(&buf, LOG_PAYLOAD_BYTES_MAX);
	buf_append(&buf, bytes, sizeof(bytes));
	buf_append(&buf, end->index.data, end->index.length);
	log_trailer_append(end->complete, &buf);
	done = write_all(fd, buf.data, buf.length, end->complete);
	buf_release(&buf);
	return done;
}

static bool
write_anew(const LogEnd *end, int directory_fd, const char *temporary)
{
	int from = openat(directory_fd, end->last, O_RDONLY | O_CLOEXEC);
	int to = openat(directory_fd, temporary,
					O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool done = from >= 0 && to >= 0 && copy_bytes(from, to, end->complete) &&
				write_end(end, to) && fsync(to) == 0;
	int error = errno;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	if (!done)
		unlinkat(directory_fd, temporary, 0);
	errno = error;
	return done;
}

Rc
log_end_complete(const LogEnd *end, int directory_fd, const char *path,
				 Error *err)
{
	char temporary[LOG_SEGMENT_NAME_SIZE + sizeof(".new")];
	bool done;

	if (end->segments == 0)
		return RC_OK;
	if (end->dropped > 0)
		log_info("log",
				 "segment \"%s\" has %" PRIu64
				 " bytes of what was interrupted: they are dropped, the log "
				 "ends at LSN " LSN_FORMAT,
				 end->last, end->dropped, LSN_ARGS(end->position.end_lsn));
	if (end->complete == 0)
		done = unlinkat(directory_fd, end->last, 0) == 0;
	else
	{
		snprintf(temporary, sizeof(temporary), "%s.new", end->last);
		done = write_anew(end, directory_fd, temporary);
		FAULT("log.before_replace");
		done = done &&
			   renameat(directory_fd, temporary, directory_fd, end->last) == 0;
		FAULT("log.after_replace");
	}
	if (done && fsync(directory_fd) == 0)
		return RC_OK;
	return error_set(err, done ? ERR_IO : log_error_code(errno),
					 "could not complete segment \"%s/%s\": %s", path,
					 end->last, strerror(errno));
}
