/*
 * reader.c
 *    Walks over the records of a segment, and from a segment to the next one.
 *
 * Records are returned up to `complete`, the end of the last record that is
 * known not to end inside of a transaction.  To move it, the reader looks at
 * the first bytes of the records that follow, which is cheap.  In a segment
 * that has no index it reads the payloads, too: after a crash of the machine
 * they may be damaged, and then they are not part of the log.
 */
#include "log/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

struct LogReader
{
	const char *path;
	int directory_fd;
	Segment *segment;
	Lsn from;
	uint64_t offset;         /* of the next record to return */
	uint64_t complete;       /* see the top of this file */
	LogPosition position;    /* position of the log at `offset` */
	LogPosition complete_at; /* position of the log at `complete` */
	bool has_index; /* whether the segment is known to have its index */
	bool head_due;  /* whether the head was not returned yet */
	Buf payload;
};

/* ---- from segment to segment -------------------------------------------- */

/* Makes a segment the one that is read, from its start. */
static void
use_segment(LogReader *self, Segment *segment)
{
	segment_close(self->segment);
	self->segment = segment;
	self->offset = segment_first(segment);
	self->complete = self->offset;
	self->position = segment_head(segment)->position;
	self->complete_at = self->position;
	self->has_index = false;
	self->head_due = true;
}

/* Fills `err`: the log does not reach back to where the reader has to begin. */
static MUST_CHECK Rc
refuse_start(const LogReader *self, const char *first, Error *err)
{
	uint32_t timeline;
	Lsn lsn = 0;
	Rc rc;

	if (first == NULL)
		return error_set(err, ERR_CONFIG, "log \"%s\" has no changes yet",
						 self->path);
	CHECK(log_segment_name_parse(first, &timeline, &lsn));
	rc = error_set(err, ERR_CONFIG,
				   "log \"%s\" begins at LSN " LSN_FORMAT
				   ", after LSN " LSN_FORMAT,
				   self->path, LSN_ARGS(lsn), LSN_ARGS(self->from));
	error_detail(err, "The changes between the two are not in it.");
	return rc;
}

/* Chooses the last segment that begins at or before `from`. */
static const char *
choose_first(const LogNames *names, Lsn from)
{
	const char *chosen = NULL;

	for (size_t i = 0; i < names->count; i++)
	{
		uint32_t timeline;
		Lsn lsn;

		CHECK(log_segment_name_parse(names->names[i], &timeline, &lsn));
		if (from != 0 && lsn > from)
			break;
		chosen = names->names[i];
		if (from == 0)
			break;
	}
	return chosen;
}

static MUST_CHECK Rc
open_first(LogReader *self, Error *err)
{
	const char *name;
	Segment *segment = NULL;
	LogNames names;
	Rc rc = log_directory_list(self->directory_fd, self->path, &names, err);

	if (rc != RC_OK)
		return rc;
	name = choose_first(&names, self->from);
	if (name == NULL)
		rc = refuse_start(self, names.count > 0 ? names.names[0] : NULL, err);
	else
		rc = segment_open(&segment, self->directory_fd, self->path, name, err);
	if (rc == RC_OK)
		use_segment(self, segment);
	else if (rc == RC_END && names.count == 1)
		rc = refuse_start(self, NULL, err);
	else if (rc == RC_END)
		rc = segment_explain_damage(
			segment, 0, &(LogPosition){.end_lsn = self->from}, NULL, err);
	if (rc != RC_OK)
		segment_close(segment);
	log_names_release(&names);
	return rc;
}

Rc
log_reader_open(LogReader **reader, const char *path, Lsn from, Error *err)
{
	LogReader *self = xcalloc(1, sizeof(LogReader));
	Rc rc;

	self->path = path;
	self->from = from;
	self->directory_fd = -1;
	buf_init(&self->payload, LOG_PAYLOAD_BYTES_MAX);
	rc = log_directory_open(path, false, &self->directory_fd, err);
	if (rc == RC_END)
		rc = error_set(err, ERR_CONFIG, "there is no log \"%s\"", path);
	else if (rc == RC_OK)
		rc = open_first(self, err);
	if (rc != RC_OK)
	{
		log_reader_close(self);
		return rc;
	}
	*reader = self;
	return RC_OK;
}

