/*
 * join.c
 *    Runs the catch-up, and the transactions that make the table join.
 *
 * After a transient error we try again, as pipeline/follow.c does.  A new
 * attempt reads all that it needs from the servers.
 */
#include "job/table/join.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "catalog/publications.h"
#include "control/definition_table.h"
#include "net/origin.h"
#include "pipeline/begin.h"
#include "pipeline/run.h"
#include "sink/postgres/postgres_sink.h"
#include "source/slot.h"

/* Minimum and maximum pause after an attempt that has failed. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/* The table may join if the catch-up lags the follower by not more than this
 * much WAL, or not more than it has applied between two calls of watch(). */
#define CLOSE_BYTES_MIN ((Lsn) 64 * KB)

/* Pause after a follower has stopped waiting for the table. */
#define JOIN_AGAIN_MS 3000

typedef struct TableJoin
{
	TableWork *work;
	Source *stream;
	Sink *sinks[CONFIG_TARGETS_MAX]; /* sinks of the targets on which the table
									  * is not ready yet */
	TableTarget *targets[CONFIG_TARGETS_MAX]; /* targets of these sinks */
	Lsn seen[CONFIG_TARGETS_MAX]; /* applied_lsn of each sink at the last call
								   * of watch() */
	int count;                    /* number of sinks */
	Words publications;           /* names of the pipeline's publications */
	SchemaPolicy schema_policy;   /* policy of the catch-up; off if we do not
								   * know the table's definition at its copy */
	bool joining;                 /* whether the state is set to "joining" */
	int64_t not_before_us;        /* monotonic time before which the table does
								   * not join */
} TableJoin;


/* ---- The rows ---- */

static Rc
read_catch_up(TableJoin *join, TableTarget *target, ProgressRow *row,
			  Error *err)
{
	TableWork *work = join->work;
	Rc rc = progress_table_read(target->conn, work->slot, row, err);

	if (rc == RC_OK && !row->exists)
	{
		rc = error_set(err, ERR_CONFIG,
					   "%s has no progress of table %s, which was catching up",
					   target->label, work->qualified);
		error_hint(err, "Copy it anew with \"%s\".",
				   table_command(work, "resync"));
	}
	return rc;
}

/*
 * Sets the state to "ready", if the catch-up has reached the follower's LSN, or
 * the follower holds the later changes back; else returns RC_AGAIN.  Removes
 * the catch-up's progress, so that the catch-up can apply nothing more.
 */
static Rc
hand_over(TableJoin *join, TableTarget *target, Error *err)
{
	TableWork *work = join->work;
	TableRow row = {.kind = TABLE_READY};
	ProgressRow caught_up;
	bool removed;
	Rc rc = read_catch_up(join, target, &caught_up, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target->conn));
	ASSERT(target->row.kind != TABLE_READY);
	if (rc != RC_OK)
		return rc;
	row.watermark = caught_up.end_lsn;
	snprintf(row.slot, sizeof(row.slot), "%s", work->slot);
	if (caught_up.end_lsn < target->progress.end_lsn &&
		(target->row.kind != TABLE_JOINING ||
		 caught_up.end_lsn < target->row.watermark))
		return RC_AGAIN;
	rc = definition_table_join(target->conn, work->config->name, work->slot,
							   err);
	if (rc == RC_OK)
		rc = progress_table_remove(target->conn, work->slot, &removed, err);
	if (rc == RC_OK)
		rc = table_write(work, target, &row, err);
	return rc;
}

/* Tries to set the state on a target to "ready".  *ready is set to whether it
 * is ready then. */
static Rc
try_hand_over(TableJoin *join, TableTarget *target, bool *ready, Error *err)
{
	Rc rc;

	*ready = target->row.kind == TABLE_READY;
	if (*ready)
		return RC_OK;
	rc = table_begin(join->work, target, err);
	if (rc == RC_OK)
		rc = hand_over(join, target, err);
	*ready = rc == RC_OK;
	rc = table_end(target, rc, err);
	if (rc == RC_AGAIN)
		return RC_OK;
	FAULT("table.ready");
	return rc;
}

/* Sets the state on a target to "joining".  *lsn is set to the LSN after which
 * the follower holds the table's changes back. */
