/*
 * applier.c
 *    The states of an applier.
 */
#include "sink/postgres/apply/applier.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "control/moved_table.h"
#include "control/progress_table.h"
#include "sink/postgres/apply/out_of_room.h"

/* Smallest number of changes of a batch that is folded. */
#define FOLD_CHANGES_MIN 8

/* Smallest number of inserts in a table for which COPY is used. */
#define COPY_ROWS_MIN 50

/*
 * Largest number of attempts for a batch whose tables are altered all the time.
 */
#define REFRESHES_MAX 10

/* Bytes of COPY data that libpq may buffer before it must flush. */
#define COPY_BUFFER_MAX (4 * PLAN_STATEMENT_BYTES)

/* ---- states ------------------------------------------------------------- */

#define BIT(state) (1U << (state))

/*
 * States that may follow each state.  After a failure, the end of a round leads
 * to the next round, and so from COMMITTING to SENDING.
 */
static const unsigned states_after[] = {
	[APPLIER_IDLE] = BIT(APPLIER_SENDING) | BIT(APPLIER_COMMITTING) |
					 BIT(APPLIER_CHECKING_FLUSH) | BIT(APPLIER_FETCHING),
	[APPLIER_SENDING] = BIT(APPLIER_DRAINING),
	[APPLIER_DRAINING] = BIT(APPLIER_SENDING) | BIT(APPLIER_COPYING) |
						 BIT(APPLIER_COMMITTING) | BIT(APPLIER_IDLE),
	[APPLIER_COPYING] = BIT(APPLIER_SENDING),
	[APPLIER_COMMITTING] = BIT(APPLIER_SENDING) | BIT(APPLIER_IDLE),
	[APPLIER_CHECKING_FLUSH] = BIT(APPLIER_IDLE),
	[APPLIER_FETCHING] = BIT(APPLIER_IDLE),
};

void
applier_set_state(Applier *self, ApplierState state)
{
	CHECK((states_after[self->state] & BIT(state)) != 0);
	self->state = state;
}

/* ---- sending ------------------------------------------------------------ */

Rc
applier_send_plain(Applier *self, const char *sql, ExpectationKind kind,
				   Error *err)
{
	Expectation expectation = {.kind = (int) kind,
							   .rows_expected = -1,
							   .change_index = PLAN_NO_CHANGE};

	return lane_send_sql(self->lane, sql, &expectation, err);
}

Rc
applier_send_check(Applier *self, const CurrentTables *tables, Error *err)
{
	Expectation expectation = {.kind = EXPECT_CURRENT,
							   .rows_expected = -1,
							   .change_index = PLAN_NO_CHANGE};

	if (tables->count == 0)
		return RC_OK;
	params_reset(self->progress_params);
	current_add_params(self->progress_params, tables);
	return lane_send_statement(self->lane, &self->fixed[FIXED_CURRENT],
							   self->progress_params, &expectation, err);
}

static MUST_CHECK Rc
send_step(Applier *self, Error *err)
{
	Expectation expectation = {
		.kind = EXPECT_ROWS,
		.rows_expected = applier_note_rows(self),
		.change_index = self->step.change_index,
		.table = self->step.table,
	};

	ASSERT(self->step_state == STEP_TAKEN);
	FAULT("apply.before_statement");
	self->step_state = STEP_WANTED;
	if (self->step.statement == NULL || !self->step.statement->checked)
		self->as_txns.check_wanted = true;
	if (self->step.kind == STEP_TXN)
		return applier_begin_txn(self, err);
	if (self->step.kind == STEP_COMMIT)
		return applier_commit_txn(self, err);
	if (self->step.kind == STEP_SETTLE)
		expectation.kind = EXPECT_SETTLED;
	if (self->step.statement == NULL)
		return lane_send_sql(self->lane, self->step.sql, &expectation, err);
	return lane_send_statement(self->lane, self->step.statement, self->params,
							   &expectation, err);
}

/* Requests the next step from the plan, unless one waits to be sent. */
static void
take_step(Applier *self)
{
	if (self->step_state != STEP_WANTED)
		return;
	ASSERT(self->plan != NULL);
	params_reset(self->params);
	plan_next(self->plan, self->params, &self->step);
	self->step_state = self->step.kind == STEP_END ? STEPS_ENDED : STEP_TAKEN;
}

