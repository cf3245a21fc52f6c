/*
 * applier_txn.c
 *    Rounds in which each source transaction is a transaction of the target.
 *
 * All transactions are sent one after the other, without waiting:
 *
 *     BEGIN, rows, progress, COMMIT AND CHAIN, rows, progress, …, COMMIT, sync
 *
 * Each COMMIT AND CHAIN also begins the next transaction.  After a failure, the
 * server skips everything up to the sync, so nothing after the failure is
 * executed, and nothing before it is lost.  A statement moves progress only
 * from the end of the previous transaction.  This keeps the commits in order,
 * whatever the order in which connections are served.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "sink/postgres/apply/applier.h"
#include "sink/postgres/tables/current_check.h"

/*
 * Smallest number of inserts in a transaction for which COPY is used, although
 * it must wait for everything that was sent before.
 */
#define TXN_COPY_ROWS_MIN 1000

static MUST_CHECK Rc
send_fixed(Applier *self, FixedStatement which, Error *err)
{
	Expectation expectation = {.kind = EXPECT_DONE,
							   .rows_expected = -1,
							   .change_index = PLAN_NO_CHANGE};

	return lane_send_statement(self->lane, &self->fixed[which],
							   self->progress_params, &expectation, err);
}

/* ---- turns -------------------------------------------------------------- */

static void
add_turn(Params *params, uint32_t turn)
{
	uint8_t *bytes = arena_alloc(params->arena, sizeof(turn));

	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t) (turn >> (24 - 8 * i));
	params_add_bytes(params, TYPE_INT4, bytes, (int) sizeof(turn));
}

static void
build_turn_params(Applier *self, uint32_t turn)
{
	ASSERT(self->as_txns.round->takes_turns);
	params_reset(self->progress_params);
	add_turn(self->progress_params, (uint32_t) self->as_txns.round->turn_class);
	add_turn(self->progress_params, turn);
}

/*
 * Sends the statements that wait, on the target, until the previous turn has
 * ended, and take the next turn.
 */
static MUST_CHECK Rc
send_take_turn(Applier *self, uint32_t turn, Error *err)
{
	ASSERT(turn > 0);
	build_turn_params(self, turn - 1);
	add_turn(self->progress_params, turn + self->as_txns.round->turn_stride);
	return send_fixed(self, FIXED_TAKE_TURN, err);
}

static MUST_CHECK Rc
send_end_turn(Applier *self, uint32_t turn, Error *err)
{
	build_turn_params(self, turn);
	return send_fixed(self, FIXED_END_TURN, err);
}

/* ---- transactions ------------------------------------------------------- */

int64_t
applier_note_rows(Applier *self)
{
	const Step *step = &self->step;

	if (self->as_txns.round == NULL || step->rows_expected < 0)
		return step->rows_expected;
	if (step->statement == NULL || step->statement->check == CHECK_RESULT)
		self->as_txns.results_wanted = true;
	else if (step->statement->check == CHECK_COUNTED)
	{
		self->as_txns.rows_counted += step->rows_expected;

		/* The result of a statement for many rows is the number of rows. */
		if (step->rows_expected > 1)
			return -1;
	}
	return step->rows_expected;
}

Rc
applier_begin_txn(Applier *self, Error *err)
{
	const TxnRound *round = self->as_txns.round;
	size_t index = self->step.txn_index;

	ASSERT(round != NULL && index < self->batch->txn_count);
	self->as_txns.first = index;
	self->as_txns.rows_counted = 0;
	self->as_txns.results_wanted = false;
	self->as_txns.check_wanted = false;
	if (self->target->has_open_transactions)
	{
		Rc rc = applier_send_plain(self, target_lock_timeout_sql, EXPECT_DONE,
								   err);

		if (rc != RC_OK)
			return rc;
	}
	if (!round->takes_turns || round->depends[index] == 0)
		return RC_OK;
	build_turn_params(self, round->turn_first + round->depends[index] - 1);
	return send_fixed(self, FIXED_WAIT, err);
}

