/*
 * survey.c
 *    Walks over all segments.
 */
#include "log/survey.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "log/description.h"
#include "log/segment.h"

typedef struct Survey
{
	const char *path;
	int directory_fd;
	bool all;
	LogNames names;
	Buf payload;
	LogPosition position; /* of the log after the segment before */
	bool damaged;         /* whether anything is */
} Survey;

/* Whether the entries of a payload are well formed. */
static bool
has_entries(const Buf *payload)
{
	size_t offset = 0;
	Rc rc;

	do
	{
		LogEntry entry;

		rc = log_entry_next((const uint8_t *) payload->data, payload->length,
							&offset, &entry);
	} while (rc == RC_OK);
	return rc == RC_END;
}

/* Checks the payload of a record.  RC_END: it is damaged. */
static MUST_CHECK Rc
check_payload(Survey *self, Segment *segment, uint64_t offset,
			  const LogRecord *record, Error *err)
{
	Rc rc;

	if (!self->all)
		return RC_OK;
	rc = segment_payload(segment, offset, record, &self->payload, err);
	if (rc != RC_OK || (record->flags & LOG_RECORD_INDEX) != 0)
		return rc;
	return self->payload.length == record->raw_bytes &&
				   has_entries(&self->payload)
			   ? RC_OK
			   : RC_END;
}

/*
 * Walks over the records of a segment.  *offset is where the first one is that
 * is damaged or not there.
 */
static MUST_CHECK Rc
walk(Survey *self, Segment *segment, SegmentSummary *summary, uint64_t *offset,
	 Error *err)
{
	uint64_t next = segment_first(segment);

	for (;;)
	{
		LogRecord record;
		Rc rc;

		*offset = next;
		rc = segment_next(segment, &next, &record, err);
		if (rc == RC_OK && next > summary->bytes)
			rc = RC_END;
		if (rc == RC_OK)
			rc = check_payload(self, segment, *offset, &record, err);
		if (rc != RC_OK || (record.flags & LOG_RECORD_INDEX) != 0)
			return rc == RC_END ? RC_OK : rc;
		summary->transactions += record.transactions;
		summary->changes += record.changes;
		if ((record.flags & LOG_RECORD_INSIDE) == 0)
			summary->last = record.position;
	}
}

/*
 * Notes the bytes after the last good record of the last segment.  They are
 * being written, if a process writes the log; otherwise this fails with
 * *damage.
 */
static MUST_CHECK Rc
note_rest(const Survey *self, SegmentSummary *summary, uint64_t offset,
		  Error *damage)
{
	Rc rc;

	summary->rest = summary->bytes - offset;
	if (summary->rest == 0 || log_description_is_locked(self->directory_fd))
		return RC_OK;
	rc = error_set(damage, ERR_IO,
				   "log segment \"%s/%s\" has %" PRIu64
				   " bytes after its last good record",
				   self->path, summary->name, summary->rest);
	error_detail(damage, "The log ends at LSN " LSN_FORMAT ".",
				 LSN_ARGS(summary->last.end_lsn));
	error_hint(damage,
			   "If a crash has interrupted recording, they were not confirmed "
			   "to the source: the next start of \"penstock record\" drops "
			   "them, and the source sends them again.  If they were "
			   "confirmed, it refuses to start.");
	return rc;
}

/* Refuses a directory without segments that nothing says is a log. */
static MUST_CHECK Rc
require_log(const char *path, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	LogDescription description;
	Rc rc = log_description_find(&description, path, arena, err);

	arena_free(arena);
	return rc;
}