static bool
must_stop(const Applier *self)
{
	return self->failure.is_there || self->as_txns.stopping;
}

/* Whether all results must have been received before the next step is sent. */
static bool
must_drain(const Applier *self)
{
	return self->step.kind == STEP_COPY ||
		   (self->step.kind == STEP_COMMIT && self->as_txns.results_wanted);
}

/* Sends steps until the socket is full, a COPY is next, or the plan ends. */
static MUST_CHECK Rc
send_steps(Applier *self, Error *err)
{
	ASSERT(self->state == APPLIER_SENDING);
	while (!lane_is_blocked(self->lane) && !must_stop(self))
	{
		Rc rc;

		take_step(self);
		if (self->step_state == STEPS_ENDED || must_drain(self))
			break;
		rc = send_step(self, err);
		if (rc != RC_OK)
			return rc;
	}
	if (lane_is_blocked(self->lane) && !must_stop(self))
		return lane_flush(self->lane, err);
	if (self->step_state == STEPS_ENDED && self->as_txns.round == NULL &&
		!self->failure.is_there)
	{
		CurrentTables tables = table_cache_all(self->tables);
		Rc rc = applier_send_check(self, &tables, err);

		if (rc != RC_OK)
			return rc;
	}
	applier_set_state(self, APPLIER_DRAINING);
	return lane_send_sync(self->lane, err);
}

/* ---- starting a batch --------------------------------------------------- */

/* Sends BEGIN, with the lock_timeout of target.h. */
static MUST_CHECK Rc
send_begin(Applier *self, Error *err)
{
	Rc rc = applier_send_plain(self, "BEGIN", EXPECT_DONE, err);

	ASSERT(!self->txn_open);
	if (rc == RC_OK && self->target->has_open_transactions)
		rc = applier_send_plain(self, target_lock_timeout_sql, EXPECT_DONE,
								err);
	return rc;
}

static MUST_CHECK Rc
make_plan(Applier *self, bool folded, Error *err)
{
	PlanInput input = {
		.batch = self->batch,
		.change_end = batch_txn_end(self->batch, self->as_batch.txn_end - 1),
		.copy_rows_min = COPY_ROWS_MIN,
		.statements = self->statements,
		.lookup = table_cache_get,
		.lookup_context = self->tables,
		.independent_tables = self->target->independent_tables,
		.pipeline = self->target->pipeline};
	Rc rc = RC_OK;

	ASSERT(self->as_batch.txn_end > 0 &&
		   self->as_batch.txn_end <= self->batch->txn_count);
	ASSERT(!self->failure.is_there);
	plan_free(self->plan);
	self->plan = folded ? plan_folded_new(&input) : plan_ordered_new(&input);
	self->as_batch.folded = folded;
	self->step_state = STEP_WANTED;
	self->as_batch.savepoint_set = false;
	rc = lane_enter_pipeline(self->lane, err);
	if (rc == RC_OK && !self->txn_open)
		rc = send_begin(self, err);
	else if (rc == RC_OK)
		rc = applier_send_plain(self, "SAVEPOINT penstock", EXPECT_SAVEPOINT,
								err);
	self->txn_open = true;
	applier_set_state(self, APPLIER_SENDING);
	return rc;
}

/*
 * Deallocates all prepared statements; only between the steps of transactions.
 */
Rc
applier_forget_statements(Applier *self, Error *err)
{
	ASSERT(lane_is_empty(self->lane));
	statement_cache_reset(self->statements);
	for (int i = 0; i < FIXED_COUNT; i++)
		self->fixed[i].prepared = false;
	return pgconn_exec(lane_conn(self->lane), "DEALLOCATE ALL", NULL, err);
}

void
applier_forget_table(Applier *self, const char *schema, const char *name)
{
	CHECK(self->state == APPLIER_IDLE && lane_is_empty(self->lane));
	CHECK(self->plan == NULL && self->fetches == NULL);
	self->step = (Step){0};
	self->failure.change = (ConflictChange){0};
	table_cache_forget(self->tables, schema, name);
	statement_cache_set_stale(self->statements);
}

