/*
 * record.c
 *    Brings slot and log together, and runs the loop with the log's sink.
 *
 * After a transient error of the source there is another attempt with the same
 * sink, which knows what is in the log.  An error of the log ends the program:
 * a flush that has failed must not be tried again (log/flusher.h).
 */
#include "job/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/own_command.h"
#include "catalog/publications.h"
#include "log/description.h"
#include "log/directory.h"
#include "log/files.h"
#include "log/recover.h"
#include "net/pgconn_open.h"
#include "pipeline/begin.h"
#include "pipeline/run.h"
#include "sink/log/log_sink.h"
#include "source/slot.h"

/* First and longest pause between attempts, in milliseconds. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/* First version of PostgreSQL that can send open transactions. */
#define STREAMING_VERSION_MIN 140000

#define ARENA_BLOCK_BYTES     (4 * KB)

typedef struct Recording
{
	const Config *config;
	Arena *arena;
	int directory_fd;
	int lock_fd;
	LogDescription description;
	bool described; /* whether the log has its description */
	LogEnd end;     /* as it was found at the start; but server and timeline
					 * are those of the last stream */
	Sink *sink;     /* NULL until the log and the slot fit */

	/* Of one attempt. */
	PgConn *server;
	PgConn *replication;
	SourceHistory source;
	SlotInfo slot;
	Source *stream;
	bool progressed;
} Recording;

/* ---- the log ------------------------------------------------------------ */

/* Refuses an option that differs from what the log is of. */
static MUST_CHECK Rc
check_same(const Recording *self, const char *option, const char *given,
		   const char *described, Error *err)
{
	Rc rc;

	if (!config_is_given(self->config, option) || strcmp(given, described) == 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG, "log \"%s\" has --%s=%s, not %s",
				   self->config->log, option, described, given);
	error_hint(err, "Leave out the option, or record into another directory "
					"with another slot.");
	return rc;
}

/* Takes from the description what was not given. */
static MUST_CHECK Rc
use_description(Recording *self, Error *err)
{
	const Config *config = self->config;
	LogDescription *description = &self->description;
	Rc rc = log_description_read(description, self->directory_fd, config->log,
								 self->arena, err);

	self->described = rc == RC_OK;
	if (rc == RC_OK)
		rc = check_same(self, "name", config->name, description->slot, err);
	if (rc == RC_OK)
		rc = check_same(self, "publications", config->publications,
						description->publications, err);
	if (rc == RC_OK)
		rc = check_same(self, "origin", config->origin, description->origin,
						err);
	if (rc != RC_END)
		return rc;
	*description = (LogDescription){.slot = config->name,
									.publications = config->publications,
									.origin = config->origin};
	return RC_OK;
}

static MUST_CHECK Rc
open_log(Recording *self, Error *err)
{
	const char *path = self->config->log;
	Rc rc = log_directory_open(path, true, &self->directory_fd, err);

	if (rc == RC_OK)
		rc = log_description_lock(self->directory_fd, path, &self->lock_fd,
								  err);
	if (rc == RC_OK)
		rc = use_description(self, err);
	if (rc == RC_OK)
		rc = log_directory_remove_open(self->directory_fd, path, err);
	if (rc == RC_OK)
		rc = log_end_find(&self->end, self->directory_fd, path, err);
	if (rc == RC_OK && self->end.position.end_lsn == 0)
		self->end.position.end_lsn = self->description.start_lsn;
	if (rc == RC_OK && self->end.segments > 0 && !self->described)
		rc = error_set(err, ERR_CONFIG, "log \"%s\" has no file \"%s\"", path,
					   LOG_DESCRIPTION_NAME);
	return rc;
}

/* Position of the log, or 0 if it is new. */
static LogPosition
position_of_log(const Recording *self)
{
	LogPosition position = self->end.position;

	if (self->sink != NULL)
	{
		position.end_lsn = self->sink->report->durable_lsn;
		position.commit_lsn = self->sink->report->last_commit_lsn;
	}
	return position;
}

/* ---- the slot ----------------------------------------------------------- */

static MUST_CHECK Rc
connect_source(Recording *self, Error *err)
{
	PgConnOptions options = {.conninfo = self->config->source,
							 .label = "source",
							 .application_name = "penstock_record",
							 .kind = PGCONN_DATA};
	Rc rc = pgconn_open(&self->server, &options, err);

	options.kind = PGCONN_REPLICATION;
	options.application_name = self->description.slot;
	if (rc == RC_OK)
		rc = pgconn_open(&self->replication, &options, err);
	if (rc == RC_OK)
		rc = slot_read_history(self->replication, &self->source, err);
	return rc;
}