static Rc
say_joining(TableJoin *join, TableTarget *target, Lsn *lsn, Error *err)
{
	TableRow row;
	Rc rc = table_begin(join->work, target, err);

	row = target->row;
	row.kind = TABLE_JOINING;
	row.watermark = target->progress.end_lsn;
	*lsn = row.watermark;
	if (rc == RC_OK)
		rc = table_write(join->work, target, &row, err);
	return table_end(target, rc, err);
}

/* Sets the state on a target to "catching up", if it is paused, or joining from
 * an earlier attempt. */
static Rc
say_catching_up(TableJoin *join, TableTarget *target, Error *err)
{
	TableRow row;
	Rc rc;

	if (target->row.kind == TABLE_CATCHING_UP)
		return RC_OK;
	rc = table_begin(join->work, target, err);
	row = target->row;
	row.kind = TABLE_CATCHING_UP;
	if (rc == RC_OK)
		rc = table_write(join->work, target, &row, err);
	rc = table_end(target, rc, err);
	if (rc == RC_OK)
		rc = table_cancel_builds(target, join->work->qualified, err);
	return rc;
}


/* ---- The catch-up ---- */

/* Sets *all_close to whether the catch-up of each target lags the follower so
 * little that the table can join. */
static Rc
look_how_close(TableJoin *join, bool *all_close, Error *err)
{
	ASSERT(join->count > 0);
	*all_close = true;
	for (int i = 0; i < join->count; i++)
	{
		TableTarget *target = join->targets[i];
		Lsn applied = join->sinks[i]->report->applied_lsn;
		Lsn done = applied - lsn_min(applied, join->seen[i]);
		Rc rc = progress_table_read(target->conn, join->work->config->name,
									&target->progress, err);

		if (rc != RC_OK)
			return rc;
		if (target->progress.end_lsn > applied + lsn_max(done, CLOSE_BYTES_MIN))
			*all_close = false;
		join->seen[i] = applied;
	}
	return RC_OK;
}

/* Pipeline.watch of the catch-up: when the table can join, sets the state to
 * "joining", and *endpos to the LSN where the catch-up ends. */
static Rc
watch(void *context, Lsn *endpos, Error *err)
{
	TableJoin *join = context;
	bool all_close;
	Rc rc = look_how_close(join, &all_close, err);

	ASSERT(!join->joining);
	if (rc != RC_OK || !all_close || clock_monotonic_us() < join->not_before_us)
		return rc;
	for (int i = 0; i < join->count && rc == RC_OK; i++)
	{
		Lsn lsn;

		rc = say_joining(join, join->targets[i], &lsn, err);
		*endpos = lsn_max(*endpos, lsn);
	}
	join->joining = rc == RC_OK;
	FAULT("table.joining");
	return rc;
}

/*
 * Lists the tables that the plugin is to leave out of the stream: those that
 * the pipeline leaves out.  The catch-up does not apply them anyway, but a
 * change of them that the plugin cannot send would be an error.
 */
static Rc
list_left_out(TableJoin *join, Buf *list, Error *err)
{
	TableWork *work = join->work;
	TableStates *states[CONFIG_TARGETS_MAX] = {NULL};
	int count = 0;
	Rc rc = RC_OK;

	while (count < work->target_count && rc == RC_OK)
	{
		rc = table_states_read(&states[count], work->targets[count].conn,
							   work->config->name, err);
		count += rc == RC_OK ? 1 : 0;
	}
	if (rc == RC_OK)
		table_states_append_left_out(list, (const TableStates *const *) states,
									 count, 0, work->names, work->name_count);
	for (int i = 0; i < count; i++)
		table_states_free(states[i]);
	return rc;
}

static Rc
start_stream(TableJoin *join, const char *left_out, Error *err)
{
	const Config *config = join->work->config;
	const WireOptions wire = {.publications = config->publications,
							  .origin = config->origin,
							  .leave_out = left_out,
							  .bundle = config->bundle,
							  .compression = config->compression,
							  .binary = true,
							  .schema_changes = join->schema_policy !=
												SCHEMA_OFF};
	PgConn *replication = NULL;
	Rc rc = table_open_replication(config, &replication, err);

	if (rc != RC_OK)
		return rc;
	return begin_stream(&join->stream, replication, join->work->slot, &wire,
						err);
}

