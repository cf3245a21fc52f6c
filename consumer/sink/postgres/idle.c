/*
 * idle.c
 *    Decides what is applied when; see idle.h.
 */
#include "sink/postgres/idle.h"

#include "base/clock.h"
#include "sink/postgres/change_schema.h"
#include "sink/postgres/lease.h"

/*
 * Largest number of changes in a small batch; fewer than are folded
 * (plan_transactions.c).
 */
#define SMALL_BATCH_CHANGES_MAX 15

/* Milliseconds between two commits of a position without changes. */
#define POSITION_INTERVAL_MS 1000

/* Milliseconds between two removals of rows from penstock.moved. */
#define FORGET_INTERVAL_MS 1000

/* Returns the time at which a waiting batch is applied even if it is small. */
static int64_t
batch_due_us(const PostgresSink *self)
{
	return batch_complete_count(stages_batch(self->stages)) > 0
			   ? self->filled_since_us + BATCH_AGE_MS_MAX * 1000
			   : INT64_MAX;
}

/* Whether nothing more is delivered, and everything has to be applied. */
static bool
is_finishing(const PostgresSink *self)
{
	return self->sink.orders.mode == SINK_DRAINING ||
		   self->sink.orders.mode == SINK_SETTLING;
}

static bool
batch_is_ready(const PostgresSink *self, bool source_idle, int64_t now_us)
{
	const Batch *batch = stages_batch(self->stages);

	if (stages_is_cut(self->stages))
		return true;
	if (batch->bytes >= self->batch_bytes_max || self->uncopied_table != NULL ||
		batch_is_full(batch, self->target.relations_max) ||
		(self->fetches != NULL && batch->change_count > 0))
		return true;
	if (batch_complete_count(batch) == 0)
		return false;
	return source_idle || now_us >= batch_due_us(self) || is_finishing(self) ||
		   batch->bytes >= BATCH_BYTES_MIN || open_txns_waits(self->open_txns);
}

bool
idle_holds_nothing(const PostgresSink *self)
{
	return stages_is_empty(self->stages) && self->uncopied_table == NULL &&
		   batch_is_empty(self->applier.batch) && !self->taking &&
		   lanes_is_idle(self->lanes) && !self->applier.txn_open &&
		   !open_txns_is_committing(self->open_txns);
}

/* Returns the time of the next commit of a position without changes. */
static int64_t
next_position_us(const PostgresSink *self)
{
	if (self->sink.orders.received_lsn <= self->target.noted_lsn)
		return INT64_MAX;
	if (self->sink.orders.position_wanted || is_finishing(self))
		return 0;
	return self->target.position_at_us + POSITION_INTERVAL_MS * 1000;
}

/* Returns the time of the next removal of rows from penstock.moved. */
static int64_t
next_forget_us(const PostgresSink *self)
{
	bool can_wait = self->kept_lsn == 0 || self->applier.txn_open ||
					self->sink.orders.everywhere_lsn <= self->forgotten_lsn;

	return can_wait ? INT64_MAX : self->forget_us;
}

/* Removes rows of penstock.moved whose transactions all nodes have applied. */
static MUST_CHECK Rc
forget_kept(PostgresSink *self, int64_t now_us, Error *err)
{
	Lsn after_lsn = self->forgotten_lsn;

	self->forgotten_lsn = self->sink.orders.everywhere_lsn;
	self->forget_us = now_us + FORGET_INTERVAL_MS * 1000;
	if (self->kept_lsn <= self->forgotten_lsn)
		self->kept_lsn = 0;
	return applier_forget_kept(&self->applier, after_lsn, self->forgotten_lsn,
							   err);
}

static MUST_CHECK Rc
start_fetch(PostgresSink *self, Error *err)
{
	SinkFetch *fetches = self->fetches;

	self->fetches = NULL;
	return applier_start_fetch(&self->applier, fetches, err);
}

/*
 * Starts the next batch.  A transaction that is too large for one batch is
 * applied in the same way with and without per_transaction, because it is a
 * transaction of its own on the target anyway.  A batch that is too small to be
 * folded is given to the lanes even if its transactions may be joined: then the
 * commit is sent together with the changes, and is done sooner.
 */
