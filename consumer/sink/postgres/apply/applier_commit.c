/*
 * applier_commit.c
 *    Commits transactions, and finds out where the target's WAL ends then.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "control/progress_table.h"
#include "net/pooler.h"
#include "sink/postgres/apply/applier.h"

void
applier_add_progress(const Applier *self, Params *params, const TxnInfo *txn,
					 Lsn end_lsn, int64_t transactions, int64_t rows)
{
	CHECK(txn == NULL || txn->end_lsn == end_lsn);
	ASSERT(end_lsn != 0 && transactions >= 0 && rows >= 0);
	params_add_bytes(params, TYPE_TEXT, self->target->pipeline,
					 (int) strlen(self->target->pipeline));
	params_add_int8(params, self->target->lease_token);
	if (txn != NULL)
		params_add_number(params, TYPE_LSN, (int64_t) txn->commit_lsn);
	else
		params_add_bytes(params, TYPE_LSN, NULL, 0);
	params_add_number(params, TYPE_LSN, (int64_t) end_lsn);
	if (txn != NULL)
		params_add_number(params, TYPE_TIMESTAMPTZ, txn->commit_time_us);
	else
		params_add_bytes(params, TYPE_TIMESTAMPTZ, NULL, 0);
	params_add_int8(params, transactions);
	params_add_int8(params, rows);
}

Rc
applier_send_question(Applier *self, Lsn lsn, bool flushed, Error *err)
{
	Expectation expectation = {.kind = EXPECT_POSITION,
							   .change_index = PLAN_NO_CHANGE};

	self->commit.lsn = lsn;
	self->commit.flushes = flushed;
	params_reset(self->progress_params);
	return lane_send_statement(self->lane, &self->fixed[FIXED_POSITION],
							   self->progress_params, &expectation, err);
}

/*
 * Sends progress, commit, and the query for the end of the WAL, in one round.
 */