static Rc
open_stream(TableJoin *join, Error *err)
{
	Buf list;
	Rc rc;

	buf_init(&list, BUF_TEXT_MAX);
	rc = list_left_out(join, &list, err);
	if (rc == RC_OK)
		rc = start_stream(join, list.length > 0 ? list.data : NULL, err);
	buf_release(&list);
	return rc;
}

/* Checks, as pipeline/follow.c does, that the slot still has the changes after
 * the target's progress. */
static Rc
check_position(TableJoin *join, const SlotInfo *slot, const Sink *sink,
			   const TableTarget *target, Error *err)
{
	Rc rc;

	if (sink->report->start_lsn >= slot->confirmed_lsn)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "slot \"%s\" is ahead of table %s on %s: changes are "
				   "missing there",
				   join->work->slot, join->work->qualified, target->label);
	error_hint(err, "Copy it anew with \"%s\".",
			   table_command(join->work, "resync"));
	return rc;
}

static Rc
open_sink(TableJoin *join, TableTarget *target, const SlotInfo *slot,
		  Error *err)
{
	TableWork *work = join->work;
	PostgresSinkOptions options = {
		.conninfo = target->conninfo,
		.label = target->label,
		.pipeline = work->slot,
		.source = &work->history,
		.rules = &work->config->conflict_rules,
		.schema_policy = join->schema_policy,
		.publications = &join->publications,
		.schema_rules = &work->config->schema_rules,
		.sequence_stride = work->config->sequence_stride.count,
		.memory_bytes = work->config->memory_bytes /
						(size_t) work->target_count,
		.memory_shares = work->target_count,
		.only = work->names,
		.only_count = work->name_count,
	};
	Rc rc = postgres_sink_open(&join->sinks[join->count], NULL, &options, err);

	ASSERT(join->count < CONFIG_TARGETS_MAX);
	if (rc != RC_OK)
		return rc;
	join->targets[join->count] = target;
	join->seen[join->count] = join->sinks[join->count]->report->start_lsn;
	join->count++;
	return check_position(join, slot, join->sinks[join->count - 1], target,
						  err);
}

static Rc
require_slot(TableJoin *join, SlotInfo *slot, Error *err)
{
	const char *name = join->work->slot;
	Rc rc = slot_read(join->work->source, name, slot, err);

	if (rc == RC_OK)
		rc = slot_require_usable(slot, name, err);
	if (rc == RC_FAIL && err->code == ERR_CONFIG)
		error_hint(err, "Copy the table anew with \"%s\".",
				   table_command(join->work, "resync"));
	return rc;
}

static void
close_all(TableJoin *join)
{
	for (int i = 0; i < join->count; i++)
		sink_free(join->sinks[i]);
	source_close(join->stream);
	join->stream = NULL;
	join->count = 0;
}

/* Sets schema_policy: off if a target has no definition of the table, because
 * an older version of penstock has created the slot. */
static Rc
decide_schema_policy(TableJoin *join, Error *err)
{
	const TableWork *work = join->work;
	bool known = true;
	Rc rc = RC_OK;

	for (int i = 0; i < work->target_count && rc == RC_OK && known; i++)
		if (work->targets[i].row.kind != TABLE_READY)
			rc = definition_table_has(work->targets[i].conn, work->slot, &known,
									  err);
	join->schema_policy = known ? config_schema_policy(work->config)
								: SCHEMA_OFF;
	return rc;
}

/* Runs the catch-up once, for all targets on which the table is not ready. */
static Rc
catch_up(TableJoin *join, Error *err)
{
	TableWork *work = join->work;
	Pipeline pipeline = {.watch = watch, .watch_context = join};
	SlotInfo slot;
	bool progressed;
	Rc rc = require_slot(join, &slot, err);

	join->joining = false;
	if (rc == RC_OK)
		rc = decide_schema_policy(join, err);
	if (rc == RC_OK)
		rc = open_stream(join, err);
	/* Read the slot again now that we use it: a confirmation that our last
	 * session had sent may have arrived after the first time. */
	if (rc == RC_OK)
		rc = require_slot(join, &slot, err);
	if (rc == RC_OK)
		rc = slot_read_log_end(work->source, &work->history, err);
	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
		if (work->targets[i].row.kind != TABLE_READY)
		{
			rc = say_catching_up(join, &work->targets[i], err);
			if (rc == RC_OK)
				rc = open_sink(join, &work->targets[i], &slot, err);
		}
	if (rc != RC_OK)
		return rc;
	FAULT("table.catching_up");
	ASSERT(join->stream != NULL);
	pipeline.source = join->stream;
	pipeline.sinks = join->sinks;
	pipeline.sink_count = join->count;
	rc = pipeline_run(&pipeline, &progressed, err);
	if (rc == RC_OK && interrupt_requested())
		rc = error_set(err, ERR_INTERRUPTED, "stopped on request");
	return rc;
}