/*
 * Whether a batch is folded (plan_folded.c).  A batch with few changes is sent
 * change by change, unless they are large.
 */
static bool
is_worth_folding(const Applier *self, const Batch *batch)
{
	return self->target->independent_tables &&
		   (batch->change_count >= FOLD_CHANGES_MIN ||
			batch->bytes >= BATCH_BYTES_MIN);
}

Rc
applier_start(Applier *self, Batch *batch, Error *err)
{
	Batch emptied = self->own_batch;
	Rc rc = RC_OK;

	ASSERT(self->state == APPLIER_IDLE && batch_is_empty(&self->own_batch));
	ASSERT(!batch_is_empty(batch));
	self->own_batch = *batch;
	*batch = emptied;
	if (self->target->per_transaction && self->batch->txn_count > 1)
		batch_split(self->batch, 1, batch);
	else
		batch_split_incomplete(self->batch, batch);
	batch_continue(self->batch, batch);
	self->as_batch.txn_end = self->batch->txn_count;
	self->as_batch.refreshes = 0;
	statement_cache_set_counting(self->statements, false);
	if (statement_cache_wants_reset(self->statements))
		rc = applier_forget_statements(self, err);
	if (rc == RC_OK)
		rc = table_cache_prepare(self->tables, lane_conn(self->lane),
								 self->batch, err);
	if (rc == RC_OK)
		rc = make_plan(self, is_worth_folding(self, self->batch), err);
	return rc;
}

/* ---- rounds ------------------------------------------------------------- */

/*
 * Returns to APPLIER_IDLE; after a part of a large transaction, it stays open.
 */
static MUST_CHECK Rc
finish_round(Applier *self, Error *err)
{
	Rc rc = lane_leave_pipeline(self->lane, err);

	/*
	 * The batch may only be freed when the target has it: committed, or in the
	 * open transaction.
	 */
	CHECK(self->state != APPLIER_COMMITTING || self->commit.is_done);
	CHECK(self->state == APPLIER_COMMITTING || batch_is_empty(self->batch) ||
		  self->txn_open);
	plan_free(self->plan);
	self->plan = NULL;
	self->as_batch.folded = false;
	batch_reset(self->batch);
	applier_set_state(self, APPLIER_IDLE);
	return rc;
}

/* Rolls back everything that the batch has done. */
static MUST_CHECK Rc
undo_batch(Applier *self, Error *err)
{
	Rc rc;

	CHECK(self->failure.is_there && self->txn_open);
	rc = lane_leave_pipeline(self->lane, err);

	FAULT("apply.before_rollback");
	if (rc == RC_OK)
		rc = pgconn_exec(lane_conn(self->lane),
						 self->as_batch.savepoint_set
							 ? "ROLLBACK TO SAVEPOINT penstock"
							 : "ROLLBACK",
						 NULL, err);
	if (rc == RC_OK && self->as_batch.savepoint_set)
		rc = pgconn_exec(lane_conn(self->lane), "RELEASE SAVEPOINT penstock",
						 NULL, err);
	self->txn_open = self->as_batch.savepoint_set;

	/*
	 * After the failure, the server has skipped statements, including PREPARE.
	 */
	if (rc == RC_OK)
		rc = applier_forget_statements(self, err);
	return rc;
}

/*
 * Limits the batch to the transactions before the one that was refused, which
 * are complete and can be applied.  Returns false if there are none.
 */
static bool
keep_transactions_before(Applier *self)
{
	Batch *batch = self->batch;
	size_t txn_index;

	ASSERT(self->failure.index == PLAN_NO_CHANGE ||
		   self->failure.index < batch->change_count);
	if (self->failure.index == PLAN_NO_CHANGE ||
		self->as_batch.stop.code != ERR_NONE ||
		error_is_transient(&self->failure.error) ||
		(batch->continues && !self->as_batch.savepoint_set))
		return false;
	txn_index = batch_change_txn_index(batch, self->failure.index);
	if (txn_index == 0)
		return false;
	batch_truncate(batch, txn_index);
	self->as_batch.txn_end = txn_index;
	error_take(&self->as_batch.stop, &self->failure.error);
	return true;
}

/*
 * Limits the batch to half of its transactions, because the target has too
 * little memory or locks; the next batches get fewer tables.  Returns false if
 * there is only one transaction.
 */
