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
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/log.h"
#include "base/own_command.h"
#include "catalog/publications.h"
#include "net/citus.h"
#include "net/pgconn_open.h"
#include "pipeline/begin.h"
#include "pipeline/log/recording.h"
#include "pipeline/run.h"
#include "source/slot.h"

/* First and longest pause between attempts, in milliseconds. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/* First version of PostgreSQL that can send open transactions. */
#define STREAMING_VERSION_MIN 140000

#define ARENA_BLOCK_BYTES     (4 * KB)

typedef struct Recorder
{
	const Config *config;
	Recording *recording; /* NULL: the log was not opened yet */
	bool out_of_room;     /* whether the last attempt had no room */

	/* Of one attempt. */
	Arena *arena;
	PgConn *server;
	PgConn *replication;
	SourceHistory source;
	const char *database;
	SlotInfo slot;
	Source *stream;
	bool progressed;
} Recorder;

/* ---- the log ------------------------------------------------------------ */

/* Refuses an option that differs from what the log is of. */
static MUST_CHECK Rc
check_same(const Recorder *self, const char *option, const char *given,
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

static MUST_CHECK Rc
check_options(const Recorder *self, Error *err)
{
	const Config *config = self->config;
	const LogDescription *description = recording_description(self->recording);
	Rc rc = check_same(self, "name", config->name, description->slot, err);

	if (rc == RC_OK)
		rc = check_same(self, "publications", config->publications,
						description->publications, err);
	if (rc == RC_OK)
		rc = check_same(self, "origin", config->origin, description->origin,
						err);
	return rc;
}

static MUST_CHECK Rc
open_log(Recorder *self, Error *err)
{
	const Config *config = self->config;
	Rc rc;

	if (self->recording != NULL)
		return RC_OK;
	rc = recording_open(&self->recording, config->log, config->segment_bytes,
						err);
	if (rc == RC_OK && recording_is_described(self->recording))
		rc = check_options(self, err);
	else if (rc == RC_OK)
		recording_describe(self->recording, config->name, config->publications,
						   config->origin);
	return rc;
}

static const char *
slot_name(const Recorder *self)
{
	return recording_description(self->recording)->slot;
}

/* ---- the slot ----------------------------------------------------------- */

static MUST_CHECK Rc
connect_source(Recorder *self, Error *err)
{
	PgConnOptions options = {.conninfo = self->config->source,
							 .label = "source",
							 .application_name = "penstock_record",
							 .kind = PGCONN_DATA};
	Rc rc = pgconn_open(&self->server, &options, err);

	if (rc == RC_OK)
		rc = citus_refuse(self->server, err);
	options.kind = PGCONN_REPLICATION;
	options.application_name = slot_name(self);
	if (rc == RC_OK)
		rc = pgconn_open(&self->replication, &options, err);
	if (rc == RC_OK)
		rc = slot_read_history(self->replication, &self->source, err);
	return rc;
}

static MUST_CHECK Rc
read_database(Recorder *self, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->server, "SELECT pg_catalog.current_database()",
						&result, err);

	if (rc == RC_OK)
		self->database = arena_strdup(self->arena, PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
check_publications(const Recorder *self, Error *err)
{
	Publications publications = {0};
	Rc rc = publications_parse(
		&publications, recording_description(self->recording)->publications,
		self->arena, err);

	if (rc == RC_OK)
		rc = publications_read(&publications, self->server, err);
	return rc;
}

/* Makes the slot of a new log. */
static MUST_CHECK Rc
make_slot(Recorder *self, Error *err)
{
	SlotSnapshot snapshot = {0};
	Rc rc = check_publications(self, err);

	if (rc == RC_OK)
		rc = slot_create(self->replication, self->server, slot_name(self),
						 SLOT_LASTING, &snapshot, err);
	if (rc != RC_OK)
		return rc;
	log_info("record", "made slot \"%s\", from LSN " LSN_FORMAT " on",
			 slot_name(self), LSN_ARGS(snapshot.consistent_lsn));
	self->slot.confirmed_lsn = snapshot.consistent_lsn;
	return RC_OK;
}

static MUST_CHECK Rc
refuse_missing_slot(const Recorder *self, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "slot \"%s\" does not exist on the source",
					  slot_name(self));

	error_detail(err,
				 "The log has everything up to LSN " LSN_FORMAT
				 "; a new slot would not have what came since.",
				 LSN_ARGS(recording_position(self->recording).end_lsn));
	error_hint(err, "Record into another directory, which begins with a new "
					"slot.");
	return rc;
}

static MUST_CHECK Rc
find_slot(Recorder *self, Error *err)
{
	const char *name = slot_name(self);
	Rc rc = slot_read(self->server, name, &self->slot, err);

	if (rc != RC_OK)
		return rc;
	if (!self->slot.exists)
		return recording_position(self->recording).end_lsn == 0
				   ? make_slot(self, err)
				   : refuse_missing_slot(self, err);
	rc = slot_require_usable(&self->slot, name, err);
	if (rc == RC_OK && !recording_is_described(self->recording))
		rc = check_publications(self, err);
	return rc;
}

static MUST_CHECK Rc
check_fit(const Recorder *self, Error *err)
{
	return recording_check(self->recording, &self->source, &self->slot,
						   self->database, err);
}

/* ---- one attempt -------------------------------------------------------- */

static MUST_CHECK Rc
open_stream(Recorder *self, Error *err)
{
	const Config *config = self->config;
	const WireOptions wire = {
		.publications = recording_description(self->recording)->publications,
		.origin = recording_description(self->recording)->origin,
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
	return begin_stream(&self->stream, replication, slot_name(self), &wire,
						err);
}

/*
 * Reads the confirmed position again, now that nobody else can use the slot.
 */
static MUST_CHECK Rc
read_start(Recorder *self, Error *err)
{
	Rc rc = slot_read(self->server, slot_name(self), &self->slot, err);

	pgconn_close(self->server);
	self->server = NULL;
	return rc;
}

/* Says that the log has room again, after it had none. */
static void
note_room(Recorder *self)
{
	if (self->out_of_room)
		log_info("log", "there is room again for the log in \"%s\"",
				 self->config->log);
	self->out_of_room = false;
}

static MUST_CHECK Rc
record_once(Recorder *self, Error *err)
{
	Pipeline pipeline = {
		.endpos = self->config->endpos, .sink_count = 1, .verbose = true};
	Sink *sink;
	Rc rc = open_log(self, err);

	if (rc == RC_OK)
		rc = connect_source(self, err);
	if (rc == RC_OK)
		rc = read_database(self, err);
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
	if (rc == RC_OK)
		rc = recording_begin(self->recording, &self->source, &self->slot,
							 self->database, err);
	if (rc != RC_OK)
		return rc;
	note_room(self);
	sink = recording_sink(self->recording);
	log_info("record",
			 "recording slot \"%s\" into \"%s\", from LSN " LSN_FORMAT " on",
			 slot_name(self), self->config->log,
			 LSN_ARGS(sink->report->start_lsn));
	pipeline.source = self->stream;
	pipeline.start_lsn = self->slot.confirmed_lsn;
	pipeline.sinks = &sink;
	rc = pipeline_run(&pipeline, &self->progressed, err);
	if (rc == RC_OK)
		log_info("record",
				 "stopped; the log has everything up to LSN " LSN_FORMAT
				 ", recorded %" PRId64 " changes in %" PRId64 " transactions",
				 LSN_ARGS(sink->report->durable_lsn), sink->report->rows,
				 sink->report->transactions);
	return rc;
}

static void
end_attempt(Recorder *self)
{
	source_close(self->stream);
	self->stream = NULL;
	pgconn_close(self->replication);
	self->replication = NULL;
	pgconn_close(self->server);
	self->server = NULL;
	history_release(&self->source);
	arena_reset(self->arena);
}

/* ---- all attempts ------------------------------------------------------- */

/* Whether there is a slot, which keeps the source's WAL for the log. */
static bool
has_begun(const Recorder *self)
{
	return self->slot.confirmed_lsn != 0 ||
		   (self->recording != NULL && recording_is_described(self->recording));
}

/* Says why an attempt has failed; that there is no room only once. */
static void
say_failure(Recorder *self, const Backoff *backoff, Error *err)
{
	bool no_room = err->code == ERR_NO_ROOM;
	bool said = no_room && self->out_of_room;

	self->out_of_room = no_room;
	if (said)
		return;
	if (no_room)
	{
		error_hint(err,
				   has_begun(self)
					   ? "Nothing is confirmed to the source, which keeps its "
						 "WAL, until there is room."
					   : "Recording has not begun: there is no slot yet, and "
						 "the source keeps nothing for this log.");
		log_error(LOG_WARNING, "log.no-room", err);
		return;
	}
	log_error(LOG_WARNING, "record.trying-again", err);
	log_info("record", "trying again in %" PRId64 " ms", backoff_ms(backoff));
}

static MUST_CHECK Rc
record_until_done(Recorder *self, Error *err)
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
		say_failure(self, &backoff, err);
		error_reset(err);
		rc = backoff_wait(&backoff, err);
		if (rc != RC_OK)
			return rc;
	}
}

Rc
record_run(const Config *config, Error *err)
{
	Recorder recorder = {.config = config,
						 .arena = arena_new(ARENA_BLOCK_BYTES)};
	Rc rc = record_until_done(&recorder, err);
	const Sink *sink = recorder.recording != NULL
						   ? recording_sink(recorder.recording)
						   : NULL;

	rc = pipeline_judge_end("record", config->endpos, sink, rc, err);
	recording_free(recorder.recording);
	arena_free(recorder.arena);
	return rc;
}
