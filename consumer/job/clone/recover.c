/*
 * recover.c
 *    Closes all connections, and opens them again.
 */
#include "job/clone/recover.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "job/clone/check.h"
#include "job/clone/resume.h"
#include "job/clone/snapshot.h"
#include "net/sqlstate.h"

/* Minimum and maximum pause between attempts to continue. */
#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS   10000

/* Duration of an attempt after which the next pause is the minimum again. */
#define ATTEMPT_GOOD_US (INT64_C(60) * 1000000)

static bool
is_lost(PgConn *conn)
{
	Error err = {0};
	bool lost = false;

	if (conn == NULL)
		return false;
	if (pgconn_exec(conn, "SELECT 1", NULL, &err) == RC_FAIL)
		lost = err.code == ERR_CONNECT ||
			   PQstatus(pgconn_raw(conn)) != CONNECTION_OK;
	error_reset(&err);
	return lost;
}

/* Whether a connection to a server is lost.  It is tested with a statement,
 * which on the connection that exports the snapshot ends the snapshot. */
static bool
has_lost_server(const Clone *clone)
{
	bool lost = false;

	for (int i = 0; i < clone->source_count; i++)
		lost = lost || is_lost(clone->sources[i].conn) ||
			   is_lost(clone->sources[i].replication) ||
			   is_lost(clone->sources[i].standby);
	for (int i = 0; i < clone->config->target_count; i++)
		lost = lost || is_lost(clone->targets[i].conn);
	return lost;
}

/*
 * Whether a failure will pass by itself: a lost connection, a server that is
 * shutting down or starting up or has too many sessions, a deadlock.  After a
 * full disk or a cancelled statement, the clone ends, and the user can resume
 * it.
 */
static bool
is_passing(const Error *failure)
{
	return error_is_transient(failure) &&
		   (sqlstate_is_server_gone(failure) ||
			strncmp(failure->sqlstate, "40", 2) == 0);
}

bool
clone_can_recover(const Clone *clone, const Error *failure)
{
	if (failure->code == ERR_INTERRUPTED || interrupt_requested())
		return false;
	for (int i = 0; i < clone->config->target_count; i++)
		if (!clone->targets[i].list_begun && !clone->resumed)
			return false;
	return is_passing(failure) || has_lost_server(clone);
}

static void
close_source(CloneSource *source)
{
	pgconn_close(source->replication);
	pgconn_close(source->standby);
	pgconn_close(source->conn);
	source->replication = NULL;
	source->standby = NULL;
	source->conn = NULL;
	source->snapshot_slot = false;
	source->snapshot_due = false;
	source->snapshot.name[0] = '\0';
}

static void
close_all(Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
	{
		CloneTarget *target = &clone->targets[i];

		build_close(target->build);
		target->build = NULL;
		pgconn_close(target->conn);
		target->conn = NULL;
	}
	for (int i = 0; i < clone->source_count; i++)
		close_source(&clone->sources[i]);
}

static Rc
reopen(Clone *clone, Error *err)
{
	Rc rc = clone_open_all(clone, err);

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = clone_identify_source(&clone->sources[i], err);
	if (rc == RC_OK)
		rc = clone_reclaim(clone, err);
	if (rc == RC_OK)
		rc = clone_find_slots(clone, err);
	if (rc == RC_OK && clone->schema != NULL)
		schema_go_on(clone->schema, clone->lead->conn);
	return rc;
}

Rc
clone_recover(Clone *clone, Error *failure)
{
	int64_t now_us = clock_monotonic_us();
	int failures = 0;
	Rc rc;

	log_error(LOG_WARNING, "clone.server-lost", failure);
	log_info("clone", "the clone waits for its servers, and goes on by itself");
	clone->backoff.first_ms = PAUSE_FIRST_MS;
	clone->backoff.max_ms = PAUSE_MAX_MS;
	if (now_us - clone->attempt_us > ATTEMPT_GOOD_US)
		backoff_reset(&clone->backoff);
	do
	{
		close_all(clone);
		/* Further failures usually have the same reason, so only the first is
		 * logged above level debug. */
		if (failures++ > 0)
			log_debug("clone", "%s", failure->message);
		error_reset(failure);
		rc = backoff_wait(&clone->backoff, failure);
		if (rc == RC_OK)
			rc = reopen(clone, failure);
	} while (rc == RC_FAIL && error_is_transient(failure));
	if (rc != RC_OK)
		return rc;
	ASSERT(clone->lead->conn != NULL && clone->lead->snapshot.name[0] == '\0');
	clone->resumed = true;
	clone->attempt_us = clock_monotonic_us();
	log_info("clone", "going on with the clone after %" PRId64 " s",
			 (clone->attempt_us - now_us) / 1000000);
	return RC_OK;
}