/* Tries to set the state on all targets to "ready".  *pending is set to the
 * number of targets on which it is not. */
static Rc
hand_over_all(TableJoin *join, int *pending, Error *err)
{
	TableWork *work = join->work;

	*pending = 0;
	for (int i = 0; i < work->target_count; i++)
	{
		bool ready;
		Rc rc = try_hand_over(join, &work->targets[i], &ready, err);

		if (rc != RC_OK)
			return rc;
		if (!ready)
			(*pending)++;
	}
	return RC_OK;
}

static Rc
join_once(TableJoin *join, int *pending, Error *err)
{
	Rc rc = catch_up(join, err);

	FAULT("table.caught_up");
	close_all(join);
	if (rc == RC_OK)
		rc = hand_over_all(join, pending, err);
	if (rc == RC_OK && *pending > 0)
	{
		log_info("table",
				 "the follower could not wait for table %s; trying again",
				 join->work->qualified);
		join->not_before_us = clock_monotonic_us() + JOIN_AGAIN_MS * 1000;
	}
	return rc;
}

/* Waits after a transient error, and then connects to all servers again, which
 * may have failed over. */
static Rc
pause_before_retry(TableJoin *join, Backoff *backoff, Error *err)
{
	Rc rc;

	log_error(LOG_WARNING, "table.trying-again", err);
	log_info("table", "trying again in %" PRId64 " ms", backoff_ms(backoff));
	error_reset(err);
	rc = backoff_wait(backoff, err);
	return rc == RC_OK ? table_work_reconnect(join->work, err) : rc;
}

static Rc
join_all(TableJoin *join, Error *err)
{
	Backoff backoff = {.first_ms = RETRY_PAUSE_FIRST_MS,
					   .max_ms = RETRY_PAUSE_MAX_MS};
	int pending;
	Rc rc = hand_over_all(join, &pending, err);

	if (rc == RC_OK && pending > 0)
		log_info("table", "table %s catches up", join->work->qualified);
	while (rc == RC_OK && pending > 0)
	{
		rc = join_once(join, &pending, err);
		if (rc == RC_FAIL && error_is_transient(err))
			pending = 1; /* unknown, but not 0 */
		while (rc == RC_FAIL && error_is_transient(err))
			rc = pause_before_retry(join, &backoff, err);
	}
	return rc;
}


/* ---- The end ---- */

/* Drops the slot when the table is ready on all targets. */
static Rc
tidy_up(TableJoin *join, Error *err)
{
	TableWork *work = join->work;
	Rc rc = table_drop_slot(work, err);

	for (int i = 0; i < work->target_count && rc == RC_OK; i++)
	{
		TableTarget *target = &work->targets[i];
		TableRow row = target->row;
		bool removed;

		ASSERT(row.kind == TABLE_READY);
		row.slot[0] = '\0';
		rc = origin_drop(target->conn, work->slot, &removed, err);
		for (int n = 0; n < work->name_count && rc == RC_OK; n++)
			rc = table_state_write(target->conn, work->config->name,
								   &work->names[n], &row, err);
	}
	return rc;
}

Rc
table_join(TableWork *work, Error *err)
{
	TableJoin join = {.work = work};
	Rc rc = publications_words(&join.publications, work->config->publications,
							   work->arena, err);

	if (rc == RC_OK)
		rc = join_all(&join, err);
	if (rc == RC_OK)
		rc = tidy_up(&join, err);
	if (rc == RC_OK)
		log_info("table", "table %s is followed", work->qualified);
	return rc;
}
