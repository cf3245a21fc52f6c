/*
 * lanes.c
 *    The states of the lanes.
 *
 *                 ┌───────── the rest ──────────┐
 *                 ▼                             │
 *     IDLE ──► TOGETHER ── a member failed ──► ALONE
 *       ▲         │                             │
 *       │         ▼ all is committed            │
 *       └─────────┴─────────────────────────────┘
 *
 *   TOGETHER  each applier is applying its transactions, has finished, or has
 *             failed
 *   ALONE     the leader applies the batch's first transaction in order
 *
 * From time to time the end of the target's WAL is queried: by the only applier
 * of a round together with the last commit, otherwise after the round.
 */
#include "sink/postgres/apply/lanes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "sink/postgres/apply/out_of_room.h"
#include "sink/postgres/plan/dependencies.h"

/* Turn after which they start again from 0, before the numbers overflow. */
#define TURNS_MAX (1 << 30)

typedef enum LanesState
{
	LANES_IDLE,
	LANES_TOGETHER,
	LANES_ALONE,
} LanesState;

struct Lanes
{
	Target *target;
	Applier *members[LANES_MAX]; /* the first is the leader */
	int member_count;
	LanesState state;
	Batch batch; /* empty in LANES_IDLE */
	TxnRound round;
	uint32_t turn_next; /* turn of the next transaction */
	int refreshes;      /* how often the batch's tables were looked up again;
						 * see recover() */
	bool turns_taken;   /* whether each member holds the lock of its next
						 * turn */
	Dependencies *dependencies;
};

Lanes *
lanes_new(Target *target, Applier *leader)
{
	Lanes *lanes = xcalloc(1, sizeof(Lanes));

	lanes->target = target;
	lanes->members[0] = leader;
	lanes->member_count = 1;
	lanes->dependencies = dependencies_new();
	return lanes;
}

void
lanes_free(Lanes *lanes)
{
	if (lanes == NULL)
		return;
	for (int i = 1; i < lanes->member_count; i++)
	{
		applier_release(lanes->members[i]);
		free(lanes->members[i]);
	}
	batch_release(&lanes->batch);
	dependencies_free(lanes->dependencies);
	free(lanes);
}

void
lanes_add(Lanes *lanes, PgConn *conn)
{
	Applier *member = xcalloc(1, sizeof(Applier));

	ASSERT(lanes->member_count < LANES_MAX);
	applier_init(member, lanes->target, conn);
	lanes->members[lanes->member_count++] = member;
}

/* TOGETHER may follow itself: a table was altered, or the rest begins. */
static const unsigned states_after[] = {
	[LANES_IDLE] = 1U << LANES_TOGETHER,
	[LANES_TOGETHER] = 1U << LANES_TOGETHER | 1U << LANES_ALONE |
					   1U << LANES_IDLE,
	[LANES_ALONE] = 1U << LANES_TOGETHER | 1U << LANES_IDLE,
};

static void
set_state(Lanes *lanes, LanesState state)
{
	CHECK((states_after[lanes->state] & (1U << state)) != 0);
	CHECK(state != LANES_IDLE || batch_is_empty(&lanes->batch));
	lanes->state = state;
}

bool
lanes_is_idle(const Lanes *lanes)
{
	return lanes->state == LANES_IDLE;
}

size_t
lanes_bytes(const Lanes *lanes)
{
	return lanes->batch.bytes;
}

void
lanes_forget_table(Lanes *lanes, const char *schema, const char *name)
{
	CHECK(lanes->state == LANES_IDLE);
	for (int i = 0; i < lanes->member_count; i++)
		applier_forget_table(lanes->members[i], schema, name);
}

/* ---- turns -------------------------------------------------------------- */

/*
 * Returns the first part of the locks' keys.  It should differ from advisory
 * locks of applications, and from those of an earlier follower whose sessions
 * may still exist.
 */
static int32_t
turn_class(const Target *target)
{
	uint64_t hash = hash_text(HASH_START, target->pipeline);

	hash = hash_number(hash, (uint64_t) target->lease_token);
	return (int32_t) (uint32_t) (hash ^ (hash >> 32));
}

static Applier *
member_of_turn(Lanes *lanes, uint32_t turn)
{
	ASSERT(lanes->member_count > 0);
	return lanes->members[turn % (uint32_t) lanes->member_count];
}