static MUST_CHECK Rc
send_progress(Applier *self, size_t index, Error *err)
{
	const BatchTxn *txns = self->batch->txns;
	size_t first = self->as_txns.first;
	size_t rows = batch_txn_end(self->batch, index) - txns[first].change_first;
	Lsn before = first > 0 ? txns[first - 1].txn.end_lsn
						   : self->as_txns.round->start_lsn;
	Expectation expectation = {.kind = EXPECT_PROGRESS,
							   .change_index = PLAN_NO_CHANGE};
	Statement *statement = self->step.statement;
	Params *params = self->params; /* follow those of the changes, if any */

	CHECK(first <= index && txns[index].complete);
	CHECK(txns[index].txn.end_lsn > before);
	if (statement == NULL)
	{
		params = self->progress_params;
		params_reset(params);
	}
	applier_add_progress(self, params, &txns[index].txn,
						 txns[index].txn.end_lsn, (int64_t) (index + 1 - first),
						 (int64_t) rows);
	params_add_number(params, TYPE_LSN, (int64_t) before);
	if (statement == NULL)
	{
		params_add_int8(params, self->as_txns.rows_counted);
		statement = &self->fixed[FIXED_PROGRESS_FROM];
	}
	return lane_send_statement(self->lane, statement, params, &expectation,
							   err);
}

static MUST_CHECK Rc
send_commit(Applier *self, size_t index, Error *err)
{
	Expectation expectation = {.kind = EXPECT_COMMIT,
							   .change_index = PLAN_NO_CHANGE,
							   .txn_first = self->as_txns.first,
							   .txn_index = index};
	FixedStatement which = self->step.last ? FIXED_COMMIT
										   : FIXED_COMMIT_AND_CHAIN;

	params_reset(self->progress_params);
	return lane_send_statement(self->lane, &self->fixed[which],
							   self->progress_params, &expectation, err);
}

/*
 * Sends the check that tables which were written to have not changed.  For
 * partitions, this is done only at the end of a batch.
 */
static MUST_CHECK Rc
send_check(Applier *self, size_t index, Error *err)
{
	const Batch *batch = self->batch;
	bool is_last = index + 1 == batch->txn_count;
	bool all = is_last && self->as_txns.round->has_partitioned;
	CurrentTables tables;

	ASSERT(self->as_txns.first <= index && index < batch->txn_count);
	if (!self->as_txns.check_wanted && !all)
		return RC_OK;
	tables = table_cache_of_changes(
		self->as_txns.round->tables, batch,
		all ? 0 : batch->txns[self->as_txns.first].change_first,
		batch_txn_end(batch, index));
	return applier_send_check(self, &tables, err);
}

