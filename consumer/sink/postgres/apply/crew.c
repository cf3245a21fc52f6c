/*
 * crew.c
 *    Rounds of a crew.
 *
 *              ┌───────── the rest ──────────┐
 *              ▼                             │
 *   IDLE ──► TOGETHER ── somebody failed ──► ALONE
 *    ▲         │                             │
 *    │         ▼ all is committed            │
 *    └─────────┴─────────────────────────────┘
 *
 *   TOGETHER   each applier is at work on its transactions, or has finished, or
 *              has failed
 *   ALONE      the leader applies the batch's first transaction in order
 *
 * Where the target's log is, is asked every now and then: by a leader that is
 * alone in a round together with the last commit, otherwise after it.
 */
#include "sink/postgres/apply/crew.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "sink/postgres/apply/out_of_room.h"
#include "sink/postgres/plan/dependencies.h"

/* Turns after which they start again, long before their numbers overflow. */
#define TURNS_MAX (1 << 30)

typedef enum CrewState
{
	CREW_IDLE,
	CREW_TOGETHER,
	CREW_ALONE,
} CrewState;

struct Crew
{
	Target *target;
	Applier *members[LANES_MAX]; /* the first is the leader */
	int member_count;
	CrewState state;
	Batch batch; /* empty in CREW_IDLE */
	TxnRound round;
	uint32_t turn_next; /* of the next transaction */
	int refreshes;      /* of the batch's tables; see recover() */
	bool turns_taken;   /* each member holds the lock of its next turn */
	Dependencies *dependencies;
};

Crew *
crew_new(Target *target, Applier *leader)
{
	Crew *crew = xcalloc(1, sizeof(Crew));

	crew->target = target;
	crew->members[0] = leader;
	crew->member_count = 1;
	crew->dependencies = dependencies_new();
	return crew;
}

void
crew_free(Crew *crew)
{
	if (crew == NULL)
		return;
	for (int i = 1; i < crew->member_count; i++)
	{
		applier_release(crew->members[i]);
		free(crew->members[i]);
	}
	batch_release(&crew->batch);
	dependencies_free(crew->dependencies);
	free(crew);
}

void
crew_add(Crew *crew, PgConn *conn)
{
	Applier *member = xcalloc(1, sizeof(Applier));

	ASSERT(crew->member_count < LANES_MAX);
	applier_init(member, crew->target, conn);
	crew->members[crew->member_count++] = member;
}

/* Again TOGETHER: a table was altered, or the rest begins. */
static const unsigned states_after[] = {
	[CREW_IDLE] = 1U << CREW_TOGETHER,
	[CREW_TOGETHER] = 1U << CREW_TOGETHER | 1U << CREW_ALONE | 1U << CREW_IDLE,
	[CREW_ALONE] = 1U << CREW_TOGETHER | 1U << CREW_IDLE,
};

static void
set_state(Crew *crew, CrewState state)
{
	CHECK((states_after[crew->state] & (1U << state)) != 0);
	CHECK(state != CREW_IDLE || batch_is_empty(&crew->batch));
	crew->state = state;
}

bool
crew_is_idle(const Crew *crew)
{
	return crew->state == CREW_IDLE;
}

size_t
crew_bytes(const Crew *crew)
{
	return crew->batch.bytes;
}

/* ---- turns -------------------------------------------------------------- */

/*
 * The first part of the locks' keys.  Applications have advisory locks of their
 * own: a number that nobody else is likely to use, and that a predecessor,
 * whose sessions may still be there, did not have.
 */
static int32_t
turn_class(const Target *target)
{
	uint64_t hash = hash_text(HASH_START, target->pipeline);

	hash = hash_number(hash, (uint64_t) target->lease_token);
	return (int32_t) (uint32_t) (hash ^ (hash >> 32));
}

static Applier *
member_of_turn(Crew *crew, uint32_t turn)
{
	return crew->members[turn % (uint32_t) crew->member_count];
}

