/*
 * tail.c
 *    penstock tail: prints changes as transactions commit.
 *
 * Reading from a slot consumes its changes, so tail reads only from a slot that
 * the user named, and never by default from the slot of a follower.  Without
 * --create-slot it creates a temporary slot, which starts at the current
 * position and ends with the connection; --name then only selects publications.
 * With --create-slot it reads from the slot that --name gives, and creates the
 * slot if it does not exist; --name must be given.  tail confirms the changes
 * that were printed, as far as that can be known (see json_sink.h).
 *
 * With a permanent slot, a transient error leads to another attempt.  The sink
 * stays, because it knows what was printed; everything else is opened again.
 * With a temporary slot, a lost connection is an error, because the changes up
 * to the creation of another slot are lost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "catalog/publications.h"
#include "cmd/command.h"
#include "net/citus.h"
#include "net/pgconn_open.h"
#include "pipeline/begin.h"
#include "pipeline/run.h"
#include "sink/json/json_sink.h"
#include "source/slot.h"

/*
 * First and longest pause between attempts, in milliseconds; the pauses grow.
 */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/*
 * Milliseconds for writing the remaining lines after a failure, and for one
 * wait during it.
 */
#define FINISH_MS_MAX  1500
#define FINISH_TURN_MS 50

/*
 * Lines that wait to be written may use --memory divided by this.  The rest is
 * for growing that buffer, which doubles, and for received frames.
 */
#define MEMORY_PARTS      4

#define ARENA_BLOCK_BYTES (4 * KB)


typedef struct Tail
{
	const Config *config;
	Sink *sink; /* NULL until the first stream starts */
	Source *stream;
	char slot[SLOT_NAME_SIZE];
	Lsn start_lsn;         /* position that the slot sends from */
	SourceIdentity source; /* server whose changes were printed */
	bool progressed;
} Tail;

/* ---- the slot ----------------------------------------------------------- */

static MUST_CHECK Rc
check_options(const Config *config, Error *err)
{
	Rc rc = config_require_source(config, err);

	if (rc != RC_OK || !config->create_slot || config->name_given)
		return rc;
	rc = error_set(err, ERR_USAGE, "--create-slot needs --name");
	error_detail(err,
				 "Reading from a slot uses up what is in it, and the slot "
				 "\"%s\" may be the one that a target is fed from.",
				 config->name);
	error_hint(err, "Use a name that no other pipeline has, such as "
					"--name=audit, and --publications to say what is printed.");
	return rc;
}

static MUST_CHECK Rc
open_source(const Tail *tail, PgConnKind kind, PgConn **conn, Error *err)
{
	PgConnOptions options = {.conninfo = tail->config->source,
							 .label = "source",
							 .application_name = "penstock_tail",
							 .kind = kind};
	Rc rc = pgconn_open(conn, &options, err);

	if (rc == RC_OK && kind == PGCONN_DATA)
		rc = citus_refuse(*conn, err);
	return rc;
}

/*
 * Reads the state of the slot given with --name.  RC_FAIL if it exists and is
 * not usable; that it does not exist is no error.
 */
static MUST_CHECK Rc
find_slot(const Tail *tail, SlotInfo *info, Error *err)
{
	PgConn *source = NULL;
	Rc rc = open_source(tail, PGCONN_DATA, &source, err);

	if (rc == RC_OK)
		rc = slot_read(source, tail->slot, info, err);
	if (rc == RC_OK && info->exists)
		rc = slot_require_usable(info, tail->slot, err);
	pgconn_close(source);
	return rc;
}

/*
 * Checks that the publications exist.  The plugin would report a missing one
 * only at the first change.
 */