/* Whether the log is of the database that we are connected to. */
static MUST_CHECK Rc
check_database(Recording *self, Error *err)
{
	PGresult *result = NULL;
	const char *described = self->description.database;
	const char *name;
	Rc rc = pgconn_exec(self->server, "SELECT pg_catalog.current_database()",
						&result, err);

	if (rc != RC_OK)
		return rc;
	name = PQgetvalue(result, 0, 0);
	if (strchr(name, '\n') != NULL)
		rc = error_set(err, ERR_CONFIG,
					   "the name of a database that is recorded cannot have a "
					   "line break");
	else if (described == NULL)
		self->description.database = arena_strdup(self->arena, name);
	else if (strcmp(described, name) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of database \"%s\", not \"%s\"",
					   self->config->log, described, name);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
check_publications(const Recording *self, Error *err)
{
	Publications publications = {0};
	Rc rc = publications_parse(&publications, self->description.publications,
							   self->arena, err);

	if (rc == RC_OK)
		rc = publications_read(&publications, self->server, err);
	return rc;
}

/* Makes the slot of a new log. */
static MUST_CHECK Rc
make_slot(Recording *self, Error *err)
{
	SlotSnapshot snapshot = {0};
	Rc rc = check_publications(self, err);

	if (rc == RC_OK)
		rc = slot_create(self->replication, self->server,
						 self->description.slot, SLOT_LASTING, &snapshot, err);
	if (rc != RC_OK)
		return rc;
	log_info("record", "made slot \"%s\", from LSN " LSN_FORMAT " on",
			 self->description.slot, LSN_ARGS(snapshot.consistent_lsn));
	self->slot.confirmed_lsn = snapshot.consistent_lsn;
	return RC_OK;
}

static MUST_CHECK Rc
refuse_missing_slot(const Recording *self, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "slot \"%s\" does not exist on the source",
					  self->description.slot);

	error_detail(err,
				 "The log has everything up to LSN " LSN_FORMAT
				 "; a new slot would not have what came since.",
				 LSN_ARGS(position_of_log(self).end_lsn));
	error_hint(err, "Record into another directory, which begins with a new "
					"slot.");
	return rc;
}

static MUST_CHECK Rc
find_slot(Recording *self, Error *err)
{
	const char *name = self->description.slot;
	Rc rc = slot_read(self->server, name, &self->slot, err);

	if (rc != RC_OK)
		return rc;
	if (!self->slot.exists)
		return position_of_log(self).end_lsn == 0
				   ? make_slot(self, err)
				   : refuse_missing_slot(self, err);
	rc = slot_require_usable(&self->slot, name, err);
	if (rc == RC_OK && !self->described)
		rc = check_publications(self, err);
	return rc;
}

/* Whether the log is of this server, and has all that was confirmed. */
static MUST_CHECK Rc
check_fit(const Recording *self, Error *err)
{
	LogPosition position = position_of_log(self);
	SourceIdentity identity = {.timeline = self->end.timeline};
	Rc rc = RC_OK;

	if (self->described && self->end.system_identifier != 0)
	{
		snprintf(identity.system_identifier, sizeof(identity.system_identifier),
				 "%" PRIu64, self->end.system_identifier);
		rc = history_prove(&self->source,
						   &(HistoryPoint){.source = &identity,
										   .lsn = position.end_lsn,
										   .label = "log",
										   .pipeline = self->description.slot},
						   err);
	}
	else if (self->described &&
			 strcmp(self->description.system_identifier,
					self->source.identity.system_identifier) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of another server, with system "
					   "identifier %s",
					   self->config->log, self->description.system_identifier);
	if (rc != RC_OK || position.end_lsn == 0 ||
		self->slot.confirmed_lsn <= position.end_lsn)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "slot \"%s\" is ahead of the log: changes are missing there",
				   self->description.slot);
	error_detail(err,
				 "The log ends at LSN " LSN_FORMAT
				 ", and the slot was confirmed up to LSN " LSN_FORMAT
				 ": what is between the two is in neither.",
				 LSN_ARGS(position.end_lsn),
				 LSN_ARGS(self->slot.confirmed_lsn));
	error_hint(err,
			   "Was the log put back from a backup, or damaged at its end, "
			   "or the slot read by somebody else?  Put the missing "
			   "segments into the directory, or record into another one, "
			   "with another slot.");
	return rc;
}

/* Writes the description of a new log, and completes what an old one has. */
static MUST_CHECK Rc
begin_log(Recording *self, Error *err)
{
	const char *path = self->config->log;
	LogStore *store = NULL;
	Rc rc = RC_OK;

	if (self->end.position.end_lsn == 0)
		self->end.position.end_lsn = self->slot.confirmed_lsn;
	if (!self->described)
	{
		self->description.start_lsn = self->slot.confirmed_lsn;
		self->description.system_identifier = arena_strdup(
			self->arena, self->source.identity.system_identifier);
		rc = log_description_write(&self->description, self->directory_fd, err);
	}
	self->described = rc == RC_OK;
	if (rc == RC_OK)
		rc = log_end_complete(&self->end, self->directory_fd, path, err);
	if (rc == RC_OK)
		rc = files_open(&store, self->directory_fd, path, &self->end.position,
						err);
	if (rc != RC_OK)
		return rc;
	self->sink = log_sink_new(
		&(LogSinkOptions){.store = store,
						  .directory_fd = self->directory_fd,
						  .path = path,
						  .segment_bytes = self->config->segment_bytes});
	return RC_OK;
}