static bool
take_less(Applier *self)
{
	Target *target = self->target;
	size_t relations = self->batch->relation_count;

	ASSERT(self->as_batch.txn_end > 0);
	if (!out_of_room_is(&self->failure.error) ||
		self->as_batch.stop.code != ERR_NONE)
		return false;
	if (self->as_batch.txn_end == 1)
	{
		out_of_room_explain(lane_conn(self->lane), &self->failure.error);
		return false;
	}
	log_debug("apply", "%s is out of room for %zu transactions in one: %s",
			  target->label, self->as_batch.txn_end,
			  self->failure.error.message);
	self->as_batch.txn_end /= 2;
	if (relations / 2 < target->relations_max)
		target->relations_max = relations / 2 > 0 ? relations / 2 : 1;
	return true;
}

Rc
applier_refresh_tables(Applier *self, TableCache *tables, int *refreshes,
					   bool *changed, Error *err)
{
	const Error *failure = &self->failure.error;
	Rc rc;

	ASSERT(*refreshes >= 0 && *refreshes <= REFRESHES_MAX);
	*changed = false;
	if (*refreshes >= REFRESHES_MAX ||
		(error_is_transient(failure) && failure->code != ERR_CHANGED))
		return RC_OK;
	rc = table_cache_refresh(tables, lane_conn(self->lane), changed, err);
	if (rc == RC_OK && *changed)
	{
		++*refreshes;
		log_info("apply", "%s: a table was altered; applying again: %s",
				 self->target->label, failure->message);
	}
	return rc;
}

/*
 * Continues after a round with a failure.  The first part of a large
 * transaction can be repeated; a later part cannot if earlier parts were rolled
 * back with it.  Nothing is repeated if the commit succeeded and only the query
 * after it failed, or if there is no batch.
 */
static MUST_CHECK Rc
recover(Applier *self, Error *err)
{
	bool can_redo;
	bool changed = false;
	Rc rc;

	ASSERT(self->failure.is_there);
	if ((self->state == APPLIER_COMMITTING && self->commit.is_done) ||
		batch_is_empty(self->batch))
	{
		error_take(err, &self->failure.error);
		return RC_FAIL;
	}

	/* A failed commit has ended the transaction, and its savepoint. */
	if (self->state == APPLIER_COMMITTING)
		self->as_batch.savepoint_set = false;
	can_redo = !self->batch->continues || self->as_batch.savepoint_set;
	rc = undo_batch(self, err);
	plan_free(self->plan);
	self->plan = NULL;
	if (rc == RC_OK && can_redo)
		rc = applier_refresh_tables(self, self->tables,
									&self->as_batch.refreshes, &changed, err);
	if (rc != RC_OK)
		return rc;
	self->failure.is_there = false;
	if (changed || take_less(self))
	{
		error_reset(&self->failure.error);
		return make_plan(self, is_worth_folding(self, self->batch), err);
	}
	if (!can_redo || !self->as_batch.folded || !self->failure.is_refusal)
	{
		conflict_add_key(lane_conn(self->lane), &self->failure.change,
						 &self->failure.error);
		if (keep_transactions_before(self))
			return make_plan(self, false, err);
		error_take(err, &self->failure.error);
		return RC_FAIL;
	}
	self->target->report->replays++;
	log_debug("apply",
			  "%s refused a batch of %zu changes as a whole, applying it in "
			  "order: %s",
			  self->target->label, self->batch->change_count,
			  self->failure.error.message);
	error_reset(&self->failure.error);
	return make_plan(self, false, err);
}

/* Whether only the first transactions of the batch were applied. */
static bool
has_rest(const Applier *self)
{
	return self->state == APPLIER_COMMITTING && !batch_is_empty(self->batch) &&
		   self->as_batch.txn_end < self->batch->txn_count;
}

/* Continues with as many transactions as before. */
static MUST_CHECK Rc
start_rest(Applier *self, Error *err)
{
	Rc rc = lane_leave_pipeline(self->lane, err);

	if (rc != RC_OK)
		return rc;
	CHECK(self->commit.is_done);
	plan_free(self->plan);
	self->plan = NULL;
	batch_drop(self->batch, self->as_batch.txn_end);
	CHECK(!batch_is_empty(self->batch));
	if (self->as_batch.txn_end > self->batch->txn_count)
		self->as_batch.txn_end = self->batch->txn_count;
	return make_plan(self, is_worth_folding(self, self->batch), err);
}