static MUST_CHECK Rc
check_publications(const Tail *tail, Error *err)
{
	Publications publications = {0};
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	PgConn *source = NULL;
	Rc rc = publications_parse(&publications, tail->config->publications, arena,
							   err);

	if (rc == RC_OK)
		rc = open_source(tail, PGCONN_DATA, &source, err);
	if (rc == RC_OK)
		rc = publications_read(&publications, source, err);
	pgconn_close(source);
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
create_slot(Tail *tail, PgConn *replication, bool temporary, Error *err)
{
	SlotSnapshot snapshot = {0};
	PgConn *source = NULL;
	Rc rc = open_source(tail, PGCONN_DATA, &source, err);

	if (rc != RC_OK)
		return rc;
	log_debug("tail",
			  "creating slot \"%s\", as soon as the transactions that "
			  "are open on the source have ended",
			  tail->slot);
	rc = slot_create(replication, source, tail->slot,
					 temporary ? SLOT_TEMPORARY : SLOT_LASTING, &snapshot, err);
	pgconn_close(source);
	tail->start_lsn = snapshot.consistent_lsn;
	return rc;
}

static MUST_CHECK Rc
use_temporary_slot(Tail *tail, PgConn *replication, Error *err)
{
	slot_make_temporary_name(tail->slot, replication, "penstock", "tail");
	return create_slot(tail, replication, true, err);
}

static MUST_CHECK Rc
use_permanent_slot(Tail *tail, PgConn *replication, Error *err)
{
	SlotInfo info = {0};
	Rc rc;

	snprintf(tail->slot, sizeof(tail->slot), "%s", tail->config->name);
	rc = find_slot(tail, &info, err);
	tail->start_lsn = info.confirmed_lsn;
	if (rc != RC_OK || info.exists)
		return rc;

	/*
	 * After the first attempt, a slot that does not exist is an error: a new
	 * slot would not have the changes since.
	 */
	if (tail->sink != NULL)
		return slot_require_usable(&info, tail->slot, err);
	return create_slot(tail, replication, false, err);
}

/*
 * After a lost connection, checks that the server still has the history of the
 * changes that were printed.
 */
static MUST_CHECK Rc
check_history(Tail *tail, PgConn *replication, Error *err)
{
	SourceHistory history = {0};
	Rc rc = slot_read_history(replication, &history, err);

	if (rc == RC_OK && tail->sink != NULL && tail->config->create_slot)
		rc = history_prove(
			&history,
			&(HistoryPoint){.source = &tail->source,
							.lsn = tail->sink->report->durable_lsn,
							.label = "what was printed",
							.pipeline = tail->config->name},
			err);
	if (rc == RC_OK)
		tail->source = history.identity;
	history_release(&history);
	return rc;
}

/* ---- one attempt -------------------------------------------------------- */

static MUST_CHECK Rc
open_stream(Tail *tail, Error *err)
{
	const Config *config = tail->config;
	const WireOptions wire = {.publications = config->publications,
							  .origin = config->origin,
							  .bundle = config->bundle,
							  .compression = config->compression,
							  .messages = config->messages,
							  .schema_changes = config->schema_changes,
							  .binary = false};
	PgConn *replication = NULL;
	Rc rc = tail->sink == NULL ? check_publications(tail, err) : RC_OK;

	if (rc == RC_OK)
		rc = open_source(tail, PGCONN_REPLICATION, &replication, err);
	if (rc != RC_OK)
		return rc;
	rc = check_history(tail, replication, err);
	if (rc == RC_OK)
		rc = config->create_slot ? use_permanent_slot(tail, replication, err)
								 : use_temporary_slot(tail, replication, err);
	if (rc != RC_OK)
	{
		pgconn_close(replication);
		return rc;
	}
	return begin_stream(&tail->stream, replication, tail->slot, &wire, err);
}

static void
ready_sink(Tail *tail)
{
	JsonSinkOptions options = {
		.fd = STDOUT_FILENO,
		.memory_bytes = tail->config->memory_bytes / MEMORY_PARTS,
		.start_lsn = tail->start_lsn,
	};

	if (tail->sink == NULL)
		tail->sink = json_sink_new(&options);
	else
	{
		json_sink_resume(tail->sink);
		sink_begin_stream(tail->sink);
	}
}

/*
 * Opens a stream, and prints changes until a stop is requested, --endpos is
 * reached, or the reader of the output has closed it (RC_END).
 */
static MUST_CHECK Rc
tail_once(Tail *tail, Error *err)
{
	Pipeline pipeline = {.endpos = tail->config->endpos, .sink_count = 1};
	Rc rc = open_stream(tail, err);

	if (rc != RC_OK)
		return rc;
	ready_sink(tail);
	log_info("tail",
			 "printing changes of publications %s from LSN " LSN_FORMAT
			 " on, with %s slot \"%s\"",
			 tail->config->publications, LSN_ARGS(tail->start_lsn),
			 tail->config->create_slot ? "the" : "a temporary", tail->slot);
	pipeline.source = tail->stream;
	pipeline.sinks = &tail->sink;
	rc = pipeline_run(&pipeline, &tail->progressed, err);
	if (rc == RC_END)
		rc = source_send_last(tail->stream, err);
	if (rc == RC_OK)
		log_info("tail",
				 "stopped at LSN " LSN_FORMAT ", printed %" PRId64
				 " lines of %" PRId64 " transactions",
				 LSN_ARGS(tail->sink->report->durable_lsn),
				 tail->sink->report->rows, tail->sink->report->transactions);
	return rc;
}

/* Adds to a lost connection's error that the temporary slot is lost, too. */
static void
explain_loss(const Tail *tail, Error *err)
{
	if (tail->sink == NULL || !error_is_transient(err))
		return;
	error_detail(err,
				 "The temporary slot ended with the connection: changes "
				 "after LSN " LSN_FORMAT " may have been missed.",
				 LSN_ARGS(tail->sink->report->durable_lsn));
	error_hint(err, "Use --create-slot and --name to have a slot that outlives "
					"the connection.");
}

/*
 * After a failure, writes the lines that are complete, so that no line remains
 * incomplete.  Further errors are ignored: the first one is reported.
 */
static void
finish_output(Sink *sink)
{
	int64_t deadline_us = clock_monotonic_us() + FINISH_MS_MAX * 1000;
	Interest interest = INTEREST_NONE;
	Error ignored = {0};
	Rc rc = RC_OK;

	sink_set_mode(sink, SINK_STOPPING);
	while (rc == RC_OK && !sink->report->stopped &&
		   clock_monotonic_us() < deadline_us)
	{
		rc = sink_work(sink, true, &ignored);
		interest_reset(&interest);
		sink_interest(sink, &interest);
		if (rc == RC_OK && !sink->report->stopped)
			rc = interrupt_wait_any(interest.fds, interest.count,
									FINISH_TURN_MS, &ignored);
		rc = rc == RC_AGAIN ? RC_OK : rc;
	}
	interest_release(&interest);
	error_reset(&ignored);
}

/* ---- all attempts ------------------------------------------------------- */

static MUST_CHECK Rc
tail_until_done(Tail *tail, Error *err)
{
	Backoff backoff = {.first_ms = RETRY_PAUSE_FIRST_MS,
					   .max_ms = RETRY_PAUSE_MAX_MS};

	for (;;)
	{
		Rc rc = tail_once(tail, err);

		source_close(tail->stream);
		tail->stream = NULL;
		if (rc != RC_FAIL || !error_is_transient(err) ||
			!tail->config->create_slot)
			return rc;
		if (tail->progressed)
			backoff_reset(&backoff);
		tail->progressed = false;
		log_error(LOG_WARNING, "tail.trying-again", err);
		log_info("tail", "trying again in %" PRId64 " ms",
				 backoff_ms(&backoff));
		error_reset(err);
		rc = backoff_wait(&backoff, err);
		if (rc != RC_OK)
			return rc;
	}
}

Rc
command_tail(const Config *config, Error *err)
{
	Tail tail = {.config = config};
	Rc rc = check_options(config, err);

	if (rc == RC_OK)
		rc = tail_until_done(&tail, err);
	if (rc == RC_FAIL && tail.sink != NULL)
		finish_output(tail.sink);
	if (rc == RC_FAIL && !config->create_slot)
		explain_loss(&tail, err);
	rc = pipeline_judge_end("tail", config->endpos, tail.sink, rc, err);
	sink_free(tail.sink);
	return rc;
}