void
log_reader_close(LogReader *reader)
{
	if (reader == NULL)
		return;
	segment_close(reader->segment);
	if (reader->directory_fd >= 0)
		close(reader->directory_fd);
	buf_release(&reader->payload);
	free(reader);
}

/* Finds the name of the segment after the present one; "": there is none. */
static MUST_CHECK Rc
find_next(const LogReader *self, char name[static LOG_SEGMENT_NAME_SIZE],
		  Error *err)
{
	LogNames names;
	Rc rc = log_directory_list(self->directory_fd, self->path, &names, err);

	name[0] = '\0';
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < names.count && name[0] == '\0'; i++)
		if (strcmp(names.names[i], segment_name(self->segment)) > 0)
			memcpy(name, names.names[i], LOG_SEGMENT_NAME_SIZE);
	log_names_release(&names);
	return rc;
}

static MUST_CHECK Rc
refuse_gap(const LogReader *self, const Segment *next, Error *err)
{
	Rc rc = error_set(err, ERR_IO, "log \"%s\" has a gap before segment \"%s\"",
					  self->path, segment_name(next));

	error_detail(err,
				 "The segment before it ends at LSN " LSN_FORMAT
				 ", and it begins at LSN " LSN_FORMAT ".",
				 LSN_ARGS(self->position.end_lsn),
				 LSN_ARGS(segment_head(next)->position.end_lsn));
	return rc;
}

/*
 * Goes on to the next segment, if there is one: RC_OK.  RC_AGAIN: there is
 * none, or it has no head yet.
 */
static MUST_CHECK Rc
advance(LogReader *self, Error *err)
{
	char name[LOG_SEGMENT_NAME_SIZE];
	Segment *segment = NULL;
	Rc rc = find_next(self, name, err);

	if (rc != RC_OK || name[0] == '\0')
		return rc == RC_OK ? RC_AGAIN : rc;
	rc = segment_open(&segment, self->directory_fd, self->path, name, err);
	if (rc == RC_OK &&
		segment_head(segment)->position.end_lsn != self->position.end_lsn)
		rc = refuse_gap(self, segment, err);
	if (rc == RC_OK)
	{
		use_segment(self, segment);
		return RC_OK;
	}
	segment_close(segment);
	return rc == RC_END ? RC_AGAIN : rc;
}

/*
 * Opens the segment again, if another file has its name now: the writer has
 * started again, and completed it.
 */
static MUST_CHECK Rc
open_again(LogReader *self, Error *err)
{
	Segment *segment = NULL;
	Rc rc;

	if (segment_is_current(self->segment))
		return RC_AGAIN;
	rc = segment_open(&segment, self->directory_fd, self->path,
					  segment_name(self->segment), err);
	if (rc != RC_OK)
	{
		segment_close(segment);
		return rc == RC_END ? RC_AGAIN : rc;
	}
	/* One of which nothing was returned may have another head by now. */
	if (self->head_due)
		use_segment(self, segment);
	else
	{
		segment_close(self->segment);
		self->segment = segment;
	}
	return RC_OK;
}

/* ---- in a segment ------------------------------------------------------- */

/*
 * Whether a record is there as a whole, which is certain in a segment that has
 * its index.  RC_END: it is not.
 */
static MUST_CHECK Rc
check_there(LogReader *self, uint64_t offset, const LogRecord *record,
			Error *err)
{
	LogPosition end;
	Rc rc;

	if (self->has_index)
		return RC_OK;
	rc = segment_end(self->segment, &end, err);
	self->has_index = rc == RC_OK;
	return rc == RC_END ? segment_payload(self->segment, offset, record,
										  &self->payload, err)
						: rc;
}