/* Sets *damage if a segment is damaged, or does not follow the one before. */
static MUST_CHECK Rc
look_at_open(Survey *self, Segment *segment, SegmentSummary *summary,
			 const char *next, Error *damage, Error *err)
{
	uint64_t offset = 0;
	bool has_gap;
	Rc rc;

	summary->first = segment_head(segment)->position;
	summary->last = summary->first;
	has_gap = self->position.end_lsn != 0 &&
			  self->position.end_lsn != summary->first.end_lsn;
	rc = walk(self, segment, summary, &offset, err);
	if (rc == RC_OK)
		rc = segment_is_complete(segment, offset, &summary->complete, err);
	if (rc != RC_OK)
		return rc;
	if (!summary->complete && next != NULL)
		rc = segment_explain_damage(segment, offset, &summary->last, next,
									damage);
	else if (!summary->complete)
		rc = note_rest(self, summary, offset, damage);
	if (damage->code == ERR_NONE && has_gap)
	{
		rc = error_set(damage, ERR_IO,
					   "changes are missing before segment "
					   "\"%s\"",
					   summary->name);
		error_detail(damage,
					 "The log has none after LSN " LSN_FORMAT
					 " and up to LSN " LSN_FORMAT ".",
					 LSN_ARGS(self->position.end_lsn),
					 LSN_ARGS(summary->first.end_lsn));
	}
	return rc == RC_FAIL && damage->code != ERR_NONE ? RC_OK : rc;
}

static MUST_CHECK Rc
look_at(Survey *self, size_t index, SegmentSummary *summary, Error *damage,
		Error *err)
{
	const char *next = index + 1 < self->names.count
						   ? self->names.names[index + 1]
						   : NULL;
	Segment *segment = NULL;
	Rc rc = segment_open(&segment, self->directory_fd, self->path,
						 self->names.names[index], err);

	*summary = (SegmentSummary){.first = self->position,
								.last = self->position};
	memcpy(summary->name, self->names.names[index], LOG_SEGMENT_NAME_SIZE);
	if (segment != NULL && segment_size(segment, &summary->bytes, err) != RC_OK)
		rc = RC_FAIL;
	if (rc == RC_OK)
		rc = look_at_open(self, segment, summary, next, damage, err);
	else if (rc == RC_END && next == NULL)
	{
		rc = note_rest(self, summary, 0, damage);
		rc = damage->code != ERR_NONE ? RC_OK : rc;
	}
	else if (rc == RC_END)
	{
		rc = segment_explain_damage(segment, 0, &self->position, next, damage);
		rc = damage->code != ERR_NONE ? RC_OK : rc;
	}
	segment_close(segment);
	return rc;
}

static MUST_CHECK Rc
look_at_all(Survey *self, SurveyFunction function, void *context, Error *err)
{
	for (size_t i = 0; i < self->names.count; i++)
	{
		SegmentSummary summary;
		Error damage = {0};
		Rc rc;

		if (interrupt_requested())
			return error_set(err, ERR_INTERRUPTED,
							 "stopped before the log was read");
		rc = look_at(self, i, &summary, &damage, err);
		if (rc != RC_OK)
			return rc;
		if (damage.code != ERR_NONE)
		{
			summary.damage = &damage;
			self->damaged = true;
		}
		function(context, &summary);
		/* The next segment begins where this one ends, damaged or not. */
		self->position = damage.code == ERR_NONE ? summary.last
												 : (LogPosition){0};
		error_reset(&damage);
	}
	return self->damaged ? RC_END : RC_OK;
}

Rc
log_survey(const char *path, bool all, SurveyFunction function, void *context,
		   Error *err)
{
	Survey survey = {.path = path, .all = all, .directory_fd = -1};
	Rc rc = log_directory_open(path, false, &survey.directory_fd, err);

	if (rc == RC_END)
		return error_set(err, ERR_CONFIG, "there is no log \"%s\"", path);
	buf_init(&survey.payload, LOG_PAYLOAD_BYTES_MAX);
	if (rc == RC_OK)
		rc = log_directory_list(survey.directory_fd, path, &survey.names, err);
	if (rc == RC_OK && survey.names.count == 0)
		rc = require_log(path, err);
	if (rc == RC_OK)
		rc = look_at_all(&survey, function, context, err);
	log_names_release(&survey.names);
	buf_release(&survey.payload);
	if (survey.directory_fd >= 0)
		close(survey.directory_fd);
	return rc;
}
