/*
 * join.c
 *    The catch-up, and its end.
 *
 * What can heal is tried again, as in pipeline/follow.c: nothing is held here
 * that a new attempt would not find on the servers.
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
#include "control/definition_table.h"
#include "net/origin.h"
#include "pipeline/begin.h"
#include "pipeline/run.h"
#include "sink/postgres/postgres_sink.h"
#include "source/slot.h"

/* Pauses between attempts that failed. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/* How much log may lie between catch-up and follower when the table is to
 * join, if the catch-up did not do more than that between two looks. */
#define CLOSE_BYTES_MIN ((Lsn) 64 * KB)

/* After a follower had to let go: how long it is left alone. */
#define JOIN_AGAIN_MS 3000

typedef struct TableJoin
{
	TableWork *work;
	Source *stream;
	Sink *sinks[CONFIG_TARGETS_MAX]; /* of targets that are not ready yet */
	TableTarget *targets[CONFIG_TARGETS_MAX]; /* theirs */
	Lsn seen[CONFIG_TARGETS_MAX]; /* where each sink was at the last look */
	int count;
	SchemaPolicy schema_policy; /* off where it is not known what there was */
	bool joining;
	int64_t not_before_us; /* monotonic */
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
 * Gives the table to the follower, if that has caught up with it, or the
 * follower holds the rest back.  The catch-up's progress goes: nothing can be
 * applied by it any more.
 */
static Rc
hand_over(TableJoin *join, TableTarget *target, Error *err)
{
	TableWork *work = join->work;
	TableRow row = {.kind = TABLE_READY};
	ProgressRow caught_up;
	bool removed;
	Rc rc = read_catch_up(join, target, &caught_up, err);

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

/* *ready: it is the follower's. */
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

/* Says that the table is to join; returns from where on it is held back. */
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

/* What a former attempt left joining, or what was paused, catches up again. */
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
	return table_end(target, rc, err);
}


/* ---- The catch-up ---- */

/* Whether what is left can be done in the time that a follower waits. */
static Rc
look_how_close(TableJoin *join, bool *all_close, Error *err)
{
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

/* The pipeline's watch: the moment to join sets its end. */
static Rc
watch(void *context, Lsn *endpos, Error *err)
{
	TableJoin *join = context;
	bool all_close;
	Rc rc = look_how_close(join, &all_close, err);

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
 * Other tables are not applied anyhow; but what cannot be sent of one that the
 * pipeline leaves out must not stop this one.
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

/* As pipeline/follow.c has it: what a target lacks must still be in the slot.
 */
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
		.sequence_stride = work->config->sequence_stride.count,
		.memory_bytes = work->config->memory_bytes /
						(size_t) work->target_count,
		.only = work->names,
		.only_count = work->name_count,
	};
	Rc rc = postgres_sink_open(&join->sinks[join->count], NULL, &options, err);

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

/* A table whose changes were kept by an older version is followed without. */
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

/* One run of the catch-up, for all targets that are not ready. */
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
	/* Before it was ours, our last words may have come late. */
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
	pipeline.source = join->stream;
	pipeline.sinks = join->sinks;
	pipeline.sink_count = join->count;
	rc = pipeline_run(&pipeline, &progressed, err);
	if (rc == RC_OK && interrupt_requested())
		rc = error_set(err, ERR_INTERRUPTED, "stopped on request");
	return rc;
}

/* *pending: targets that are not ready. */
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

/* The servers may be other ones, or no ones, by now. */
static Rc
pause_before_retry(TableJoin *join, Backoff *backoff, Error *err)
{
	Rc rc;

	log_error(LOG_WARNING, "table", err);
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
			pending = 1; /* at least */
		while (rc == RC_FAIL && error_is_transient(err))
			rc = pause_before_retry(join, &backoff, err);
	}
	return rc;
}


/* ---- The end ---- */

/* The slot has done its work on all targets. */
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
	Rc rc = join_all(&join, err);

	if (rc == RC_OK)
		rc = tidy_up(&join, err);
	if (rc == RC_OK)
		log_info("table", "table %s is followed", work->qualified);
	return rc;
}
