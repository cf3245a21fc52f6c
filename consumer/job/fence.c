/*
 * fence.c
 *    The steps of a fence, by their numbers in fence.h.
 */
#include "job/fence.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "check/ends.h"
#include "control/fence.h"
#include "control/progress_table.h"
#include "control/schema.h"
#include "job/large_objects.h"
#include "job/sequences.h"
#include "net/pgconn_open.h"
#include "pipeline/beside/reach.h"
#include "pipeline/follow.h"
#include "pipeline/state.h"
#include "source/slot.h"

/* Interval at which we query the targets' progress, and, while the targets are
 * held, whether they still have the LSN. */
#define FENCE_POLL_MS  20
#define FENCE_CHECK_MS 1000

/* Interval at which we log which target we wait for. */
#define FENCE_REPORT_MS 10000

/* Time after which an unused slot means that no follower is running.  A
 * follower whose token was invalidated uses the slot again much sooner. */
#define FENCE_IDLE_MS 3000

/* The targets are near the end of the source's WAL if they reach it within
 * FENCE_NEAR_MS.  We wait for that at most FENCE_APPROACHES_MAX times: the lag
 * may be as long as that always. */
#define FENCE_NEAR_MS        2000
#define FENCE_APPROACHES_MAX 5

/* As often at most if we follow ourselves, which takes as long as it takes to
 * start. */
#define FENCE_FOLLOWED_MAX 2

typedef struct Fencing
{
	const Config *config;
	const FenceUse *use;
	PgConn *source;
	PgConn *targets[CONFIG_TARGETS_MAX];
	ProgressRow progress[CONFIG_TARGETS_MAX]; /* progress of each target when
											   * we have locked it */
	char labels[CONFIG_TARGETS_MAX][CONFIG_LABEL_SIZE];
	Lsn lsn;          /* LSN of the fence, or that we wait for without one */
	bool is_up;       /* whether the fence is written */
	bool is_follower; /* whether we have followed ourselves the last time */
	int limit_ms;     /* time in which all targets must have the LSN; 0: no
					   * limit */
	int64_t limit_us; /* monotonic time when it is over */
} Fencing;

static MUST_CHECK Rc
open_server(PgConn **conn, const char *conninfo, const char *label,
			PgConnKind kind, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = conninfo,
										.label = label,
										.application_name = "penstock fence",
										.kind = kind},
					   err);
}

static MUST_CHECK Rc
read_history(const Fencing *self, SourceHistory *history, Error *err)
{
	PgConn *replication = NULL;
	Rc rc = open_server(&replication, self->config->source, "source",
						PGCONN_REPLICATION, err);

	if (rc == RC_OK)
		rc = slot_read_history(replication, history, err);
	pgconn_close(replication);
	return rc;
}

/* Step 1: connects to a target and takes the advisory lock of its fence. */
static MUST_CHECK Rc
take_target(Fencing *self, int index, Error *err)
{
	const Config *config = self->config;
	ProgressRow progress = {0};
	bool taken = false;
	Rc rc;

	config_label_target(config, index, self->labels[index]);
	rc = open_server(&self->targets[index], config->targets[index],
					 self->labels[index], PGCONN_DATA, err);
	if (rc == RC_OK)
		rc = progress_table_read(self->targets[index], config->name, &progress,
								 err);
	if (rc == RC_OK && progress_is_switched(&progress))
		rc = progress_table_check_open(self->targets[index], config->name, err);
	if (rc == RC_OK && !progress.exists)
		rc = ends_check(self->source, self->targets[index], config->name, NULL,
						err);
	if (rc == RC_OK && !progress.exists)
		rc = error_set(err, ERR_CONFIG, "there is no pipeline \"%s\" on %s",
					   config->name, self->labels[index]);
	if (rc == RC_OK)
		rc = control_upgrade(self->targets[index], err);
	if (rc == RC_OK)
		rc = fence_take(self->targets[index], config->name, &taken, err);
	if (rc != RC_OK || taken)
		return rc;
	rc = error_set(err, ERR_CONFIG, "pipeline \"%s\" is fenced already on %s",
				   config->name, self->labels[index]);
	error_hint(err, "Wait until the other \"penstock fence\", or \"penstock "
					"verify\", has ended.");
	return rc;
}