/*
 * Moves `complete` over one more record or several, up to one that does not end
 * inside of a transaction.  RC_AGAIN: there is none yet.  RC_END: the segment
 * ends.
 */
static MUST_CHECK Rc
find_complete(LogReader *self, Error *err)
{
	uint64_t offset = self->complete;
	LogRecord record;
	Rc rc;

	do
	{
		uint64_t start = offset;
		uint64_t size = 0;

		rc = segment_next(self->segment, &offset, &record, err);
		if (rc == RC_OK)
			rc = segment_size(self->segment, &size, err);
		if (rc != RC_OK)
			return rc == RC_END ? RC_AGAIN : rc;
		if ((record.flags & LOG_RECORD_INDEX) != 0)
			return start == self->complete ? RC_END : RC_AGAIN;
		if (offset > size)
			return RC_AGAIN;
		rc = check_there(self, start, &record, err);
		if (rc != RC_OK)
			return rc == RC_END ? RC_AGAIN : rc;
	} while ((record.flags & LOG_RECORD_INSIDE) != 0);
	self->complete = offset;
	self->complete_at = record.position;
	return RC_OK;
}

/*
 * Decides what it means that no record follows: the end of the log, or damage.
 */
static MUST_CHECK Rc
judge_end(LogReader *self, Error *err)
{
	char name[LOG_SEGMENT_NAME_SIZE];
	LogPosition end;
	Rc rc = find_next(self, name, err);

	if (rc == RC_OK && name[0] == '\0')
		rc = segment_end(self->segment, &end, err);
	if (rc == RC_END)
		return RC_AGAIN; /* it is not complete */
	if (rc != RC_OK)
		return rc;
	/* The writer may have completed it since we looked for a record. */
	rc = find_complete(self, err);
	if (rc != RC_AGAIN)
		return rc == RC_END ? RC_AGAIN : rc;
	return segment_explain_damage(self->segment, self->complete,
								  &self->complete_at,
								  name[0] != '\0' ? name : NULL, err);
}

/* Moves `complete`, into another segment if need be. */
static MUST_CHECK Rc
look_further(LogReader *self, Error *err)
{
	for (;;)
	{
		Rc rc = find_complete(self, err);

		if (rc == RC_AGAIN)
		{
			rc = open_again(self, err);
			if (rc == RC_OK)
				continue;
			return rc == RC_AGAIN ? judge_end(self, err) : rc;
		}
		if (rc != RC_END)
			return rc;
		rc = advance(self, err);
		if (rc != RC_OK)
			return rc;
	}
}

/* Reads the record at `offset`. */
static MUST_CHECK Rc
read_record(LogReader *self, LogItem *item, Error *err)
{
	uint64_t start = self->offset;
	Rc rc = segment_next(self->segment, &self->offset, &item->record, err);

	if (rc == RC_OK && item->skipped &&
		(item->record.flags & LOG_RECORD_RELATIONS) == 0)
		buf_reset(&self->payload);
	else if (rc == RC_OK)
		rc = segment_payload(self->segment, start, &item->record,
							 &self->payload, err);
	if (rc == RC_END)
		rc = segment_explain_damage(self->segment, start, &self->position, NULL,
									err);
	if (rc != RC_OK)
		return rc;
	item->payload = (const uint8_t *) self->payload.data;
	item->length = self->payload.length;
	if ((item->record.flags & LOG_RECORD_INSIDE) == 0)
		self->position = item->record.position;
	return RC_OK;
}

Rc
log_reader_next(LogReader *reader, LogItem *item, Error *err)
{
	Rc rc = RC_OK;

	if (reader->offset == reader->complete)
		rc = look_further(reader, err);
	if (rc != RC_OK)
		return rc;
	*item = (LogItem){.skipped = reader->complete_at.end_lsn <= reader->from};
	if (reader->head_due)
		item->head = segment_head(reader->segment);
	reader->head_due = false;
	return read_record(reader, item, err);
}

Lsn
log_reader_end(const LogReader *reader)
{
	return reader->complete_at.end_lsn;
}