/* ---- one attempt -------------------------------------------------------- */

static MUST_CHECK Rc
open_stream(Recording *self, Error *err)
{
	const Config *config = self->config;
	const WireOptions wire = {
		.publications = self->description.publications,
		.origin = self->description.origin,
		.bundle = config->bundle,
		.compression = config->compression,
		.messages = true,
		.schema_changes = true,
		.binary = true,
		.streaming = config->streaming &&
					 pgconn_server_version_num(self->server) >=
						 STREAMING_VERSION_MIN};
	PgConn *replication = self->replication;

	self->replication = NULL;
	return begin_stream(&self->stream, replication, self->description.slot,
						&wire, err);
}

/*
 * Reads the confirmed position again, now that nobody else can use the slot.
 */
static MUST_CHECK Rc
read_start(Recording *self, Error *err)
{
	Rc rc = slot_read(self->server, self->description.slot, &self->slot, err);

	pgconn_close(self->server);
	self->server = NULL;
	return rc;
}

/*
 * Begins a stream in the log.  What is recorded now is of this server: the next
 * attempt compares with it.  A server that an attempt has only connected to
 * does not count.
 */
static MUST_CHECK Rc
begin_recording(Recording *self, Error *err)
{
	const SourceIdentity *source = &self->source.identity;
	Rc rc = log_sink_begin_stream(self->sink, source, err);

	if (rc != RC_OK)
		return rc;
	self->end.timeline = source->timeline;
	self->end.system_identifier = strtoull(source->system_identifier, NULL, 10);
	return RC_OK;
}

static MUST_CHECK Rc
record_once(Recording *self, Error *err)
{
	Pipeline pipeline = {
		.endpos = self->config->endpos, .sink_count = 1, .verbose = true};
	Rc rc = connect_source(self, err);

	if (rc == RC_OK)
		rc = check_database(self, err);
	if (rc == RC_OK)
		rc = find_slot(self, err);
	if (rc == RC_OK)
		rc = check_fit(self, err);
	if (rc == RC_OK)
		rc = open_stream(self, err);
	if (rc == RC_OK)
		rc = read_start(self, err);
	if (rc == RC_OK)
		rc = check_fit(self, err);
	if (rc == RC_OK && self->sink == NULL)
		rc = begin_log(self, err);
	if (rc == RC_OK)
		rc = begin_recording(self, err);
	if (rc != RC_OK)
		return rc;
	log_info("record",
			 "recording slot \"%s\" into \"%s\", from LSN " LSN_FORMAT " on",
			 self->description.slot, self->config->log,
			 LSN_ARGS(self->sink->report->start_lsn));
	pipeline.source = self->stream;
	pipeline.start_lsn = self->slot.confirmed_lsn;
	pipeline.sinks = &self->sink;
	rc = pipeline_run(&pipeline, &self->progressed, err);
	if (rc == RC_OK)
		log_info("record",
				 "stopped; the log has everything up to LSN " LSN_FORMAT
				 ", recorded %" PRId64 " changes in %" PRId64 " transactions",
				 LSN_ARGS(self->sink->report->durable_lsn),
				 self->sink->report->rows, self->sink->report->transactions);
	return rc;
}

static void
end_attempt(Recording *self)
{
	source_close(self->stream);
	self->stream = NULL;
	pgconn_close(self->replication);
	self->replication = NULL;
	pgconn_close(self->server);
	self->server = NULL;
	history_release(&self->source);
}

/* ---- all attempts ------------------------------------------------------- */

static MUST_CHECK Rc
record_until_done(Recording *self, Error *err)
{
	Backoff backoff = {.first_ms = RETRY_PAUSE_FIRST_MS,
					   .max_ms = RETRY_PAUSE_MAX_MS};

	for (;;)
	{
		Rc rc = record_once(self, err);

		end_attempt(self);
		if (rc != RC_FAIL || !error_is_transient(err))
			return rc;
		if (self->progressed)
			backoff_reset(&backoff);
		self->progressed = false;
		log_error(LOG_WARNING, "record.trying-again", err);
		log_info("record", "trying again in %" PRId64 " ms",
				 backoff_ms(&backoff));
		error_reset(err);
		rc = backoff_wait(&backoff, err);
		if (rc != RC_OK)
			return rc;
	}
}

Rc
record_run(const Config *config, Error *err)
{
	Recording recording = {.config = config,
						   .arena = arena_new(ARENA_BLOCK_BYTES),
						   .directory_fd = -1,
						   .lock_fd = -1};
	Rc rc = open_log(&recording, err);

	if (rc == RC_OK)
		rc = record_until_done(&recording, err);
	rc = pipeline_judge_end("record", config->endpos, recording.sink, rc, err);
	sink_free(recording.sink);
	log_end_release(&recording.end);
	if (recording.lock_fd >= 0)
		close(recording.lock_fd);
	if (recording.directory_fd >= 0)
		close(recording.directory_fd);
	arena_free(recording.arena);
	return rc;
}
