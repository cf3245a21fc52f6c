/*
 * recording.c
 *    Opens a log, and compares it with a slot.
 */
#include "pipeline/log/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "log/directory.h"
#include "log/files.h"
#include "log/recover.h"
#include "log/timelines.h"
#include "sink/log/log_sink.h"

#define ARENA_BLOCK_BYTES (4 * KB)

struct Recording
{
	Arena *arena;
	const char *path;
	size_t segment_bytes;
	int directory_fd;
	int lock_fd;
	LogDescription description;
	bool described; /* whether the log has its description */
	LogEnd end;     /* as it was found at the start; but server and timeline
					 * are those of the last stream */
	Lsn first_lsn;  /* the log has what is after it; 0: it is new */
	Sink *sink;     /* NULL until the log and the slot fit */
};

/* ---- opening it --------------------------------------------------------- */

static MUST_CHECK Rc
read_description(Recording *self, Error *err)
{
	Rc rc = log_description_read(&self->description, self->directory_fd,
								 self->path, self->arena, err);

	self->described = rc == RC_OK;
	return rc == RC_END ? RC_OK : rc;
}

static MUST_CHECK Rc
open_log(Recording *self, Error *err)
{
	const char *path = self->path;
	Rc rc = log_directory_open(path, true, &self->directory_fd, err);

	if (rc == RC_OK)
		rc = log_description_lock(self->directory_fd, path, &self->lock_fd,
								  err);
	if (rc == RC_OK)
		rc = read_description(self, err);
	if (rc == RC_OK)
		rc = log_directory_remove_open(self->directory_fd, path, err);
	if (rc == RC_OK)
		rc = log_end_find(&self->end, self->directory_fd, path, err);
	if (rc == RC_OK && self->end.position.end_lsn == 0)
		self->end.position.end_lsn = self->description.start_lsn;
	self->first_lsn = self->end.system_identifier != 0
						  ? self->end.first.end_lsn
						  : self->description.start_lsn;
	if (rc == RC_OK && self->end.segments > 0 && !self->described)
		rc = error_set(err, ERR_CONFIG, "log \"%s\" has no file \"%s\"", path,
					   LOG_DESCRIPTION_NAME);
	return rc;
}

Rc
recording_open(Recording **recording, const char *path, size_t segment_bytes,
			   Error *err)
{
	Recording *self = xcalloc(1, sizeof(Recording));
	Rc rc;

	self->arena = arena_new(ARENA_BLOCK_BYTES);
	self->path = arena_strdup(self->arena, path);
	self->segment_bytes = segment_bytes;
	self->directory_fd = -1;
	self->lock_fd = -1;
	rc = open_log(self, err);
	if (rc == RC_OK)
		*recording = self;
	else
		recording_free(self);
	return rc;
}

void
recording_free(Recording *recording)
{
	if (recording == NULL)
		return;
	sink_free(recording->sink);
	log_end_release(&recording->end);
	if (recording->lock_fd >= 0)
		close(recording->lock_fd);
	if (recording->directory_fd >= 0)
		close(recording->directory_fd);
	arena_free(recording->arena);
	free(recording);
}

bool
recording_is_described(const Recording *recording)
{
	return recording->described;
}

void
recording_describe(Recording *recording, const char *slot,
				   const char *publications, const char *origin)
{
	Arena *arena = recording->arena;

	ASSERT(!recording->described);
	recording->description = (LogDescription){
		.slot = arena_strdup(arena, slot),
		.publications = arena_strdup(arena, publications),
		.origin = arena_strdup(arena, origin)};
}

const LogDescription *
recording_description(const Recording *recording)
{
	return &recording->description;
}

LogPosition
recording_position(const Recording *recording)
{
	LogPosition position = recording->end.position;

	if (recording->sink != NULL)
	{
		position.end_lsn = recording->sink->report->durable_lsn;
		position.commit_lsn = recording->sink->report->last_commit_lsn;
	}
	return position;
}

Lsn
recording_first(const Recording *recording)
{
	return recording->first_lsn;
}

Sink *
recording_sink(const Recording *recording)
{
	return recording->sink;
}

/* ---- log and slot ------------------------------------------------------- */