/* Called when all results of a round were received. */
static MUST_CHECK Rc
round_is_over(Applier *self, Error *err)
{
	const Batch *batch = self->batch;

	ASSERT(lane_is_empty(self->lane));
	if (self->state == APPLIER_FETCHING)
		return applier_end_fetch(self, err);
	if (self->as_txns.round != NULL &&
		(must_stop(self) || self->step_state == STEPS_ENDED))
		return applier_end_txns(self, err);
	if (self->failure.is_there)
		return recover(self, err);
	if (self->state == APPLIER_COMMITTING ||
		self->state == APPLIER_CHECKING_FLUSH)
	{
		applier_note_round(self);
		if (self->as_batch.stop.code != ERR_NONE)
		{
			error_take(err, &self->as_batch.stop);
			return RC_FAIL;
		}
		if (has_rest(self))
			return start_rest(self, err);
		return finish_round(self, err);
	}
	self->as_txns.results_wanted = false;
	if (self->step_state == STEP_TAKEN && self->step.kind == STEP_COPY)
		return applier_start_copy(self, err);
	if (self->step_state != STEPS_ENDED)
	{
		applier_set_state(self, APPLIER_SENDING);
		return RC_OK;
	}
	if (batch->txns[self->as_batch.txn_end - 1].complete)
		return applier_commit_batch(self, err);
	if (self->as_batch.savepoint_set)
	{
		Rc rc = lane_leave_pipeline(self->lane, err);

		if (rc == RC_OK)
			rc = pgconn_exec(lane_conn(self->lane),
							 "RELEASE SAVEPOINT penstock", NULL, err);
		if (rc == RC_OK)
			rc = lane_enter_pipeline(self->lane, err);
		if (rc != RC_OK)
			return rc;
	}
	ASSERT(self->as_batch.txn_end == batch->txn_count);
	self->open_rows += (int64_t) batch->change_count;
	return finish_round(self, err);
}

/* ---- work --------------------------------------------------------------- */

/* Detects that the connection was lost while no statement was running. */
static MUST_CHECK Rc
listen_idle(Applier *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);

	if (!PQconsumeInput(pgconn_raw(conn)))
		return pgconn_connection_error(conn, "lost the connection to", err);
	return RC_AGAIN;
}

Rc
applier_work(Applier *self, Error *err)
{
	Rc rc;

	switch (self->state)
	{
		case APPLIER_IDLE:
			return listen_idle(self, err);
		case APPLIER_COPYING:
			return applier_work_copy(self, err);
		case APPLIER_SENDING:
			rc = applier_receive_results(self, err);
			if (rc == RC_FAIL)
				return rc;
			rc = lane_flush(self->lane, err);
			if (rc != RC_OK || lane_is_blocked(self->lane))
				return rc == RC_OK ? RC_AGAIN : rc;
			return send_steps(self, err);
		case APPLIER_DRAINING:
		case APPLIER_COMMITTING:
		case APPLIER_CHECKING_FLUSH:
		case APPLIER_FETCHING:
			rc = lane_flush(self->lane, err);
			if (rc == RC_OK)
				rc = applier_receive_results(self, err);
			return rc == RC_END ? round_is_over(self, err) : rc;
	}
	return RC_AGAIN;
}

void
applier_interest(const Applier *self, Interest *interest)
{
	int fd = PQsocket(pgconn_raw(lane_conn(self->lane)));
	int events = POLLIN | (lane_wants_write(self->lane) ? POLLOUT : 0);

	interest_add(interest, fd, (short) events);
}

Rc
applier_roll_back(Applier *self, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(self->state == APPLIER_IDLE);
	if (self->txn_open)
		rc = pgconn_exec(lane_conn(self->lane), "ROLLBACK", NULL, err);
	if (rc == RC_OK)
		self->txn_open = false;
	self->open_rows = 0;
	return rc;
}