/* Each member takes the lock of its next turn.  Waits for the target. */
static MUST_CHECK Rc
take_turns(Crew *crew, Error *err)
{
	if (crew->turns_taken && crew->turn_next < TURNS_MAX)
		return RC_OK;
	crew->turn_next = (uint32_t) crew->member_count;
	for (int i = 0; i < crew->member_count; i++)
	{
		uint32_t turn = crew->turn_next + (uint32_t) i;
		Applier *member = member_of_turn(crew, turn);
		char sql[120];
		Rc rc;

		snprintf(sql, sizeof(sql),
				 "SELECT pg_catalog.pg_advisory_unlock_all();"
				 "SELECT pg_catalog.pg_advisory_lock(%d, %d)",
				 turn_class(crew->target), (int) turn);
		rc = pgconn_exec(lane_conn(member->lane), sql, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	crew->turns_taken = true;
	return RC_OK;
}

/* ---- starting ----------------------------------------------------------- */

static MUST_CHECK Rc
start_alone(Crew *crew, bool in_order, size_t end, Error *err)
{
	TxnSelection selection = {
		.stride = 1,
		.end = end,
		.may_fold = !in_order && crew->target->independent_tables,
		.may_compose = !in_order && crew->target->independent_tables,
		.moves_progress = true,
		.joined = !in_order && !crew->target->per_transaction};

	crew->round.takes_turns = false;
	return applier_start_txns(crew->members[0], &crew->batch, &crew->round,
							  &selection, err);
}

static MUST_CHECK Rc
start_members(Crew *crew, Error *err)
{
	size_t count = crew->batch.txn_count;
	uint32_t stride = (uint32_t) crew->member_count;
	Rc rc = take_turns(crew, err);

	crew->round.takes_turns = true;
	crew->round.turn_class = turn_class(crew->target);
	crew->round.turn_first = crew->turn_next;
	crew->round.turn_stride = stride;
	crew->round.depends = dependencies_find(crew->dependencies, &crew->batch,
											table_cache_get, crew->round.tables,
											(size_t) stride);
	for (uint32_t i = 0; rc == RC_OK && i < stride && i < count; i++)
	{
		TxnSelection selection = {
			.first = i,
			.stride = stride,
			.end = count,
			.may_fold = true,
			.may_compose = true,
		};

		rc = applier_start_txns(member_of_turn(crew, crew->turn_next + i),
								&crew->batch, &crew->round, &selection, err);
	}
	crew->turn_next += (uint32_t) count;
	return rc;
}

/* Few transactions are not worth a round of turns, and tables that depend on
 * each other are not for several at once. */
static bool
is_worth_sharing(const Crew *crew)
{
	return crew->member_count > 1 && crew->target->independent_tables &&
		   crew->batch.txn_count >= (size_t) crew->member_count;
}

static bool
has_partitioned(const Crew *crew)
{
	const CurrentTables tables = table_cache_of_changes(
		crew->round.tables, &crew->batch, 0, crew->batch.change_count);

	for (size_t i = 0; i < tables.count; i++)
		if (tables.tables[i]->is_partitioned)
			return true;
	return false;
}

static MUST_CHECK Rc
start_together(Crew *crew, Error *err)
{
	set_state(crew, CREW_TOGETHER);
	crew->round.has_partitioned = has_partitioned(crew);
	crew->round.start_lsn = crew->target->noted_lsn;
	if (is_worth_sharing(crew))
		return start_members(crew, err);
	return start_alone(crew, false, crew->batch.txn_count, err);
}

Rc
crew_start(Crew *crew, Batch *batch, Error *err)
{
	Batch emptied = crew->batch;
	Rc rc;

	ASSERT(crew->state == CREW_IDLE && batch_is_empty(&crew->batch));
	set_state(crew, CREW_TOGETHER); /* also if it fails: there is a batch */
	crew->batch = *batch;
	*batch = emptied;
	batch_split_incomplete(&crew->batch, batch);
	crew->round.flushes = target_must_flush(crew->target);
	crew->round.asks = crew->round.flushes ||
					   clock_monotonic_us() >=
						   target_next_check_us(crew->target);
	crew->round.tables = crew->members[0]->tables;
	crew->refreshes = 0;
	rc = table_cache_prepare(crew->round.tables,
							 lane_conn(crew->members[0]->lane), &crew->batch,
							 err);
	return rc == RC_OK ? start_together(crew, err) : rc;
}

/* ---- the end of a round ------------------------------------------------- */

static bool
all_idle(const Crew *crew)
{
	for (int i = 0; i < crew->member_count; i++)
		if (crew->members[i]->state != APPLIER_IDLE)
			return false;
	return true;
}

/* Somebody who failed; NULL: nobody did. */
static Applier *
find_failed(Crew *crew)
{
	for (int i = 0; i < crew->member_count; i++)
		if (crew->members[i]->failure.is_there)
			return crew->members[i];
	return NULL;
}

static size_t
committed_count(const Crew *crew)
{
	size_t count = 0;

	for (int i = 0; i < crew->member_count; i++)
		if (crew->members[i]->as_txns.committed > count)
			count = crew->members[i]->as_txns.committed;
	return count;
}

/* Lets go of what is committed. */
static void
drop_committed(Crew *crew)
{
	size_t count = committed_count(crew);

	CHECK(count == 0 ||
		  crew->target->noted_lsn >= crew->batch.txns[count - 1].txn.end_lsn);
	batch_drop(&crew->batch, count);
}

static void
forget_round(Crew *crew)
{
	for (int i = 0; i < crew->member_count; i++)
	{
		/* Each has given back what it was given. */
		ASSERT(crew->members[i]->state == APPLIER_IDLE);
		ASSERT(crew->members[i]->as_txns.round == NULL &&
			   !crew->members[i]->txn_open);
		crew->members[i]->failure.is_there = false;
		crew->members[i]->as_txns.committed = 0;
		error_reset(&crew->members[i]->failure.error);
	}
}

/* A row that was refused to one that was alone, and what is not about a row,
 * nor about how much it was, where nobody else can be the cause. */
static bool
is_final(const Crew *crew, const Applier *failed)
{
	if (crew->state == CREW_ALONE)
		return true;
	return !crew->round.takes_turns && !failed->failure.is_refusal &&
		   !out_of_room_is(&failed->failure.error);
}

/* Everything behind what is committed starts again. */
static void
begin_again(Crew *crew)
{
	crew->turns_taken = false;
	drop_committed(crew);
	CHECK(!batch_is_empty(&crew->batch));
	forget_round(crew);
}

static MUST_CHECK Rc
recover(Crew *crew, Applier *failed, Error *err)
{
	bool changed;
	Rc rc;

	/* It failed behind the last commit: nothing is left to be done again. */
	if (committed_count(crew) == crew->batch.txn_count)
	{
		error_take(err, &failed->failure.error);
		return RC_FAIL;
	}
	rc = applier_refresh_tables(failed, crew->round.tables, &crew->refreshes,
								&changed, err);
	if (rc != RC_OK)
		return rc;
	if (changed)
	{
		begin_again(crew);
		return start_together(crew, err);
	}
	if (is_final(crew, failed))
	{
		out_of_room_explain(lane_conn(failed->lane), &failed->failure.error);
		conflict_add_key(lane_conn(failed->lane), &failed->failure.change,
						 &failed->failure.error);
		error_take(err, &failed->failure.error);
		return RC_FAIL;
	}
	log_debug("apply", "%s: applying a transaction alone, in order: %s",
			  crew->target->label, failed->failure.error.message);
	begin_again(crew);
	set_state(crew, CREW_ALONE);
	crew->round.start_lsn = crew->target->noted_lsn;
	return start_alone(crew, true, 1, err);
}

static MUST_CHECK Rc
finish_round(Crew *crew, Error *err)
{
	Target *target = crew->target;
	Applier *failed = find_failed(crew);

	if (failed != NULL)
		return recover(crew, failed, err);
	drop_committed(crew);
	forget_round(crew);
	if (target->sink->mode == SINK_STOPPING)
		batch_reset(&crew->batch);
	if (!batch_is_empty(&crew->batch))
	{
		CHECK(crew->state == CREW_ALONE);
		return start_together(crew, err);
	}
	set_state(crew, CREW_IDLE);
	if (!crew->round.asks || !crew->round.takes_turns)
		return RC_OK;
	return applier_ask_position(crew->members[0], target->noted_lsn,
								crew->round.flushes, err);
}

/* ---- work --------------------------------------------------------------- */

static MUST_CHECK Rc
work_members(Crew *crew, int first, Error *err)
{
	for (int i = first; i < crew->member_count; i++)
	{
		Rc rc;

		do
			rc = applier_work(crew->members[i], err);
		while (rc == RC_OK);
		if (rc != RC_AGAIN)
			return rc;
	}
	return RC_OK;
}

/* Whoever goes on after a failure would only wait for the one that failed. */
static MUST_CHECK Rc
stop_if_needed(Crew *crew, Error *err)
{
	if (find_failed(crew) == NULL && crew->target->sink->mode != SINK_STOPPING)
		return RC_OK;
	for (int i = 0; i < crew->member_count; i++)
		applier_stop_txns(crew->members[i]);
	return work_members(crew, 0, err);
}

Rc
crew_work(Crew *crew, Error *err)
{
	int first = crew->state == CREW_IDLE ? 1 : 0; /* not the leader */
	Rc rc = work_members(crew, first, err);

	if (rc == RC_OK && crew->state == CREW_IDLE)
		return RC_AGAIN;
	if (rc == RC_OK)
		rc = stop_if_needed(crew, err);
	if (rc != RC_OK)
		return rc;
	if (!all_idle(crew))
		return RC_AGAIN;
	return finish_round(crew, err);
}

void
crew_interest(const Crew *crew, SinkInterest *interest)
{
	for (int i = 1; i < crew->member_count; i++)
		applier_interest(crew->members[i], interest);
}