/* Whether the log is of this server. */
static MUST_CHECK Rc
check_server(const Recording *self, const SourceHistory *source, Error *err)
{
	SourceIdentity identity = {.timeline = self->end.timeline};

	if (!self->described)
		return RC_OK;
	if (self->end.system_identifier != 0)
	{
		snprintf(identity.system_identifier, sizeof(identity.system_identifier),
				 "%" PRIu64, self->end.system_identifier);
		return history_prove(
			source,
			&(HistoryPoint){.source = &identity,
							.lsn = recording_position(self).end_lsn,
							.label = "log",
							.pipeline = self->description.slot},
			err);
	}
	if (strcmp(self->description.system_identifier,
			   source->identity.system_identifier) == 0)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "log \"%s\" is of another server, with system "
					 "identifier %s",
					 self->path, self->description.system_identifier);
}

static MUST_CHECK Rc
check_database(const Recording *self, const char *database, Error *err)
{
	const char *described = self->description.database;

	if (strchr(database, '\n') != NULL)
		return error_set(err, ERR_CONFIG,
						 "the name of a database that is recorded cannot have "
						 "a line break");
	if (described == NULL || strcmp(described, database) == 0)
		return RC_OK;
	return error_set(err, ERR_CONFIG,
					 "log \"%s\" is of database \"%s\", not \"%s\"", self->path,
					 described, database);
}

/* Whether the log has all that the slot was confirmed to have. */
static MUST_CHECK Rc
check_position(const Recording *self, const SlotInfo *slot, Error *err)
{
	Lsn end_lsn = recording_position(self).end_lsn;
	Rc rc;

	if (end_lsn == 0 || slot->confirmed_lsn <= end_lsn)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "slot \"%s\" is ahead of the log: changes are missing there",
				   self->description.slot);
	error_detail(err,
				 "The log ends at LSN " LSN_FORMAT
				 ", and the slot was confirmed up to LSN " LSN_FORMAT
				 ": what is between the two is in neither.",
				 LSN_ARGS(end_lsn), LSN_ARGS(slot->confirmed_lsn));
	error_hint(err,
			   "Was the log put back from a backup, or damaged at its end, "
			   "or the slot read by somebody else?  Put the missing "
			   "segments into the directory, or record into another one, "
			   "with another slot.");
	return rc;
}

Rc
recording_check(const Recording *recording, const SourceHistory *source,
				const SlotInfo *slot, const char *database, Error *err)
{
	Rc rc = check_database(recording, database, err);

	if (rc == RC_OK)
		rc = check_server(recording, source, err);
	return rc == RC_OK ? check_position(recording, slot, err) : rc;
}

/* ---- streams ------------------------------------------------------------ */

/* Writes the description of a new log. */
static MUST_CHECK Rc
write_description(Recording *self, const SourceHistory *source, Lsn start_lsn,
				  Error *err)
{
	LogDescription *description = &self->description;
	Rc rc;

	description->start_lsn = start_lsn;
	description->system_identifier = arena_strdup(
		self->arena, source->identity.system_identifier);
	rc = log_description_write(description, self->directory_fd, err);
	self->described = rc == RC_OK;
	self->first_lsn = start_lsn;
	return rc;
}

/* Makes the sink, at the end of the log. */
static MUST_CHECK Rc
make_sink(Recording *self, Error *err)
{
	LogStore *store = NULL;
	Rc rc = log_end_complete(&self->end, self->directory_fd, self->path, err);

	if (rc == RC_OK)
		rc = files_open(&store, self->directory_fd, self->path,
						&self->end.position, err);
	if (rc != RC_OK)
		return rc;
	self->sink = log_sink_new(
		&(LogSinkOptions){.store = store,
						  .directory_fd = self->directory_fd,
						  .path = self->path,
						  .segment_bytes = self->segment_bytes});
	return RC_OK;
}

Rc
recording_begin(Recording *recording, const SourceHistory *source,
				const SlotInfo *slot, const char *database, Error *err)
{
	Recording *self = recording;
	Rc rc = RC_OK;

	if (self->description.database == NULL)
		self->description.database = arena_strdup(self->arena, database);
	if (self->end.position.end_lsn == 0)
		self->end.position.end_lsn = slot->confirmed_lsn;
	if (!self->described)
		rc = write_description(self, source, slot->confirmed_lsn, err);
	if (rc == RC_OK && self->sink == NULL)
		rc = make_sink(self, err);
	if (rc == RC_OK)
		rc = log_timelines_write(self->directory_fd, source, err);
	if (rc == RC_OK)
		rc = log_sink_begin_stream(self->sink, &source->identity, err);
	if (rc != RC_OK)
		return rc;

	/*
	 * What is recorded now is of this server: the next attempt compares with
	 * it.  A server that an attempt has only connected to does not count.
	 */
	self->end.timeline = source->identity.timeline;
	self->end.system_identifier = strtoull(source->identity.system_identifier,
										   NULL, 10);
	return RC_OK;
}
