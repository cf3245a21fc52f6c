/*
 * follow.c
 *    penstock follow: stream and apply, again and again until told to stop.
 *
 * What can heal is tried again: a lost connection, a server that restarts, a
 * deadlock.  Everything is then torn down and set up anew, from the progress
 * that each target has; there is no state that could have gone wrong with it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/pipeline.h"
#include "sink/postgres/postgres_sink.h"
#include "source/slot.h"
#include "wire/decode.h"

/* Pauses between attempts grow from the first to the last of these. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS 10000

/* Everything that one attempt holds. */
typedef struct Attempt
{
	const Config *config;
	Stream *stream;
	SourceIdentity source;
	Sink *sinks[CONFIG_TARGETS_MAX];
	int sink_count;
	bool progressed;
} Attempt;

static MUST_CHECK Rc
check_slot(const Config *config, Error *err)
{
	PgConnOptions options = {.conninfo = config->source,
							 .label = "source",
							 .application_name = "penstock",
							 .kind = PGCONN_PLAIN};
	PgConn *source = NULL;
	SlotInfo info;
	Rc rc = pgconn_open(&source, &options, err);

	if (rc == RC_OK)
		rc = slot_read(source, config->name, &info, err);
	if (rc == RC_OK)
		rc = slot_require_usable(&info, config->name, err);
	pgconn_close(source);
	return rc;
}

static MUST_CHECK Rc
open_stream(Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	PgConnOptions conn_options = {.conninfo = config->source,
								  .label = "source",
								  .application_name = config->name,
								  .kind = PGCONN_REPLICATION};
	StreamOptions stream_options = {.slot = config->name,
									.publications = config->publications,
									.origin = config->origin,
									.proto_version = DECODE_PROTO_VERSION,
									.binary = true};
	PgConn *replication = NULL;
	SourceSystem system = {0};
	Rc rc = pgconn_open(&replication, &conn_options, err);

	if (rc != RC_OK)
		return rc;
	rc = slot_identify_system(replication, &system, err);
	if (rc != RC_OK)
	{
		pgconn_close(replication);
		return rc;
	}
	snprintf(attempt->source.system_identifier,
			 sizeof(attempt->source.system_identifier), "%s",
			 system.system_identifier);
	attempt->source.timeline = system.timeline;
	return stream_open(&attempt->stream, replication, &stream_options, err);
}

static MUST_CHECK Rc
open_sinks(Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;

	for (int i = 0; i < config->target_count; i++)
	{
		char label[32];
		PostgresSinkOptions options = {
			.conninfo = config->targets[i],
			.label = label,
			.pipeline = config->name,
			.source = attempt->source,
			.memory_bytes = config->memory_bytes / (size_t) config->target_count,
		};
		Rc rc;

		snprintf(label, sizeof(label),
				 config->target_count > 1 ? "target %d" : "target", i + 1);
		rc = postgres_sink_open(&attempt->sinks[i], &options, err);
		if (rc != RC_OK)
			return rc;
		attempt->sink_count++;
	}
	return RC_OK;
}

static void
close_attempt(Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
		sink_free(attempt->sinks[i]);
	stream_close(attempt->stream);
}

static void
log_end(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
		log_info("follow",
				 "stopped; target %d has everything up to LSN " LSN_FORMAT
				 ", applied %" PRId64 " changes in %" PRId64 " transactions",
				 i + 1, LSN_ARGS(attempt->sinks[i]->durable_lsn),
				 attempt->sinks[i]->rows, attempt->sinks[i]->transactions);
}

/*
 * The slot comes first: the server lets only one consumer have it, so whoever
 * claims the targets afterwards is the only one who does.
 */
static MUST_CHECK Rc
follow_once(Attempt *attempt, Error *err)
{
	Pipeline pipeline = {.endpos = attempt->config->endpos, .verbose = true};
	Rc rc = check_slot(attempt->config, err);

	if (rc == RC_OK)
		rc = open_stream(attempt, err);
	if (rc == RC_OK)
		rc = open_sinks(attempt, err);
	if (rc != RC_OK)
		return rc;
	log_info("follow", "following with slot \"%s\"", attempt->config->name);
	pipeline.stream = attempt->stream;
	pipeline.sinks = attempt->sinks;
	pipeline.sink_count = attempt->sink_count;
	rc = pipeline_run(&pipeline, &attempt->progressed, err);
	if (rc == RC_OK)
		log_end(attempt);
	return rc;
}

/* Waits before the next attempt; longer each time. */
static MUST_CHECK Rc
pause_before_retry(int64_t *pause_ms, Error *err)
{
	Rc rc = interrupt_wait(-1, 0, *pause_ms, err);

	*pause_ms *= 2;
	if (*pause_ms > RETRY_PAUSE_MAX_MS)
		*pause_ms = RETRY_PAUSE_MAX_MS;
	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
command_follow(const Config *config, Error *err)
{
	int64_t pause_ms = RETRY_PAUSE_FIRST_MS;
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	while (rc == RC_OK)
	{
		Attempt attempt = {.config = config};

		rc = follow_once(&attempt, err);
		close_attempt(&attempt);
		if (rc != RC_FAIL || !error_is_transient(err))
			return rc;
		if (attempt.progressed)
			pause_ms = RETRY_PAUSE_FIRST_MS;
		log_error(LOG_WARNING, "follow", err);
		log_info("follow", "trying again in %" PRId64 " ms", pause_ms);
		error_reset(err);
		rc = pause_before_retry(&pause_ms, err);
	}
	return rc;
}
