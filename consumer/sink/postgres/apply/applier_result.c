/*
 * applier_result.c
 *    Checks the results of the target.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "control/progress_table.h"
#include "sink/postgres/apply/applier.h"
#include "sink/postgres/tables/current_check.h"

/* Number of conflicts that are logged one by one. */
#define CONFLICTS_LOGGED_MAX 20

/* Records the first failure of a batch. */
static void
note_failure(Applier *self, Error *failure, const ConflictChange *described,
			 size_t change_index, bool is_refusal)
{
	ASSERT(failure->code != ERR_NONE);
	if (self->failure.is_there)
	{
		error_reset(failure);
		return;
	}
	self->failure.is_there = true;
	self->failure.is_refusal = is_refusal;
	self->failure.change = *described;
	self->failure.index = change_index;
	error_take(&self->failure.error, failure);
}

/* Describes the change that an expectation is about, for messages. */
static void
describe_change(const Applier *self, const Expectation *expectation,
				ConflictChange *described)
{
	size_t index = expectation->change_index;

	*described = (ConflictChange){.table = expectation->table};
	if (index == PLAN_NO_CHANGE || self->state == APPLIER_FETCHING)
		return;
	CHECK(index < self->batch->change_count);
	described->change = self->batch->changes[index];
	described->txn = batch_change_txn(self->batch, index);
}

/* Logs a settled conflict, unless many were logged. */
static void
log_settled(Applier *self, const ConflictChange *described)
{
	ASSERT(described->table->policy != CONFLICT_STOP);
	self->target->report->conflicts++;
	if (++self->target->conflicts > CONFLICTS_LOGGED_MAX)
		return;
	log_warning("apply.conflict-settled",
				"conflict in table %s on %s settled by policy \"%s\", in "
				"transaction %u, commit LSN " LSN_FORMAT
				"; penstock.conflict has both rows%s",
				described->table->name_sql, self->target->label,
				policy_name(described->table->policy), described->txn->xid,
				LSN_ARGS(described->txn->commit_lsn),
				self->target->conflicts == CONFLICTS_LOGGED_MAX
					? "; further ones are only noted there"
					: "");
}

/*
 * Checks the result of a statement of settle.h: number of conflicts, number of
 * written rows.
 */
static void
check_settled(Applier *self, const PGresult *result,
			  const Expectation *expectation)
{
	bool conflict = PQgetvalue(result, 0, 0)[0] != '0';
	bool written = PQgetvalue(result, 0, 1)[0] != '0';
	Error failure = {0};
	ConflictChange described;

	if (!conflict)
		return;
	describe_change(self, expectation, &described);
	CHECK(described.change != NULL && described.txn != NULL);
	if (written || described.table->policy == CONFLICT_SKIP ||
		described.change->kind == CHANGE_DELETE)
	{
		log_settled(self, &described);
		return;
	}
	conflict_set_unsettled(
		&described, PQgetisnull(result, 0, 2) ? NULL : PQgetvalue(result, 0, 2),
		&failure);
	note_failure(self, &failure, &described, expectation->change_index, false);
}

static void
note_lease_lost(Applier *self, Error *failure)
{
	Rc rc = error_set(failure, ERR_CONFIG,
					  "another follower has taken over pipeline \"%s\" on %s",
					  self->target->pipeline, self->target->label);

	ASSERT(rc == RC_FAIL);
	(void) rc;
	error_hint(failure, "Only one follower at a time can apply a pipeline.  "
						"Stop the one that is not wanted.");

	/*
	 * In a round of transactions, the cause may also be a wrong number of rows
	 * or a violated order.  Applying the transaction alone shows which of them
	 * it is.
	 */
	note_failure(self, failure, &(ConflictChange){0}, PLAN_NO_CHANGE,
				 self->as_txns.round != NULL);
}

/* Whether the failure means that a table has changed since it was looked up. */
static bool
says_changed(const Expectation *expectation, const Error *failure)
{
	ASSERT(failure->code != ERR_NONE);
	return !error_is_transient(failure) &&
		   (expectation->kind == EXPECT_CURRENT ||
			strcmp(failure->sqlstate, current_changed_sqlstate) == 0);
}

static void
note_changed(Applier *self, Error *failure)
{
	Rc rc = current_set_changed(self->target->label, failure);

	ASSERT(rc == RC_FAIL);
	(void) rc;
	note_failure(self, failure, &(ConflictChange){0}, PLAN_NO_CHANGE, true);
}

/*
 * Adds the transactions to an error that the target reports only at commit (a
 * deferred constraint), and which is not about one change.
 */