Rc
applier_begin(Applier *self, Error *err)
{
	Rc rc;

	ASSERT(self->state == APPLIER_IDLE && !self->txn_open);
	rc = pgconn_exec(lane_conn(self->lane), "BEGIN", NULL, err);
	if (rc == RC_OK)
		rc = pgconn_exec(lane_conn(self->lane), target_lock_timeout_sql, NULL,
						 err);
	self->txn_open = rc == RC_OK;
	self->open_rows = 0;
	return rc;
}

static MUST_CHECK Rc
exec_savepoint(Applier *self, const char *command, uint32_t number, Error *err)
{
	char sql[64];

	ASSERT(self->state == APPLIER_IDLE && self->txn_open);
	snprintf(sql, sizeof(sql), "%s SAVEPOINT penstock_%" PRIu32, command,
			 number);
	return pgconn_exec(lane_conn(self->lane), sql, NULL, err);
}

Rc
applier_set_savepoint(Applier *self, uint32_t number, Error *err)
{
	return exec_savepoint(self, "", number, err);
}

Rc
applier_release_savepoint(Applier *self, uint32_t number, Error *err)
{
	return exec_savepoint(self, "RELEASE", number, err);
}

Rc
applier_roll_back_to(Applier *self, uint32_t number, int64_t open_rows,
					 Error *err)
{
	self->open_rows = open_rows;
	return exec_savepoint(self, "ROLLBACK TO", number, err);
}

/* ---- life cycle --------------------------------------------------------- */

static const Statement fixed_statements[FIXED_COUNT] = {
	[FIXED_PROGRESS] = {.name = "penstock_progress",
						.sql = progress_table_advance_sql},
	[FIXED_PROGRESS_FROM] = {.name = "penstock_progress_from",
							 .sql = progress_table_advance_from_sql},
	[FIXED_POSITION] = {.name = "penstock_position",
						.sql = "SELECT pg_catalog.pg_current_wal_insert_lsn(),"
							   " pg_catalog.pg_current_wal_flush_lsn(),"
							   " pg_catalog.pg_backend_pid()"},
	[FIXED_BEGIN] = {.name = "penstock_begin", .sql = "BEGIN"},
	[FIXED_COMMIT] = {.name = "penstock_commit", .sql = "COMMIT"},
	[FIXED_COMMIT_AND_CHAIN] = {.name = "penstock_chain",
								.sql = "COMMIT AND CHAIN"},
	[FIXED_WAIT] =
		{.name = "penstock_wait",
		 .sql = "SELECT pg_catalog.pg_advisory_xact_lock_shared($1, $2)"},
	[FIXED_TAKE_TURN] =
		{.name = "penstock_take_turn",
		 .sql = "SELECT pg_catalog.pg_advisory_xact_lock_shared($1, "
				"$2), pg_catalog.pg_advisory_lock($1, $3)"},
	[FIXED_END_TURN] = {.name = "penstock_end_turn",
						.sql = "SELECT pg_catalog.pg_advisory_unlock($1, $2)"},
	[FIXED_READ_KEPT] = {.name = "penstock_read_kept",
						 .sql = moved_table_read_sql,
						 .binary = true},
	[FIXED_FORGET_KEPT] = {.name = "penstock_forget_kept",
						   .sql = moved_table_forget_sql},
	[FIXED_CURRENT] = {.name = "penstock_current", .sql = current_check_sql},
};

void
applier_init(Applier *self, Target *target, PgConn *conn)
{
	ASSERT(target->pipeline != NULL);
	*self = (Applier){
		.target = target,
		.lane = lane_new(conn),
		.statements = statement_cache_new(),
		.tables = table_cache_new(target->rules),
		.params = params_new(),
		.progress_params = params_new(),
	};
	self->batch = &self->own_batch;
	memcpy(self->fixed, fixed_statements, sizeof(self->fixed));
	buf_init(&self->copy_buffer, COPY_BUFFER_MAX);
}

void
applier_release(Applier *self)
{
	plan_free(self->plan);
	lane_free(self->lane);
	batch_release(&self->own_batch);
	statement_cache_free(self->statements);
	table_cache_free(self->tables);
	params_free(self->params);
	params_free(self->progress_params);
	buf_release(&self->copy_buffer);
	error_reset(&self->failure.error);
	error_reset(&self->as_batch.stop);
}