static MUST_CHECK Rc
send_commit(Applier *self, Error *err)
{
	Expectation expectation = {.kind = EXPECT_PROGRESS,
							   .change_index = PLAN_NO_CHANGE};
	bool flushes = self->as_batch.stop.code != ERR_NONE ||
				   target_must_flush(self->target);
	Rc rc = RC_OK;

	CHECK(!self->failure.is_there);
	FAULT("apply.before_commit");
	self->commit.is_done = false;
	if (flushes)
		rc = applier_send_plain(self, "SET LOCAL synchronous_commit = local",
								EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = lane_send_statement(self->lane, &self->fixed[FIXED_PROGRESS],
								 self->progress_params, &expectation, err);
	if (rc == RC_OK)
		rc = applier_send_plain(self, "COMMIT", EXPECT_COMMITTED, err);
	if (rc == RC_OK)
		rc = applier_send_question(self, self->commit.lsn, flushes, err);
	if (rc == RC_OK)
		rc = lane_send_sync(self->lane, err);
	FAULT("apply.commit_sent");
	applier_set_state(self, APPLIER_COMMITTING);
	return rc;
}

Rc
applier_commit_batch(Applier *self, Error *err)
{
	const Batch *batch = self->batch;
	const TxnInfo *last = &batch->txns[self->as_batch.txn_end - 1].txn;

	CHECK(self->txn_open && batch->txns[self->as_batch.txn_end - 1].complete);
	CHECK(last->end_lsn > self->target->noted_lsn);
	ASSERT(self->state == APPLIER_DRAINING && lane_is_empty(self->lane));
	/* Otherwise progress would say that rows are applied which were not sent.
	 */
	CHECK(self->step_state == STEPS_ENDED);
	self->commit.lsn = last->end_lsn;
	self->commit.rows = self->open_rows +
						(int64_t) batch_txn_end(batch,
												self->as_batch.txn_end - 1);
	self->commit.txns = (int64_t) self->as_batch.txn_end;
	params_reset(self->progress_params);
	applier_add_progress(self, self->progress_params, last, last->end_lsn,
						 self->commit.txns, self->commit.rows);
	return send_commit(self, err);
}

/* Prepares a commit of progress without changes. */
static void
begin_position(Applier *self, Lsn lsn)
{
	ASSERT(self->state == APPLIER_IDLE);
	CHECK(!self->txn_open && batch_is_empty(self->batch));
	CHECK(lsn >= self->target->noted_lsn);
	self->as_batch.folded = false;
	self->as_batch.savepoint_set = false;
	self->commit.lsn = lsn;
	self->commit.rows = 0;
	self->commit.txns = 0;
	params_reset(self->progress_params);
	applier_add_progress(self, self->progress_params, NULL, lsn, 0, 0);
}

/* Commits progress up to a position before which there was nothing to apply. */
Rc
applier_commit_position(Applier *self, Lsn lsn, Error *err)
{
	Rc rc;

	begin_position(self, lsn);
	rc = lane_enter_pipeline(self->lane, err);
	if (rc == RC_OK)
		rc = applier_send_plain(self, "BEGIN", EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = send_commit(self, err);
	return rc;
}

Rc
applier_forget_kept(Applier *self, Lsn after_lsn, Lsn lsn, Error *err)
{
	Expectation expectation = {.kind = EXPECT_DONE,
							   .rows_expected = -1,
							   .change_index = PLAN_NO_CHANGE};
	Rc rc;

	CHECK(lsn <= self->target->noted_lsn);
	begin_position(self, self->target->noted_lsn);
	rc = lane_enter_pipeline(self->lane, err);
	if (rc == RC_OK)
		rc = applier_send_plain(self, "BEGIN", EXPECT_DONE, err);
	params_reset(self->params);
	params_add_bytes(self->params, TYPE_TEXT, self->target->pipeline,
					 (int) strlen(self->target->pipeline));
	params_add_number(self->params, TYPE_LSN, (int64_t) after_lsn);
	params_add_number(self->params, TYPE_LSN, (int64_t) lsn);
	if (rc == RC_OK)
		rc = lane_send_statement(self->lane, &self->fixed[FIXED_FORGET_KEPT],
								 self->params, &expectation, err);
	return rc == RC_OK ? send_commit(self, err) : rc;
}

/* The query after the commits of a round of transactions. */
Rc
applier_ask_position(Applier *self, Lsn lsn, bool flushed, Error *err)
{
	Rc rc = lane_enter_pipeline(self->lane, err);

	ASSERT(lsn <= self->target->noted_lsn);
	self->commit.txns = 0;
	self->commit.rows = 0;
	self->commit.is_done = true;
	if (rc == RC_OK)
		rc = applier_send_question(self, lsn, flushed, err);
	if (rc == RC_OK)
		rc = lane_send_sync(self->lane, err);
	applier_set_state(self, APPLIER_COMMITTING);
	return rc;
}

Rc
applier_check_flush(Applier *self, Error *err)
{
	Rc rc = lane_enter_pipeline(self->lane, err);

	self->target->flush_checks++;
	if (rc == RC_OK)
		rc = applier_send_question(self, self->target->noted_lsn, false, err);
	if (rc == RC_OK)
		rc = lane_send_sync(self->lane, err);
	applier_set_state(self, APPLIER_CHECKING_FLUSH);
	return rc;
}

/*
 * Checks that this is still the same session, which an undetected connection
 * pooler may have replaced.
 */
static MUST_CHECK Rc
check_session(Applier *self, const PGresult *result, Error *err)
{
	int pid = (int) strtol(PQgetvalue(result, 0, 2), NULL, 10);

	if (self->backend_pid != 0 && pid != self->backend_pid)
		return pooler_set_refused(lane_conn(self->lane), err);
	self->backend_pid = pid;
	return RC_OK;
}

Rc
applier_note_position(Applier *self, const PGresult *result, Error *err)
{
	Lsn insert;
	Lsn flush;

	if (PQntuples(result) != 1 ||
		!lsn_parse(PQgetvalue(result, 0, 0), &insert) ||
		!lsn_parse(PQgetvalue(result, 0, 1), &flush))
		return error_set(err, ERR_PROTOCOL, "invalid WAL position from %s",
						 self->target->label);
	CHECK(self->state != APPLIER_COMMITTING || self->commit.is_done);
	CHECK(self->as_txns.round == NULL ||
		  self->commit.lsn <= self->target->noted_lsn);
	target_note_commit(self->target, self->commit.lsn, insert);

	/*
	 * The commit has waited for the disk, so all earlier WAL is flushed, too.
	 */
	if (self->commit.flushes)
		flush = insert;
	target_note_flush(self->target, flush);
	self->target->flush_checked_at_us = clock_monotonic_us();
	return check_session(self, result, err);
}

void
applier_note_round(Applier *self)
{
	Target *target = self->target;

	CHECK(self->state != APPLIER_COMMITTING || self->commit.is_done);
	if (self->state == APPLIER_COMMITTING)
	{
		FAULT("apply.after_commit");
		self->txn_open = false;
		target->position_at_us = clock_monotonic_us();
		target->flush_checks = 0;
		target->report->batches++;
		target->report->transactions += self->commit.txns;
		target->report->rows += self->commit.rows;
		self->open_rows = 0;
	}
}
