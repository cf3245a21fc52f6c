/*
 * take.c
 *    Takes changes; see take.h.
 */
#include "sink/postgres/take.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/own_command.h"
#include "model/moved.h"

/*
 * Largest size of a set of schema changes, which must be applied together, in
 * batches.
 */
#define SCHEMA_BATCHES_MAX 2

/* Milliseconds that a joining table may hold up the others. */
#define HOLD_MS_MAX 1000

void
take_update_full(PostgresSink *self)
{
	size_t waiting_bytes = stages_bytes(self->stages);
	size_t held_bytes = waiting_bytes + sink_state_applying_bytes(self);
	bool is_busy = self->working || !sink_state_is_idle(self);

	self->report.full = self->holding || self->uncopied_table != NULL ||
						batch_is_full(stages_filling(self->stages),
									  self->target.relations_max) ||
						(is_busy &&
						 (waiting_bytes >= self->batch_bytes_max ||
						  held_bytes >= 2 * self->batch_bytes_max)) ||
						open_txns_bytes(self->open_txns) >=
							2 * self->batch_bytes_max ||
						open_txns_is_committing(self->open_txns);
}

/*
 * Begins to wait for a joining table.  What waits now is not applied: when the
 * table's state has changed, the sink starts again from its progress.
 */
static void
begin_hold(PostgresSink *self)
{
	if (self->holding)
		return;
	self->holding = true;
	self->hold_look_us = clock_monotonic_us();
	self->hold_until_us = self->hold_look_us + HOLD_MS_MAX * 1000;
	take_update_full(self);
}

/*
 * Whether the transaction has changed a table that was not copied.  Then it is
 * not committed, and everything after it is ignored.
 */
static bool
meets_uncopied(PostgresSink *self, const TxnInfo *txn, uint32_t xid)
{
	if (self->uncopied_table != NULL)
		return true;
	self->uncopied_table = uncopied_commit(self->uncopied, xid);
	if (self->uncopied_table == NULL)
		return false;
	self->uncopied_txn = *txn;
	self->uncopied_txn.origin = NULL;
	take_update_full(self);
	return true;
}

Rc
take_begin(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	/*
	 * Transactions come in commit order.  After the commit of an open
	 * transaction, none is accepted until that commit has succeeded.
	 */
	CHECK(txn->end_lsn > self->delivered_lsn);
	CHECK(!open_txns_is_committing(self->open_txns));
	ASSERT(!self->taking);
	self->taking = true;
	self->begun = false;
	self->txn = *txn;
	return RC_OK;
}

/*
 * Begins the transaction in the batch, at its first change.  One that has only
 * messages is left out: it is a position without changes.  The stream of a slot
 * does not have it, if nobody wants messages there, so it must not become the
 * last transaction of the target, which is to come again as a proof
 * (progress/proof.h).
 */
static void
begin_in_batch(PostgresSink *self)
{
	if (self->begun)
		return;
	if (stages_is_empty(self->stages))
		self->filled_since_us = clock_monotonic_us();
	stages_begin(self->stages, &self->txn);
	self->begun = true;
}

/*
 * Returns the value of --memory, in MB, with which schema changes of that size
 * fit.
 */
static size_t
memory_wanted_mb(const PostgresSink *self, size_t bytes)
{
	size_t batch_bytes = bytes / SCHEMA_BATCHES_MAX + 1;

	return BATCH_MEMORY_PARTS * batch_bytes * (size_t) self->memory_shares /
			   MB +
		   1;
}

static MUST_CHECK Rc
refuse_large_set(const PostgresSink *self, Error *err)
{
	const TxnInfo *txn = batch_last_txn(stages_filling(self->stages));
	char command[64];
	Rc rc = error_set(err, ERR_LIMIT,
					  "transaction %" PRIu32 ", which ends at " LSN_FORMAT
					  ", has %zu bytes of schema changes without a row between "
					  "them; %zu bytes fit into memory",
					  txn->xid, LSN_ARGS(txn->end_lsn), self->large_set_bytes,
					  SCHEMA_BATCHES_MAX * self->batch_bytes_max);

	snprintf(command, sizeof(command), "follow --memory=%zuMB",
			 memory_wanted_mb(self, self->large_set_bytes));
	error_hint(err,
			   "They take half of the memory for changes.  Follow with more of "
			   "it: \"%s\".",
			   OWN_COMMAND(command));
	return rc;
}

static void
note_large_set(PostgresSink *self, Frame *frame, size_t bytes)
{
	if (self->large_set_frame != NULL)
		frame_unref(self->large_set_frame);
	self->large_set_frame = frame_ref(frame);
	self->large_set_bytes = bytes;
}

/* Adds to the size of a set that is too large. */
static void
measure_large_set(PostgresSink *self, Frame *frame)
{
	if (self->large_set_frame != frame)
		note_large_set(self, frame, self->large_set_bytes + frame_bytes(frame));
}

