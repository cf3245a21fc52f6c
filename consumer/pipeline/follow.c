/*
 * follow.c
 *    Streams and applies, again and again until a stop is requested.
 *
 * After an error that may disappear (a lost connection, a server that restarts,
 * a deadlock) we try again.  Everything is released and set up anew from the
 * progress recorded on each target, so no state can be left wrong by the
 * failure.
 */
#include "pipeline/follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/service.h"
#include "base/xalloc.h"
#include "control/copy/table_state.h"
#include "control/fence.h"
#include "metrics/metrics.h"
#include "metrics/state.h"
#include "pipeline/attempt.h"
#include "pipeline/beside/reach.h"
#include "pipeline/remember.h"
#include "pipeline/targets.h"
#include "sink/unreachable.h"

/* Shortest and longest pause between two attempts. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/*
 * Milliseconds that we wait at the start for a slot that another client uses.
 */
#define SLOT_WAIT_MAX_MS 10000

/*
 * With several sources, a row may move from one source to another.  Its insert
 * can conflict with the old row on the target, which the pipeline of the other
 * source is about to delete.  Milliseconds that we wait for that if nothing
 * else is applied meanwhile, and the longest pause between two attempts.
 */
#define OTHERS_WAIT_MAX_MS  30000
#define OTHERS_PAUSE_MAX_MS 1000

/*
 * An internal error of a server (XX000) may be temporary: "tuple concurrently
 * updated", or "cache lookup failed" while another session changes or drops
 * something.  Milliseconds that we try again if nothing is applied meanwhile.
 */
#define INTERNAL_WAIT_MAX_MS 5000

/* How often a lock that is still not to be had is said, if it is the same. */
#define LOCK_SAID_INTERVAL_MS 60000

/* lock_not_available: lock_timeout is over */
#define LOCK_SQLSTATE "55P03"

/* Milliseconds between two queries whether a fence is gone. */
#define FENCE_POLL_MS 200

/*
 * Waits until the fence at which we hold is gone from the target.  A new fence
 * of the target is a later one, and whoever set it waits until we have reached
 * it.
 */
