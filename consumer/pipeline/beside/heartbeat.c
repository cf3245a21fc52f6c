/*
 * heartbeat.c
 *    A session with the source, and what is asked in it.
 */
#include "pipeline/beside/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "metrics/metrics.h"
#include "pipeline/beside/reach.h"
#include "source/retention.h"

/* Nobody waits for the message to be on the source's disk. */
#define SETTINGS_SQL "SET synchronous_commit = off"

/* Longest pause between two tries to open the session, in milliseconds. */
#define RETRY_PAUSE_MAX_MS (5 * 60 * 1000)

/* insufficient_privilege */
#define NOT_ALLOWED_SQLSTATE "42501"

struct HeartbeatWriter
{
	const Config *config;
	PgConn *source; /* or NULL */
	bool silent;    /* whether no message is written */
	Backoff backoff;
	int64_t retry_us; /* when to try again to open the session */
};

HeartbeatWriter *
heartbeat_new(const Config *config)
{
	HeartbeatWriter *self = xcalloc(1, sizeof(HeartbeatWriter));

	self->config = config;
	self->silent = !config->heartbeat_message;
	self->backoff = (Backoff){.first_ms = config->heartbeat_s * INT64_C(1000),
							  .max_ms = RETRY_PAUSE_MAX_MS};
	return self;
}

void
heartbeat_note_reached(HeartbeatWriter *self)
{
	self->retry_us = 0;
	backoff_reset(&self->backoff);
}

static void
close_source(HeartbeatWriter *self)
{
	pgconn_close(self->source);
	self->source = NULL;
}

void
heartbeat_free(HeartbeatWriter *self)
{
	if (self == NULL)
		return;
	close_source(self);
	free(self);
}

/*
 * Opens the session, if there is none.  RC_AGAIN: it could not be opened a
 * short time ago.  To look up a name may take long, and the loop waits for
 * that.
 */
static MUST_CHECK Rc
open_source(HeartbeatWriter *self, int64_t now_us, Error *err)
{
	Rc rc;

	if (self->source != NULL)
		return RC_OK;
	if (now_us < self->retry_us)
		return RC_AGAIN;
	rc = reach_source(self->config, "penstock heartbeat", true, &self->source,
					  err);
	if (rc == RC_OK)
		backoff_reset(&self->backoff);
	else
		self->retry_us = clock_monotonic_us() +
						 backoff_take(&self->backoff) * 1000;
	return rc == RC_OK ? pgconn_exec(self->source, SETTINGS_SQL, NULL, err)
					   : rc;
}

/* Writes the message, unless the role may not. */
static MUST_CHECK Rc
write_message(HeartbeatWriter *self, Lsn *lsn, Error *err)
{
	Rc rc;

	*lsn = 0;
	if (self->silent)
		return RC_OK;
	ASSERT(self->source != NULL);
	rc = retention_write_message(self->source, lsn, err);
	if (rc != RC_FAIL || strcmp(err->sqlstate, NOT_ALLOWED_SQLSTATE) != 0)
		return rc;
	log_info("heartbeat",
			 "the source is only asked for its position, because the role may "
			 "not write messages there: %s",
			 err->message);
	self->silent = true;
	error_reset(err);
	return RC_OK;
}

/* Puts what the source has told into the numbers. */
static void
note(const Retention *retention, Lsn message_lsn, int64_t now_us)
{
	MetricsNumbers *numbers = metrics_numbers();
	MetricsSource *source = &numbers->source;
	Lsn lsn = message_lsn != 0 ? message_lsn : retention->wal_end_lsn;

	*source = (MetricsSource){.as_of_us = now_us,
							  .wal_end_lsn = retention->wal_end_lsn,
							  .has_slot = retention->has_slot,
							  .restart_lsn = retention->restart_lsn,
							  .has_safe_wal_size = retention->has_safe_wal_size,
							  .safe_wal_size = retention->safe_wal_size};
	snprintf(source->wal_status, sizeof(source->wal_status), "%s",
			 retention->wal_status);
	if (lsn != 0)
		heartbeats_add(&numbers->heartbeats, lsn, now_us);
	metrics_publish();
}

static MUST_CHECK Rc
beat(HeartbeatWriter *self, Error *err)
{
	Retention retention;
	Lsn message_lsn = 0;
	int64_t begun_us;
	Rc rc = open_source(self, clock_monotonic_us(), err);

	/* What is written after this moment is not older than it. */
	begun_us = clock_monotonic_us();
	if (rc == RC_OK)
		rc = write_message(self, &message_lsn, err);
	if (rc == RC_OK)
		rc = retention_read(self->source, self->config->name, &retention, err);
	if (rc == RC_OK)
		note(&retention, message_lsn, begun_us);
	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
heartbeat_step(void *context, Error *err)
{
	HeartbeatWriter *self = context;
	Rc rc;

	if (config_source_log(self->config) != NULL)
		return RC_OK; /* there is no server to ask */
	rc = beat(self, err);
	if (rc != RC_FAIL)
		return rc;
	/* After a wait that was given up the session cannot be used. */
	close_source(self);
	if (err->code == ERR_INTERRUPTED)
		return rc;
	error_reset(err);
	return RC_OK;
}

Rc
heartbeat_step_if_due(HeartbeatWriter *self, Error *err)
{
	const Heartbeats *beats = &metrics_numbers()->heartbeats;

	if (clock_monotonic_us() - beats->last_us < beats->interval_us)
		return RC_OK;
	return heartbeat_step(self, err);
}