static MUST_CHECK Rc
open_all(Fencing *self, Error *err)
{
	const Config *config = self->config;
	SlotInfo slot = {0};
	Rc rc = open_server(&self->source, config->source, "source", PGCONN_DATA,
						err);

	if (rc == RC_OK)
		rc = slot_read(self->source, config->name, &slot, err);
	if (rc == RC_OK)
	{
		rc = slot_require_usable(&slot, config->name, err);
		if (rc == RC_FAIL && !slot.exists && config->target_count > 0)
			reach_explain_no_slot(config, err);
	}
	if (rc == RC_OK && slot.active_pid == 0 && !self->use->follows)
		log_warning("fence.no-follower",
					"no follower uses slot \"%s\" now: waiting for a "
					"follower",
					config->name);
	for (int i = 0; rc == RC_OK && i < config->target_count; i++)
		rc = take_target(self, i, err);
	return rc;
}

/* Step 2: locks the progress rows.  *farthest is set to the greatest LSN of
 * them. */
static MUST_CHECK Rc
lock_all(Fencing *self, Lsn *farthest, Error *err)
{
	Rc rc = RC_OK;

	*farthest = 0;
	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
	{
		ProgressRow progress;

		rc = pgconn_exec(self->targets[i], "BEGIN", NULL, err);
		if (rc == RC_OK)
			rc = progress_table_lock(self->targets[i], self->config->name,
									 &progress, err);
		if (rc == RC_OK)
			self->progress[i] = progress;
		if (rc == RC_OK)
			*farthest = lsn_max(*farthest, progress.end_lsn);
	}
	return rc;
}

/* Checks that the targets' progress is in the source's timeline history:
 * otherwise their LSNs cannot be compared with the source's. */
static MUST_CHECK Rc
check_history(const Fencing *self, Error *err)
{
	SourceHistory history = {0};
	Rc rc = read_history(self, &history, err);

	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
		rc = history_prove(
			&history,
			&(HistoryPoint){.source = &self->progress[i].source,
							.lsn = self->progress[i].end_lsn,
							.label = self->labels[i],
							.pipeline = self->config->name_asked},
			err);
	history_release(&history);
	return rc;
}

/*
 * Writes a logical message to the source's WAL, so that the end of the WAL
 * moves beyond the fence and is flushed, and a follower reaches the fence also
 * if nobody else writes to the source.
 */
static MUST_CHECK Rc
move_source(const Fencing *self, Error *err)
{
	return pgconn_exec(self->source,
					   "BEGIN; SET LOCAL synchronous_commit = local;"
					   "SELECT pg_catalog.pg_logical_emit_message(true, "
					   "'penstock', 'fence'); COMMIT",
					   NULL, err);
}