static void
add_commit_context(const BatchTxn *txns, size_t txn_count, Error *err)
{
	const TxnInfo *first = &txns[0].txn;
	const TxnInfo *last = &txns[txn_count - 1].txn;

	ASSERT(txn_count > 0);
	if (txn_count == 1)
		error_context(err, "committing transaction %u, commit LSN " LSN_FORMAT,
					  first->xid, LSN_ARGS(first->commit_lsn));
	else
		error_context(err,
					  "committing %zu transactions, from %u, commit "
					  "LSN " LSN_FORMAT ", to %u, commit LSN " LSN_FORMAT,
					  txn_count, first->xid, LSN_ARGS(first->commit_lsn),
					  last->xid, LSN_ARGS(last->commit_lsn));
}

static void
note_error_result(Applier *self, const PGresult *result,
				  const Expectation *expectation)
{
	Error failure = {0};
	ConflictChange described;

	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		return; /* not run because of an earlier failure */
	if (pgconn_check_result(lane_conn(self->lane), result, &failure) == RC_OK)
		return;
	if (expectation->kind == EXPECT_PROGRESS &&
		strcmp(failure.sqlstate, progress_table_lost_sqlstate) == 0)
	{
		note_lease_lost(self, &failure);
		return;
	}
	if (says_changed(expectation, &failure))
	{
		note_changed(self, &failure);
		return;
	}
	describe_change(self, expectation, &described);
	conflict_explain_refusal(&described, &failure);
	if (expectation->kind == EXPECT_COMMIT)
		add_commit_context(&self->batch->txns[expectation->txn_first],
						   expectation->txn_index + 1 - expectation->txn_first,
						   &failure);
	else if (self->state == APPLIER_COMMITTING && !self->commit.is_done &&
			 self->batch->txn_count > 0)
		add_commit_context(self->batch->txns, self->as_batch.txn_end, &failure);
	note_failure(self, &failure, &described, expectation->change_index,
				 !error_is_transient(&failure));
}

static void
check_rows(Applier *self, const PGresult *result,
		   const Expectation *expectation)
{
	int64_t rows = strtoll(PQcmdTuples((PGresult *) (uintptr_t) result), NULL,
						   10);
	Error failure = {0};
	ConflictChange described;

	if (expectation->rows_expected < 0 || rows == expectation->rows_expected)
		return;
	describe_change(self, expectation, &described);
	conflict_set_wrong_rows(&described, expectation->rows_expected, rows,
							&failure);
	note_failure(self, &failure, &described, expectation->change_index, true);
}

/* Checks the result of a COMMIT: in a failed transaction it is a ROLLBACK. */
static void
check_commit(Applier *self, PGresult *result, const Expectation *expectation)
{
	CHECK(strcmp(PQcmdStatus(result), "COMMIT") == 0);
	CHECK(self->as_txns.round != NULL && !self->failure.is_there);
	CHECK(expectation->txn_first >= self->as_txns.committed);
	CHECK(expectation->txn_first <= expectation->txn_index &&
		  expectation->txn_index < self->batch->txn_count);
	FAULT("apply.after_commit");
	for (size_t t = expectation->txn_first; t <= expectation->txn_index; t++)
	{
		const BatchTxn *txn = &self->batch->txns[t];

		target_note_txn(self->target, &txn->txn,
						batch_txn_end(self->batch, t) - txn->change_first);
	}
	self->as_txns.committed = expectation->txn_index + 1;
}

/*
 * Records that a batch, which is one transaction of the target, is committed.
 */
static void
note_committed(Applier *self, PGresult *result)
{
	CHECK(strcmp(PQcmdStatus(result), "COMMIT") == 0);
	CHECK(self->state == APPLIER_COMMITTING && !self->failure.is_there);
	CHECK(!self->commit.is_done);
	self->commit.is_done = true;
}

Rc
applier_handle_result(Applier *self, PGresult *result,
					  const Expectation *expectation, Error *err)
{
	ExecStatusType status = PQresultStatus(result);
	Rc rc = RC_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		note_error_result(self, result, expectation);
	else if (expectation->kind == EXPECT_ROWS)
		check_rows(self, result, expectation);
	else if (expectation->kind == EXPECT_SAVEPOINT)
		self->as_batch.savepoint_set = true;
	else if (expectation->kind == EXPECT_SETTLED)
		check_settled(self, result, expectation);
	else if (expectation->kind == EXPECT_COMMIT)
		check_commit(self, result, expectation);
	else if (expectation->kind == EXPECT_COMMITTED)
		note_committed(self, result);
	else if (expectation->kind == EXPECT_FETCHED ||
			 expectation->kind == EXPECT_KEPT)
		applier_take_fetched(self, result, expectation);
	else if (expectation->kind == EXPECT_POSITION && !self->failure.is_there)
		rc = applier_note_position(self, result, err);
	PQclear(result);
	return rc;
}

/* Receives all available results.  RC_END: the sync was answered. */
Rc
applier_receive_results(Applier *self, Error *err)
{
	for (;;)
	{
		PGresult *result = NULL;
		Expectation expectation;
		Rc rc = lane_receive(self->lane, &result, &expectation, err);

		if (rc == RC_OK)
			rc = applier_handle_result(self, result, &expectation, err);
		if (rc != RC_OK)
			return rc;
	}
}