/* Takes a schema change; later rows have the new shape. */
static Rc
take_schema_change(PostgresSink *self, Frame *frame, const Change *change,
				   Error *err)
{
	const FollowedTables tables = sink_state_followed_tables(self);
	Lsn end_lsn = batch_last_txn(stages_filling(self->stages))->end_lsn;
	size_t set_bytes;

	if (schema_step_covers(self->schema_step, end_lsn))
		return RC_OK;
	if (self->large_set_bytes > 0)
	{
		measure_large_set(self, frame);
		return RC_OK;
	}
	if (change->schema->kind == SCHEMA_DEFINED &&
		change->schema->definition->kind == DEFINITION_ENUM &&
		open_txns_check_labels(self->open_txns, err) == RC_FAIL)
		return RC_FAIL;
	if (!followed_tables_has_copied(&tables, change->schema, end_lsn))
		uncopied_follow(self->uncopied, change->schema);
	if (!table_states_only_listed(self->table_states))
		table_states_follow(self->table_states, change->schema);
	stages_add(self->stages, frame, change);
	take_update_full(self);
	set_bytes = stages_open_set_bytes(self->stages);
	if (set_bytes > SCHEMA_BATCHES_MAX * self->batch_bytes_max)
		note_large_set(self, frame, set_bytes);
	return RC_OK;
}

/*
 * Returns a TRUNCATE of the table alone, for a table whose rows are sent again.
 */
static const Change *
emptying(Frame *frame, const Change *rewrite)
{
	Change *change = arena_dup(frame->arena, rewrite, sizeof(Change));
	TruncateInfo *truncate = arena_calloc(frame->arena, 1,
										  sizeof(TruncateInfo));

	truncate->relation_count = 1;
	truncate->relations = arena_dup(frame->arena, &rewrite->relation,
									sizeof(rewrite->relation));
	change->kind = CHANGE_TRUNCATE;
	change->relation = NULL;
	change->truncate = truncate;
	return change;
}

Rc
take_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	PostgresSink *self = postgres_sink(sink);
	Lsn end_lsn;
	bool hold;

	ASSERT(self->taking || change->kind == CHANGE_MESSAGE);
	if (change->kind == CHANGE_MESSAGE || self->uncopied_table != NULL)
		return RC_OK; /* nothing that changes a table */
	begin_in_batch(self);
	if (change->kind == CHANGE_SCHEMA)
		return take_schema_change(self, frame, change, err);
	if (self->large_set_bytes > 0)
		return refuse_large_set(self, err);
	end_lsn = batch_last_txn(stages_filling(self->stages))->end_lsn;
	change = table_states_select(self->table_states, frame, change, end_lsn,
								 &hold);
	if (hold)
		begin_hold(self);
	if (change != NULL &&
		(change->relation == NULL || !relation_is_own(change->relation)))
		change = uncopied_select(self->uncopied, frame, change, 0, end_lsn);
	if (change == NULL)
		return RC_OK;
	if (change->relation != NULL && moved_is_relation(change->relation))
		self->kept_lsn = end_lsn;
	if (change->kind == CHANGE_REWRITE)
	{
		CHECK(change->relation != NULL);
		stages_note_rewritten(self->stages, change->relation->oid);
		change = emptying(frame, change);
	}
	stages_add(self->stages, frame, change);
	take_update_full(self);
	return RC_OK;
}

Rc
take_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	PostgresSink *self = postgres_sink(sink);

	ASSERT(self->taking);
	if (self->large_set_bytes > 0)
		return refuse_large_set(self, err);
	self->taking = false;
	if (meets_uncopied(self, txn, 0) || !self->begun)
		return RC_OK;
	CHECK(txn->end_lsn ==
		  batch_last_txn(stages_filling(self->stages))->end_lsn);
	stages_commit(self->stages);
	self->delivered_lsn = txn->end_lsn;
	take_update_full(self);
	return RC_OK;
}

Rc
take_open_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	PostgresSink *self = postgres_sink(sink);
	bool hold;
	Rc rc;

	if (change->kind == CHANGE_MESSAGE || self->uncopied_table != NULL)
		return RC_OK;
	if (change->kind == CHANGE_SCHEMA || change->kind == CHANGE_REWRITE)
		return open_txns_refuse_schema(self->open_txns, frame, err);

	/* It is applied only when its end is known to be after all watermarks. */
	change = table_states_select(self->table_states, frame, change, UINT64_MAX,
								 &hold);
	if (hold)
		begin_hold(self);
	if (change != NULL)
		change = uncopied_select(self->uncopied, frame, change,
								 frame->open_txn.xid, UINT64_MAX);
	if (change == NULL)
		return RC_OK;
	rc = open_txns_change(self->open_txns, frame, change, self->delivered_lsn,
						  err);
	take_update_full(self);
	return rc;
}

Rc
take_open_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	if (meets_uncopied(self, txn, txn->xid))
		return RC_OK;
	open_txns_commit(self->open_txns, txn, self->delivered_lsn);
	take_update_full(self);
	return RC_OK;
}

Rc
take_open_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	uncopied_abort(self->uncopied, xid, subxid);
	open_txns_abort(self->open_txns, xid, subxid, self->delivered_lsn);
	take_update_full(self);
	return RC_OK;
}

void
take_fetch(Sink *sink, SinkFetch *fetch)
{
	SinkFetch **last = &postgres_sink(sink)->fetches;

	while (*last != NULL)
		last = &(*last)->next;
	fetch->next = NULL;
	*last = fetch;
}