static MUST_CHECK Rc
read_source_end(const Fencing *self, Lsn *lsn, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->source,
						"SELECT pg_catalog.pg_current_wal_insert_lsn()",
						&result, err);

	if (rc == RC_OK && !lsn_parse(PQgetvalue(result, 0, 0), lsn))
		rc = error_set(err, ERR_PROTOCOL,
					   "invalid position \"%s\" from the source",
					   PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

/* Step 3: reads the LSN of the fence from the source. */
static MUST_CHECK Rc
choose_position(Fencing *self, Lsn farthest, Error *err)
{
	Rc rc = read_source_end(self, &self->lsn, err);

	if (rc == RC_OK && self->lsn < farthest)
		rc = error_set(err, ERR_CONFIG,
					   "a target has progress up to " LSN_FORMAT
					   ", and the source's WAL ends before, at " LSN_FORMAT,
					   LSN_ARGS(farthest), LSN_ARGS(self->lsn));
	return rc == RC_OK ? move_source(self, err) : rc;
}

/* Step 4: writes the fence on every target and commits. */
static MUST_CHECK Rc
put_up(Fencing *self, Error *err)
{
	Rc rc = RC_OK;

	CHECK(self->lsn != 0);
	self->is_up = true;
	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
	{
		ProgressRow progress;

		rc = fence_write(self->targets[i], self->config->name, self->lsn, err);
		if (rc == RC_OK)
			rc = progress_table_disturb(self->targets[i], self->config->name,
										&progress, err);
	}
	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
		rc = pgconn_exec(self->targets[i], "COMMIT", NULL, err);
	return rc;
}

/* Moves the fence to the LSN that FenceUse.choose sets.  No target has passed
 * the first LSN, so none has passed this one. */
static MUST_CHECK Rc
move_on(Fencing *self, Error *err)
{
	Lsn lsn = 0;
	Lsn farthest;
	Rc rc = self->use->choose(self->use->context, &lsn, err);

	if (rc != RC_OK)
		return rc;
	CHECK(lsn >= self->lsn);
	rc = lock_all(self, &farthest, err);
	self->lsn = lsn;
	if (rc == RC_OK)
		rc = move_source(self, err);
	return rc == RC_OK ? put_up(self, err) : rc;
}

/* Sets *there to whether a target has reached the LSN of the fence; fails if it
 * has passed it.  Without a fence it may pass the LSN. */
static MUST_CHECK Rc
is_there(const Fencing *self, int index, bool *there, Error *err)
{
	ProgressRow progress = {0};
	Rc rc = progress_table_read(self->targets[index], self->config->name,
								&progress, err);

	*there = rc == RC_OK && progress.exists && progress.end_lsn >= self->lsn;
	if (rc == RC_OK &&
		(!progress.exists || (self->is_up && progress.end_lsn > self->lsn)))
		rc = error_set(err, ERR_CONFIG,
					   "%s does not hold at the fence, LSN " LSN_FORMAT,
					   self->labels[index], LSN_ARGS(self->lsn));
	return rc;
}

/* Fails with ERR_LIMIT: a target has not come to the LSN in time. */
static MUST_CHECK Rc
give_up(const Fencing *self, int index, Error *err)
{
	error_reset(err);
	return error_set(err, ERR_LIMIT,
					 "%s has not come to LSN " LSN_FORMAT " within %d ms",
					 self->labels[index], LSN_ARGS(self->lsn), self->limit_ms);
}

/* Calls follow(), which has no limit of its own, and stops it when our time is
 * over. */
static MUST_CHECK Rc
follow_in_time(const Fencing *self, const Config *config, int index, Error *err)
{
	int64_t left_us = self->limit_us - clock_monotonic_us();
	Rc rc;

	if (self->limit_ms == 0)
		return follow(config, err);
	interrupt_limit(left_us > 1000 ? left_us / 1000 : 1);
	rc = follow(config, err);
	if (interrupt_end_limit() && rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		return give_up(self, index, err);
	return rc;
}

/*
 * Follows the pipeline up to the fence or, without one, to the end of the
 * source's WAL.  It is no error if another follower has begun to use the slot
 * meanwhile, because that stops at the fence, too.  `index` is the target that
 * we wait for.
 */
static MUST_CHECK Rc
follow_to_fence(Fencing *self, int index, Error *err)
{
	Config config = *self->config;
	Rc rc = RC_OK;

	config.endpos = self->lsn;
	config.sequences_may_lack = true;
	if (!self->is_up)
		rc = read_source_end(self, &config.endpos, err);
	if (rc != RC_OK)
		return rc;
	log_info("fence",
			 "no follower uses slot \"%s\": following up to LSN " LSN_FORMAT,
			 config.name, LSN_ARGS(config.endpos));
	self->is_follower = true;
	rc = follow_in_time(self, &config, index, err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, SLOT_IN_USE_SQLSTATE) == 0)
	{
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}

/* Follows if nobody has used the slot for FENCE_IDLE_MS, or since we have.
 * *idle_us is the monotonic time since when it is unused, or 0, and is kept
 * between calls. */
static MUST_CHECK Rc
follow_if_idle(Fencing *self, int index, int64_t *idle_us, Error *err)
{
	int64_t patience_us = self->is_follower ? 0 : FENCE_IDLE_MS * 1000;
	SlotInfo slot;
	Rc rc;

	if (!self->use->follows)
		return RC_OK;
	rc = slot_read(self->source, self->config->name, &slot, err);
	if (rc != RC_OK || slot.active_pid != 0)
	{
		*idle_us = 0;
		self->is_follower = false;
		return rc;
	}
	if (*idle_us == 0)
		*idle_us = clock_monotonic_us();
	if (clock_monotonic_us() < *idle_us + patience_us)
		return RC_OK;
	*idle_us = 0;
	return follow_to_fence(self, index, err);
}

/* Waits until every target has reached the LSN. */
static MUST_CHECK Rc
wait_for_all(Fencing *self, Error *err)
{
	int64_t report_us = clock_monotonic_us() + FENCE_REPORT_MS * 1000;
	int64_t idle_us = 0;
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < self->config->target_count;)
	{
		bool there;

		rc = is_there(self, i, &there, err);
		if (rc == RC_OK && there)
		{
			i++;
			continue;
		}
		if (rc == RC_OK && self->limit_ms > 0 &&
			clock_monotonic_us() >= self->limit_us)
			rc = give_up(self, i, err);
		if (rc == RC_OK && clock_monotonic_us() >= report_us)
		{
			log_info("fence", "waiting for %s to get to LSN " LSN_FORMAT,
					 self->labels[i], LSN_ARGS(self->lsn));
			report_us += FENCE_REPORT_MS * 1000;
		}
		if (rc == RC_OK)
			rc = follow_if_idle(self, i, &idle_us, err);
		if (rc == RC_OK)
			rc = interrupt_wait(-1, 0, FENCE_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	return rc;
}

/* Waits, without a fence, until the targets are near the end of the source's
 * WAL. */
static MUST_CHECK Rc
approach(Fencing *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < FENCE_APPROACHES_MAX; i++)
	{
		int64_t begin_us = clock_monotonic_us();

		rc = read_source_end(self, &self->lsn, err);
		if (rc == RC_OK)
			rc = move_source(self, err);
		if (rc == RC_OK)
			rc = wait_for_all(self, err);
		if (clock_monotonic_us() < begin_us + FENCE_NEAR_MS * 1000 ||
			(self->is_follower && i + 1 >= FENCE_FOLLOWED_MAX))
			break;
	}
	self->lsn = 0;
	return rc;
}

/* Checks that all targets still have the LSN of the fence: if a session was
 * lost, its fence has ended, and the target may have advanced. */
static MUST_CHECK Rc
check_all(const Fencing *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
	{
		bool there;

		rc = is_there(self, i, &there, err);
		if (rc == RC_OK && !there)
			rc = error_set(err, ERR_CONFIG,
						   "%s has gone back to before the fence",
						   self->labels[i]);
	}
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		error_detail(err, "What was read at the fence may not belong "
						  "together.");
	return rc;
}

/* A report that prints nothing, because the command prints only the LSN. */
static void
ignore_line(void *context UNUSED, const char *text UNUSED)
{
}

static const Report no_report = {.line = ignore_line};

/* Advances the sequences, calls FenceUse.reached, and holds the fence until its
 * time is over.  Sequence values that the source returns from now on belong to
 * rows after the fence. */
static MUST_CHECK Rc
hold(const Fencing *self, Error *err)
{
	int64_t end_us = clock_monotonic_us() +
					 (int64_t) self->config->hold_s * 1000000;
	Rc rc = sequences_take_along(self->config, self->source, self->targets,
								 &no_report, err);

	if (rc == RC_OK)
		rc = large_objects_take_along(self->config, self->source, true,
									  self->targets, &no_report, err);
	if (rc == RC_OK)
		rc = self->use->reached(self->use->context, self->lsn, err);
	if (rc != RC_OK)
		return rc;
	log_info(
		"fence", "all targets are at LSN " LSN_FORMAT "%s", LSN_ARGS(self->lsn),
		self->config->hold_s == 0 ? ", and stay there until this command ends"
								  : "");
	while (rc == RC_OK &&
		   (self->config->hold_s == 0 || clock_monotonic_us() < end_us))
	{
		rc = interrupt_wait(-1, 0, FENCE_CHECK_MS, err);
		if (rc == RC_AGAIN)
			rc = check_all(self, err);
	}
	if (rc == RC_OK || err->code != ERR_INTERRUPTED)
		return rc;

	/* The interrupt is the regular end of the fence. */
	error_reset(err);
	interrupt_defer(true);
	return check_all(self, err);
}

/* Calls FenceUse.reached, and then checks that all targets had the LSN until it
 * has returned. */
static MUST_CHECK Rc
hold_briefly(const Fencing *self, Error *err)
{
	Rc rc = self->use->reached(self->use->context, self->lsn, err);

	return rc == RC_OK ? check_all(self, err) : rc;
}

/* Step 6: removes the fence from every target.  On a target that cannot be
 * reached, the fence has ended with our session. */
static void
remove_fences(Fencing *self)
{
	interrupt_defer(true);
	for (int i = 0; i < self->config->target_count; i++)
	{
		Error ignored = {0};
		Rc rc = RC_OK;

		if (self->targets[i] == NULL)
			continue;
		if (PQtransactionStatus(pgconn_raw(self->targets[i])) != PQTRANS_IDLE)
			rc = pgconn_exec(self->targets[i], "ROLLBACK", NULL, &ignored);
		if (rc == RC_OK && self->is_up)
			rc = fence_remove(self->targets[i], self->config->name, &ignored);
		if (rc == RC_FAIL)
			error_reset(&ignored);
		pgconn_close(self->targets[i]);
	}
	pgconn_close(self->source);
	interrupt_defer(false);
}

static void
set_limit(Fencing *self, int limit_ms)
{
	int64_t patience_ms = limit_ms > 0 ? limit_ms : -1;

	self->limit_ms = limit_ms;
	self->limit_us = clock_monotonic_us() + (int64_t) limit_ms * 1000;
	/* A server that does not answer is not waited for any longer either. */
	if (self->source != NULL)
		pgconn_set_patience(self->source, patience_ms);
	for (int i = 0; i < self->config->target_count; i++)
		if (self->targets[i] != NULL)
			pgconn_set_patience(self->targets[i], patience_ms);
}

/* Steps 2 to 5. */
static MUST_CHECK Rc
fence(Fencing *self, Error *err)
{
	Lsn farthest;
	Rc rc = lock_all(self, &farthest, err);

	if (rc == RC_OK)
		rc = check_history(self, err);
	if (rc == RC_OK)
		rc = choose_position(self, farthest, err);
	if (rc == RC_OK)
		rc = put_up(self, err);
	if (rc == RC_OK && self->use->choose != NULL)
		rc = move_on(self, err);
	if (rc == RC_OK)
		rc = wait_for_all(self, err);
	if (rc != RC_OK)
		return rc;
	return self->use->is_brief ? hold_briefly(self, err) : hold(self, err);
}

/* Reads the progress of all targets, without a lock. */
static MUST_CHECK Rc
read_progress(Fencing *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
		rc = progress_table_read(self->targets[i], self->config->name,
								 &self->progress[i], err);
	return rc;
}

/* What comes in place of steps 2 to 5 where nothing is written. */
static MUST_CHECK Rc
drain(Fencing *self, Error *err)
{
	Lsn farthest = 0;
	Rc rc;

	for (int i = 0; i < self->config->target_count; i++)
		farthest = lsn_max(farthest, self->progress[i].end_lsn);
	rc = choose_position(self, farthest, err);
	if (rc == RC_OK)
		rc = wait_for_all(self, err);
	return rc == RC_OK ? self->use->reached(self->use->context, self->lsn, err)
					   : rc;
}

/* Step 1. */
static MUST_CHECK Rc
get_ready(Fencing *self, Error *err)
{
	const FenceUse *use = self->use;
	Rc rc = open_all(self, err);

	set_limit(self, use->near_ms_max);
	if (rc == RC_OK && use->is_drained)
		rc = read_progress(self, err);
	if (rc == RC_OK && use->is_drained)
		rc = check_history(self, err);
	if (rc == RC_OK && (use->choose != NULL || use->ready != NULL))
		rc = approach(self, err);
	return rc == RC_OK && use->ready != NULL ? use->ready(use->context, err)
											 : rc;
}

Rc
fence_hold(const Config *config, const FenceUse *use, Error *err)
{
	Fencing self = {.config = config, .use = use};
	Rc rc = get_ready(&self, err);

	set_limit(&self, use->reach_ms_max);
	if (rc == RC_OK)
		rc = use->is_drained ? drain(&self, err) : fence(&self, err);
	remove_fences(&self);
	return rc;
}