Rc
applier_commit_txn(Applier *self, Error *err)
{
	const TxnRound *round = self->as_txns.round;
	size_t index = self->step.txn_index;
	uint32_t turn = round->turn_first + (uint32_t) index;
	bool is_last = index + 1 == self->batch->txn_count;
	Rc rc = RC_OK;

	ASSERT(round != NULL && index < self->batch->txn_count);
	CHECK(!self->failure.is_there);
	FAULT("apply.before_commit");
	if (round->takes_turns)
		rc = send_check(self, index, err);
	if (rc == RC_OK && round->takes_turns)
		rc = send_take_turn(self, turn, err);
	if (rc == RC_OK && is_last && round->flushes)
		rc = applier_send_plain(self, "SET LOCAL synchronous_commit = local",
								EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = send_progress(self, index, err);
	if (rc == RC_OK && !round->takes_turns)
		rc = send_check(self, index, err);
	if (rc == RC_OK)
		rc = send_commit(self, index, err);
	if (rc == RC_OK && round->takes_turns)
		rc = send_end_turn(self, turn, err);
	if (rc == RC_OK && self->step.last && round->asks && !round->takes_turns)
		rc = applier_send_question(self, self->batch->txns[index].txn.end_lsn,
								   is_last && round->flushes, err);
	FAULT("apply.commit_sent");
	return rc;
}

/* ---- rounds ------------------------------------------------------------- */

static MUST_CHECK Rc
set_up_conditions(Applier *self, Error *err)
{
	bool made;
	Rc rc = current_set_up(lane_conn(self->lane), &made, err);

	ASSERT(self->conditions == CONDITIONS_UNKNOWN);
	if (rc != RC_OK)
		return rc;
	self->conditions = made ? CONDITIONS_MADE : CONDITIONS_REFUSED;
	statement_cache_set_checking(self->statements, made);
	return RC_OK;
}

Rc
applier_start_txns(Applier *self, Batch *batch, const TxnRound *round,
				   const TxnSelection *selection, Error *err)
{
	PlanInput input = {.batch = batch,
					   .copy_rows_min = TXN_COPY_ROWS_MIN,
					   .statements = self->statements,
					   .lookup = table_cache_get,
					   .lookup_context = round->tables,
					   .independent_tables = self->target->independent_tables,
					   .pipeline = self->target->pipeline};
	Rc rc = RC_OK;

	ASSERT(self->state == APPLIER_IDLE && !self->txn_open);
	ASSERT(self->plan == NULL && self->as_txns.round == NULL);
	ASSERT(batch_is_empty(&self->own_batch));
	self->batch = batch;
	self->as_txns.round = round;
	self->as_txns.stopping = false;
	self->failure.is_there = false;
	self->as_txns.committed = 0;
	self->plan = plan_transactions_new(&input, selection);
	self->step_state = STEP_WANTED;
	statement_cache_set_counting(self->statements, true);
	if (self->conditions == CONDITIONS_UNKNOWN)
		rc = set_up_conditions(self, err);
	if (rc == RC_OK && statement_cache_wants_reset(self->statements))
		rc = applier_forget_statements(self, err);
	if (rc == RC_OK)
		rc = lane_enter_pipeline(self->lane, err);
	params_reset(self->progress_params);
	if (rc == RC_OK)
		rc = send_fixed(self, FIXED_BEGIN, err);
	self->txn_open = true;
	applier_set_state(self, APPLIER_SENDING);
	return rc;
}

void
applier_stop_txns(Applier *self)
{
	self->as_txns.stopping = self->as_txns.round != NULL;
}

/* Rolls back, and releases the locks that other appliers wait for. */
static MUST_CHECK Rc
undo(Applier *self, Error *err)
{
	Rc rc;

	ASSERT(self->as_txns.round != NULL);
	FAULT("apply.before_rollback");
	rc = pgconn_exec(lane_conn(self->lane), "ROLLBACK", NULL, err);
	if (rc == RC_OK && self->as_txns.round->takes_turns)
		rc = pgconn_exec(lane_conn(self->lane),
						 "SELECT pg_catalog.pg_advisory_unlock_all()", NULL,
						 err);

	/*
	 * After the failure, the server has skipped statements, including PREPARE.
	 */
	if (rc == RC_OK)
		rc = applier_forget_statements(self, err);
	return rc;
}

Rc
applier_end_txns(Applier *self, Error *err)
{
	Rc rc;

	ASSERT(self->as_txns.round != NULL);
	CHECK(self->failure.is_there || self->as_txns.stopping ||
		  self->step_state == STEPS_ENDED);
	rc = lane_leave_pipeline(self->lane, err);

	if (rc == RC_OK && (self->failure.is_there || self->as_txns.stopping))
		rc = undo(self, err);
	if (self->as_txns.committed > 0)
	{
		self->target->position_at_us = clock_monotonic_us();
		self->target->flush_checks = 0;
	}
	plan_free(self->plan);
	self->plan = NULL;
	self->as_txns.round = NULL;
	self->batch = &self->own_batch;
	self->txn_open = false;
	self->as_txns.stopping = false;
	applier_set_state(self, APPLIER_IDLE);
	return rc;
}