static MUST_CHECK Rc
start_batch(PostgresSink *self, Error *err)
{
	Batch *batch = stages_batch(self->stages);
	uint32_t missing = stages_missing_rewrite(self->stages);
	bool is_small = batch->change_count <= SMALL_BATCH_CHANGES_MAX &&
					batch->bytes < BATCH_BYTES_MIN;

	CHECK(!batch_is_empty(batch) && sink_state_is_idle(self));
	if (missing != 0 && batch->txns[0].complete)
		return change_schema_refuse_missing_rows(self, missing,
												 &batch->txns[0].txn, err);
	self->filled_since_us = clock_monotonic_us();
	if (batch->continues || !batch->txns[0].complete ||
		(!self->target.per_transaction && !is_small))
		return applier_start(&self->applier, batch, err);
	return lanes_start(self->lanes, batch, err);
}

/* Does the work of SINK_STOPPING: starts nothing, and makes commits durable. */
static MUST_CHECK Rc
work_stopping(PostgresSink *self, Error *err)
{
	Rc rc = applier_roll_back(&self->applier, err);

	stages_reset(self->stages);
	if (rc != RC_OK)
		return rc;
	if (self->report.durable_lsn < self->target.noted_lsn)
		return applier_commit_position(&self->applier, self->target.noted_lsn,
									   err);
	self->report.stopped = true;
	return RC_AGAIN;
}

/* Whether only a transaction without its end is left. */
static bool
has_only_incomplete(const PostgresSink *self)
{
	return batch_complete_count(stages_batch(self->stages)) == 0 &&
		   !stages_is_cut(self->stages);
}

/* Whether such a transaction is left, and its end will not be delivered. */
static bool
is_interrupted(const PostgresSink *self)
{
	return self->sink.orders.mode == SINK_SETTLING &&
		   has_only_incomplete(self) &&
		   (!stages_is_empty(self->stages) || self->applier.txn_open ||
			self->taking);
}

static MUST_CHECK Rc
drop_interrupted(PostgresSink *self, Error *err)
{
	stages_reset(self->stages);
	self->taking = false;
	return applier_roll_back(&self->applier, err);
}

Rc
idle_work(PostgresSink *self, bool source_idle, Error *err)
{
	const SchemaSet *schema;
	int64_t now_us = clock_monotonic_us();
	bool hurry = self->sink.orders.position_wanted || is_finishing(self);

	if (self->report.stopped || open_txns_is_at_commit(self->open_txns))
		return RC_AGAIN;
	if (self->sink.orders.mode == SINK_STOPPING)
		return work_stopping(self, err);
	if (schema_step_renamed_states(self->schema_step) &&
		!self->applier.txn_open)
		return error_set(err, ERR_CHANGED,
						 "tables that are left out of %s, or were added, have "
						 "got other names",
						 self->target.label);
	if (self->holding)
		return lease_wait_for_table(self, err);
	if (self->uncopied_table != NULL && has_only_incomplete(self))
		return uncopied_refuse(self->uncopied, lane_conn(self->applier.lane),
							   self->uncopied_table, &self->uncopied_txn,
							   self->placed, err);
	if (is_interrupted(self))
		return drop_interrupted(self, err);
	schema = self->large_set_bytes == 0
				 ? stages_schema(self->stages, self->fetches != NULL)
				 : NULL;
	if (schema != NULL)
		return change_schema_apply(self, schema, err);
	if (batch_is_ready(self, source_idle, now_us))
		return start_batch(self, err);
	if (self->fetches != NULL)
		return start_fetch(self, err);
	if (now_us >= next_forget_us(self))
		return forget_kept(self, now_us, err);
	if (idle_holds_nothing(self) && now_us >= next_position_us(self))
		return applier_commit_position(&self->applier,
									   self->sink.orders.received_lsn, err);
	if (!target_awaits_flush(&self->target))
		return RC_AGAIN;
	if (idle_holds_nothing(self) &&
		(hurry || self->target.flush_checks >= FLUSH_CHECKS_MAX))
		return applier_commit_position(&self->applier, self->target.noted_lsn,
									   err);
	if (now_us >= target_next_check_us(&self->target))
		return applier_check_flush(&self->applier, err);
	return RC_AGAIN;
}

void
idle_interest(const PostgresSink *self, Interest *interest)
{
	if (!sink_state_is_idle(self) || self->report.stopped)
		return;
	if (self->holding)
	{
		interest_until(interest, self->hold_look_us);
		return;
	}
	if (target_awaits_flush(&self->target))
		interest_until(interest, target_next_check_us(&self->target));
	if (idle_holds_nothing(self))
		interest_until(interest, next_position_us(self));
	interest_until(interest, next_forget_us(self));
	interest_until(interest, batch_due_us(self));
}