/* Each member takes the lock of its next turn.  Waits for the target. */
static MUST_CHECK Rc
take_turns(Lanes *lanes, Error *err)
{
	if (lanes->turns_taken && lanes->turn_next < TURNS_MAX)
		return RC_OK;
	lanes->turn_next = (uint32_t) lanes->member_count;
	for (int i = 0; i < lanes->member_count; i++)
	{
		uint32_t turn = lanes->turn_next + (uint32_t) i;
		Applier *member = member_of_turn(lanes, turn);
		char sql[120];
		Rc rc;

		snprintf(sql, sizeof(sql),
				 "SELECT pg_catalog.pg_advisory_unlock_all();"
				 "SELECT pg_catalog.pg_advisory_lock(%d, %d)",
				 turn_class(lanes->target), (int) turn);
		rc = pgconn_exec(lane_conn(member->lane), sql, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	lanes->turns_taken = true;
	return RC_OK;
}

/* ---- starting ----------------------------------------------------------- */

static MUST_CHECK Rc
start_alone(Lanes *lanes, bool in_order, size_t end, Error *err)
{
	TxnSelection selection = {
		.stride = 1,
		.end = end,
		.may_fold = !in_order && lanes->target->independent_tables,
		.may_compose = !in_order && lanes->target->independent_tables,
		.moves_progress = true,
		.joined = !in_order && !lanes->target->per_transaction};

	ASSERT(end > 0 && end <= lanes->batch.txn_count);
	lanes->round.takes_turns = false;
	return applier_start_txns(lanes->members[0], &lanes->batch, &lanes->round,
							  &selection, err);
}

static MUST_CHECK Rc
start_members(Lanes *lanes, Error *err)
{
	size_t count = lanes->batch.txn_count;
	uint32_t stride = (uint32_t) lanes->member_count;
	Rc rc = take_turns(lanes, err);

	ASSERT(count >= stride);
	lanes->round.takes_turns = true;
	lanes->round.turn_class = turn_class(lanes->target);
	lanes->round.turn_first = lanes->turn_next;
	lanes->round.turn_stride = stride;
	lanes->round.depends = dependencies_find(
		lanes->dependencies, &lanes->batch, table_cache_get,
		lanes->round.tables, (size_t) stride);
	for (uint32_t i = 0; rc == RC_OK && i < stride && i < count; i++)
	{
		TxnSelection selection = {
			.first = i,
			.stride = stride,
			.end = count,
			.may_fold = true,
			.may_compose = true,
		};

		rc = applier_start_txns(member_of_turn(lanes, lanes->turn_next + i),
								&lanes->batch, &lanes->round, &selection, err);
	}
	lanes->turn_next += (uint32_t) count;
	return rc;
}

/*
 * Whether several members are used.  Turns cost too much for few transactions,
 * and tables that depend on each other cannot be changed by several sessions.
 */
static bool
is_worth_sharing(const Lanes *lanes)
{
	return lanes->member_count > 1 && lanes->target->independent_tables &&
		   lanes->batch.txn_count >= (size_t) lanes->member_count;
}

static bool
has_partitioned(const Lanes *lanes)
{
	const CurrentTables tables = table_cache_of_changes(
		lanes->round.tables, &lanes->batch, 0, lanes->batch.change_count);

	for (size_t i = 0; i < tables.count; i++)
		if (tables.tables[i]->is_partitioned)
			return true;
	return false;
}

static MUST_CHECK Rc
start_together(Lanes *lanes, Error *err)
{
	ASSERT(!batch_is_empty(&lanes->batch));
	set_state(lanes, LANES_TOGETHER);
	lanes->round.has_partitioned = has_partitioned(lanes);
	lanes->round.start_lsn = lanes->target->noted_lsn;
	if (is_worth_sharing(lanes))
		return start_members(lanes, err);
	return start_alone(lanes, false, lanes->batch.txn_count, err);
}

Rc
lanes_start(Lanes *lanes, Batch *batch, Error *err)
{
	Batch emptied = lanes->batch;
	Rc rc;

	ASSERT(lanes->state == LANES_IDLE && batch_is_empty(&lanes->batch));
	set_state(lanes, LANES_TOGETHER); /* also if it fails, because there is a
									   * batch */
	lanes->batch = *batch;
	*batch = emptied;
	batch_split_incomplete(&lanes->batch, batch);
	lanes->round.flushes = target_must_flush(lanes->target);
	lanes->round.asks = lanes->round.flushes ||
						clock_monotonic_us() >=
							target_next_check_us(lanes->target);
	lanes->round.tables = lanes->members[0]->tables;
	lanes->refreshes = 0;
	rc = table_cache_prepare(lanes->round.tables,
							 lane_conn(lanes->members[0]->lane), &lanes->batch,
							 err);
	return rc == RC_OK ? start_together(lanes, err) : rc;
}

/* ---- the end of a round ------------------------------------------------- */

static bool
all_idle(const Lanes *lanes)
{
	for (int i = 0; i < lanes->member_count; i++)
		if (lanes->members[i]->state != APPLIER_IDLE)
			return false;
	return true;
}

/* Returns a member that has failed, or NULL. */
static Applier *
find_failed(Lanes *lanes)
{
	for (int i = 0; i < lanes->member_count; i++)
		if (lanes->members[i]->failure.is_there)
			return lanes->members[i];
	return NULL;
}

static size_t
committed_count(const Lanes *lanes)
{
	size_t count = 0;

	for (int i = 0; i < lanes->member_count; i++)
		if (lanes->members[i]->as_txns.committed > count)
			count = lanes->members[i]->as_txns.committed;
	ASSERT(count <= lanes->batch.txn_count);
	return count;
}

/* Removes committed transactions from the batch. */
static void
drop_committed(Lanes *lanes)
{
	size_t count = committed_count(lanes);

	CHECK(count == 0 ||
		  lanes->target->noted_lsn >= lanes->batch.txns[count - 1].txn.end_lsn);
	batch_drop(&lanes->batch, count);
}

static void
forget_round(Lanes *lanes)
{
	for (int i = 0; i < lanes->member_count; i++)
	{
		/* Each member has left the round. */
		ASSERT(lanes->members[i]->state == APPLIER_IDLE);
		ASSERT(lanes->members[i]->as_txns.round == NULL &&
			   !lanes->members[i]->txn_open);
		lanes->members[i]->failure.is_there = false;
		lanes->members[i]->as_txns.committed = 0;
		error_reset(&lanes->members[i]->failure.error);
	}
}

/*
 * Whether repeating cannot help: a change was refused to a member that worked
 * alone, or the failure is neither about a change nor about the amount of work,
 * and no other member can have caused it.
 */
static bool
is_final(const Lanes *lanes, const Applier *failed)
{
	ASSERT(failed->failure.is_there);
	if (lanes->state == LANES_ALONE)
		return true;
	return !lanes->round.takes_turns && !failed->failure.is_refusal &&
		   !out_of_room_is(&failed->failure.error);
}

/* Starts again after the last committed transaction. */
static void
begin_again(Lanes *lanes)
{
	ASSERT(all_idle(lanes));
	lanes->turns_taken = false;
	drop_committed(lanes);
	CHECK(!batch_is_empty(&lanes->batch));
	forget_round(lanes);
}

static MUST_CHECK Rc
recover(Lanes *lanes, Applier *failed, Error *err)
{
	bool changed;
	Rc rc;

	ASSERT(failed->failure.is_there);
	/* It failed after the last commit, so nothing has to be repeated. */
	if (committed_count(lanes) == lanes->batch.txn_count)
	{
		error_take(err, &failed->failure.error);
		return RC_FAIL;
	}
	rc = applier_refresh_tables(failed, lanes->round.tables, &lanes->refreshes,
								&changed, err);
	if (rc != RC_OK)
		return rc;
	if (changed)
	{
		begin_again(lanes);
		return start_together(lanes, err);
	}
	if (is_final(lanes, failed))
	{
		out_of_room_explain(lane_conn(failed->lane), &failed->failure.error);
		conflict_add_key(lane_conn(failed->lane), &failed->failure.change,
						 &failed->failure.error);
		error_take(err, &failed->failure.error);
		return RC_FAIL;
	}
	log_debug("apply", "%s: applying a transaction alone, in order: %s",
			  lanes->target->label, failed->failure.error.message);
	begin_again(lanes);
	set_state(lanes, LANES_ALONE);
	lanes->round.start_lsn = lanes->target->noted_lsn;
	return start_alone(lanes, true, 1, err);
}

static MUST_CHECK Rc
finish_round(Lanes *lanes, Error *err)
{
	Target *target = lanes->target;
	Applier *failed = find_failed(lanes);

	ASSERT(lanes->state != LANES_IDLE && all_idle(lanes));
	if (failed != NULL)
		return recover(lanes, failed, err);
	drop_committed(lanes);
	forget_round(lanes);
	if (target->orders->mode == SINK_STOPPING)
		batch_reset(&lanes->batch);
	if (!batch_is_empty(&lanes->batch))
	{
		CHECK(lanes->state == LANES_ALONE);
		return start_together(lanes, err);
	}
	set_state(lanes, LANES_IDLE);
	if (!lanes->round.asks || !lanes->round.takes_turns)
		return RC_OK;
	return applier_ask_position(lanes->members[0], target->noted_lsn,
								lanes->round.flushes, err);
}

/* ---- work --------------------------------------------------------------- */

static MUST_CHECK Rc
work_members(Lanes *lanes, int first, Error *err)
{
	for (int i = first; i < lanes->member_count; i++)
	{
		Rc rc;

		do
			rc = applier_work(lanes->members[i], err);
		while (rc == RC_OK);
		if (rc != RC_AGAIN)
			return rc;
	}
	return RC_OK;
}

/*
 * Stops all members after a failure, because they would only wait for the
 * failed one.
 */
static MUST_CHECK Rc
stop_if_needed(Lanes *lanes, Error *err)
{
	if (find_failed(lanes) == NULL &&
		lanes->target->orders->mode != SINK_STOPPING)
		return RC_OK;
	for (int i = 0; i < lanes->member_count; i++)
		applier_stop_txns(lanes->members[i]);
	return work_members(lanes, 0, err);
}

Rc
lanes_work(Lanes *lanes, Error *err)
{
	int first = lanes->state == LANES_IDLE ? 1 : 0; /* without the leader */
	Rc rc = work_members(lanes, first, err);

	if (rc == RC_OK && lanes->state == LANES_IDLE)
		return RC_AGAIN;
	if (rc == RC_OK)
		rc = stop_if_needed(lanes, err);
	if (rc != RC_OK)
		return rc;
	if (!all_idle(lanes))
		return RC_AGAIN;
	return finish_round(lanes, err);
}

void
lanes_interest(const Lanes *lanes, Interest *interest)
{
	for (int i = 1; i < lanes->member_count; i++)
		applier_interest(lanes->members[i], interest);
}