static MUST_CHECK Rc
wait_for_fence(const Config *config, int index, Lsn held, Error *err)
{
	PgConn *target = NULL;
	Lsn fence = 0;
	Rc rc = reach_target_soon(config, index, &target, err);

	ASSERT(held != 0);
	while (rc == RC_OK)
	{
		rc = fence_read(target, config->name, &fence, err);
		if (rc != RC_OK || fence != held)
			break;
		rc = interrupt_wait(-1, 0, FENCE_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	pgconn_close(target);
	return rc;
}

/*
 * Waits until the fence is gone from all targets.  A target that cannot be
 * reached or does not answer is skipped; the next attempt reads its fence.
 */
static MUST_CHECK Rc
wait_for_fences(const Config *config, Lsn held, Error *err)
{
	for (int i = 0; i < config->target_count; i++)
	{
		Rc rc = wait_for_fence(config, i, held, err);

		if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
			return rc;
		if (rc == RC_FAIL)
			error_reset(err);
	}
	log_info("follow", "the fence is gone");
	return RC_OK;
}

/*
 * Has the next attempts do without open transactions, after a target or the
 * router has refused one.
 */
static void
hold_streaming(Streaming *streaming, Error *err)
{
	ASSERT(err->code == ERR_OPEN_TXN);
	streaming_hold(streaming, streaming->refused_xid,
				   streaming->refused_until_lsn, clock_monotonic_us());
	log_error(LOG_INFO, "follow", err);
	log_info("follow",
			 "starting the stream again without transactions in progress: "
			 "the transaction is applied after its commit");
	error_reset(err);
}

static MUST_CHECK Rc
read_table_states(const Config *config, int index, TableStates **states,
				  Error *err)
{
	PgConn *target = NULL;
	Rc rc = reach_target_soon(config, index, &target, err);

	if (rc == RC_OK)
		rc = table_states_read(states, target, config->name, err);
	pgconn_close(target);
	return rc;
}

/*
 * Whether the list of tables to leave out has changed since the stream was
 * opened: a command may have changed it just before the plugin came to a change
 * that it could not send.  False if the list cannot be read from all targets,
 * and where there is a log: everything is in it, and nothing is left out.
 */
static bool
is_told_otherwise(const Attempt *attempt)
{
	const Config *config = attempt->config;
	TableStates *states[CONFIG_TARGETS_MAX] = {NULL};
	Error ignored = {0};
	int count = 0;
	Buf list;
	bool changed;

	if (config->log != NULL || config_source_log(config) != NULL)
		return false;
	while (count < config->target_count &&
		   read_table_states(config, count, &states[count], &ignored) == RC_OK)
		count++;
	buf_init(&list, LEFT_OUT_MAX);
	table_states_append_left_out(&list, (const TableStates *const *) states,
								 count, attempt->start_lsn, NULL, 0);
	changed = count == config->target_count &&
			  !attempt_leaves_out(attempt, &list);
	buf_release(&list);
	for (int i = 0; i < count; i++)
		table_states_free(states[i]);
	error_reset(&ignored);
	return changed;
}

/* State that is kept between attempts. */
typedef struct Attempts
{
	const Config *config;
	int64_t start_us;
	int64_t trouble_us; /* time of the first failure since something was
						 * applied, or 0 */
	Reached reached;    /* how far the attempt before has come */
	bool had_slot;
	Backoff backoff;
	Known known[CONFIG_TARGETS_MAX];
	Sequences *sequences;
	LargeObjects *large_objects;
	HeartbeatWriter *heartbeat;
	Watchdog *watchdog;
	Recording *recording; /* log beside the targets; or NULL */

	/* A lock that was not to be had, as it was said last; or NULL. */
	char *lock_said;
	int64_t lock_said_us;
} Attempts;

static int64_t
ms_since(int64_t begin_us)
{
	return (clock_monotonic_us() - begin_us) / 1000;
}

/*
 * Whether the error is a conflict with a row that the pipeline of another
 * source may delete.
 */
static bool
may_be_moving(const Attempts *attempts, const Error *err)
{
	return err->code == ERR_CONFLICT && attempts->config->source_count > 1;
}

static bool
is_internal(const Error *err)
{
	return err->code == ERR_SQL && strcmp(err->sqlstate, "XX000") == 0;
}

/*
 * Whether another attempt may succeed.  If a slot that we have never used stays
 * in use, it belongs to another client.  If we have used it, our own lost
 * connection may still hold it until the server notices.
 */
static bool
is_worth_retrying(const Attempts *attempts, const Error *err)
{
	if (may_be_moving(attempts, err))
		return ms_since(attempts->trouble_us) < OTHERS_WAIT_MAX_MS;
	if (is_internal(err))
		return ms_since(attempts->trouble_us) < INTERNAL_WAIT_MAX_MS;
	if (!error_is_transient(err))
		return false;
	return attempts->had_slot ||
		   strcmp(err->sqlstate, SLOT_IN_USE_SQLSTATE) != 0 ||
		   ms_since(attempts->start_us) < SLOT_WAIT_MAX_MS;
}

static void
note_attempt(Attempts *attempts, const Attempt *attempt)
{
	attempts->had_slot = attempts->had_slot ||
						 attempt->reached >= REACHED_STREAM;
	if (attempt->progressed)
	{
		attempts->trouble_us = 0;
		free(attempts->lock_said);
		attempts->lock_said = NULL;
	}

	/* The last problem is gone, so the present one may be gone soon, too. */
	if (attempt->progressed || attempt->reached > attempts->reached)
		backoff_reset(&attempts->backoff);
	attempts->reached = attempt->reached;
}

/*
 * Whether a failure for want of a lock was said just now.  It is tried again
 * every few seconds, for as long as another session has the lock.
 */
static bool
is_said(Attempts *attempts, const Error *err)
{
	int64_t now_us = clock_monotonic_us();
	char *text;
	bool is_same;

	if (strcmp(err->sqlstate, LOCK_SQLSTATE) != 0)
		return false;
	text = xasprintf("%s\n%s", err->message,
					 err->detail != NULL ? err->detail : "");
	is_same = attempts->lock_said != NULL &&
			  strcmp(attempts->lock_said, text) == 0;
	free(attempts->lock_said);
	attempts->lock_said = text;
	if (is_same &&
		now_us - attempts->lock_said_us < LOCK_SAID_INTERVAL_MS * 1000)
		return true;
	attempts->lock_said_us = now_us;
	return false;
}

/*
 * Decides what to do after a failed attempt: RC_OK means the next attempt.
 * Waits for the pause between attempts.
 */
static MUST_CHECK Rc
prepare_next(Attempts *attempts, Error *err)
{
	LogLevel level;

	if (attempts->trouble_us == 0)
		attempts->trouble_us = clock_monotonic_us();
	if (!is_worth_retrying(attempts, err))
		return RC_FAIL;
	if (err->code == ERR_CHANGED)
	{
		log_info("follow", "%s: starting again", err->message);
		error_reset(err);
		return RC_OK;
	}
	level = is_said(attempts, err) ? LOG_DEBUG : LOG_WARNING;
	log_error(level, "follow.trying-again", err);
	if (may_be_moving(attempts, err))
	{
		log_info("follow", "waiting for a transaction of another source that "
						   "changes the same row");
		if (backoff_ms(&attempts->backoff) > OTHERS_PAUSE_MAX_MS)
			backoff_reset(&attempts->backoff);
	}
	if (level == LOG_WARNING)
		log_info("follow", "trying again in %" PRId64 " ms",
				 backoff_ms(&attempts->backoff));
	targets_say(attempts->config, attempts->known, FOLLOWER_RETRYING,
				err->message);
	error_reset(err);
	metrics_numbers()->failures++;
	metrics_enter(METRICS_RETRYING, clock_monotonic_us());
	service_status("trying again after a failure");
	if (heartbeat_step_if_due(attempts->heartbeat, err) != RC_OK ||
		watchdog_step(attempts->watchdog, err) != RC_OK)
		return RC_FAIL;
	/* A run answers USR1 itself. */
	if (interrupt_take_report_request())
		metrics_log_state(metrics_numbers(), clock_monotonic_us());
	return backoff_wait(&attempts->backoff, err);
}

/* Fills `err`: we were stopped before endpos. */
static MUST_CHECK Rc
refuse_end(const Config *config, Error *err)
{
	return error_set(err, ERR_INTERRUPTED,
					 "stopped before LSN " LSN_FORMAT " was reached",
					 LSN_ARGS(config->endpos));
}

/*
 * A stop that was requested while we waited is the regular end of a follower
 * without endpos.
 */
static MUST_CHECK Rc
accept_end(Error *err)
{
	log_info("follow", "stopped on request");
	error_reset(err);
	return RC_OK;
}

/* Tells the targets that the follower ends, even if a stop was requested. */
static void
say_end(const Config *config, const Known *known, Rc rc, const Error *err)
{
	bool failed = rc == RC_FAIL && err->code != ERR_INTERRUPTED;

	interrupt_defer(true);
	targets_say(config, known, FOLLOWER_STOPPED, failed ? err->message : NULL);
	interrupt_defer(false);
}

static MUST_CHECK Rc
follow_on(const Config *config, Buf *left_out, Error *err)
{
	Attempts attempts = {.config = config,
						 .start_us = clock_monotonic_us(),
						 .sequences = sequences_new(),
						 .large_objects = large_objects_new(),
						 .heartbeat = heartbeat_new(config),
						 .watchdog = watchdog_new(config),
						 .backoff = {.first_ms = RETRY_PAUSE_FIRST_MS,
									 .max_ms = RETRY_PAUSE_MAX_MS}};
	Streaming streaming = {0};
	Identity identity = {.arena = arena_new(4 * KB),
						 .change = config->set,
						 .target = REMEMBER_ANY_TARGET};
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	for (int i = 0; i < config->target_count; i++)
		attempts.known[i].backoff = UNREACHABLE_BACKOFF;
	while (rc == RC_OK)
	{
		Attempt attempt = {
			.config = config,
			.identity = &identity,
			.streaming = &streaming,
			.known = attempts.known,
			.sequences = attempts.sequences,
			.large_objects = attempts.large_objects,
			.heartbeat = attempts.heartbeat,
			.watchdog = attempts.watchdog,
			.recording = &attempts.recording,
			.left_out = left_out,
			.lacked_lock = attempts.lock_said != NULL,
		};

		metrics_numbers()->attempts++;
		metrics_enter(METRICS_STARTING, clock_monotonic_us());
		rc = attempt_run(&attempt, err);
		if (rc == RC_FAIL && err->code == ERR_OPEN_TXN)
		{
			hold_streaming(&streaming, err);
			rc = RC_AGAIN;
		}
		attempt_close(&attempt);
		if (rc == RC_OK)
			rc = attempt_finish(&attempt, err);
		if (rc == RC_FAIL && err->code == ERR_CHANGED)
			identity.known = false;
		if (rc == RC_OK && attempt.fenced)
		{
			targets_say(config, attempts.known, FOLLOWER_HELD, NULL);
			metrics_enter(METRICS_HELD, clock_monotonic_us());
			service_status("held by a fence");
			rc = wait_for_fences(config, attempt.fence_lsn, err);
			continue;
		}
		note_attempt(&attempts, &attempt);
		if (rc == RC_OK && attempt.cut_short)
			rc = refuse_end(config, err);
		if (rc == RC_OK || rc == RC_END)
			break;
		if (rc == RC_FAIL && err->code == ERR_SQL &&
			attempt.reached == REACHED_TARGETS && is_told_otherwise(&attempt))
		{
			log_error(LOG_INFO, "follow", err);
			log_info("follow", "other tables are left out by now: starting "
							   "again");
			error_reset(err);
			rc = RC_AGAIN;
		}
		rc = rc == RC_AGAIN ? RC_OK : prepare_next(&attempts, err);
	}
	metrics_enter(METRICS_STOPPING, clock_monotonic_us());
	service_status("ending");
	say_end(config, attempts.known, rc, err);
	free(attempts.lock_said);
	sequences_free(attempts.sequences);
	large_objects_free(attempts.large_objects);
	heartbeat_free(attempts.heartbeat);
	watchdog_free(attempts.watchdog);
	recording_free(attempts.recording);
	arena_free(identity.arena);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		rc = config->endpos != 0 ? refuse_end(config, err) : accept_end(err);
	return rc;
}

Rc
follow(const Config *config, Error *err)
{
	Buf left_out;
	Rc rc;

	buf_init(&left_out, LEFT_OUT_MAX);
	rc = follow_on(config, &left_out, err);
	buf_release(&left_out);
	return rc;
}
