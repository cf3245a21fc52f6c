/*
 * postgres_sink.c
 *    Decides what is applied when.
 *
 * There are two batches: one collects what the router delivers, while the
 * applier applies the other.  So the source is read while the target works, and
 * the waiting batch grows if the target is slower.  Schema changes divide what
 * waits into stages (plan/stages.h).
 *
 * This file decides what the applier does next: start the next batch, commit a
 * position, query the flush position.  applier.h describes how a batch is
 * applied, open_txns.h how open transactions are.
 */
#include "sink/postgres/postgres_sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "control/definition_table.h"
#include "control/fence.h"
#include "control/table_state.h"
#include "model/moved.h"
#include "net/pgconn_open.h"
#include "sink/postgres/apply/applier.h"
#include "sink/postgres/apply/lanes.h"
#include "sink/postgres/apply/lock_holders.h"
#include "sink/postgres/apply/open_txns.h"
#include "sink/postgres/apply/schema_step.h"
#include "sink/postgres/apply/session.h"
#include "sink/postgres/followed_tables.h"
#include "sink/postgres/plan/stages.h"
#include "sink/postgres/uncopied.h"

/*
 * Number of parts into which the memory is divided: two batches, and what
 * belongs to them.
 */
#define BATCH_MEMORY_PARTS 4

/*
 * Largest size of a set of schema changes, which must be applied together, in
 * batches.
 */
#define SCHEMA_BATCHES_MAX 2

/*
 * Largest number of changes in a small batch; fewer than are folded
 * (plan_transactions.c).
 */
#define SMALL_BATCH_CHANGES_MAX 15

/* Milliseconds between two commits of a position without changes. */
#define POSITION_INTERVAL_MS 1000

/*
 * Milliseconds that a joining table may hold up the others, and between two
 * checks whether it is ready.
 */
#define HOLD_MS_MAX           1000
#define HOLD_LOOK_INTERVAL_MS 20

/* Milliseconds between two removals of rows from penstock.moved. */
#define FORGET_INTERVAL_MS 1000

typedef struct PostgresSink
{
	Sink sink; /* must be first */
	SinkReport report;
	Target target;
	Applier applier;
	Lanes *lanes; /* lanes whose leader is `applier` */
	TableStates *table_states;
	PostponedKeys keys;
	UncopiedTables *uncopied;
	OpenTxns *open_txns;
	Lsn delivered_lsn; /* end of the last delivered transaction */
	bool taking;       /* whether a transaction has begun and not committed */
	bool working;      /* whether work() is running; it may be a task that
						* waits */
	Stages *stages;    /* changes that wait to be applied */
	SchemaStep *schema_step;
	const Words *publications; /* borrowed; NULL: not known */
	bool lacked_lock;          /* whether the last attempt of the next schema
								* change failed for a lock */
	int64_t filled_since_us;   /* since when changes wait */
	size_t batch_bytes_max;
	int memory_shares;

	/*
	 * A set of schema changes that is too large: its size so far, 0: there is
	 * none; and its last frame, with a reference.  Earlier frames are not kept.
	 */
	size_t large_set_bytes;
	Frame *large_set_frame;

	SinkFetch *fetches; /* fetches that wait until everything before them is
						 * applied */
	Lsn forgotten_lsn;  /* LSN up to which penstock.moved was emptied */
	Lsn kept_lsn;       /* last LSN for which penstock.moved may have rows; 0:
						 * it is empty */
	int64_t forget_us;  /* time of the next removal from penstock.moved */

	char *conninfo;
	bool impatient;                          /* see PgConnOptions */
	char lease_holder[PROGRESS_HOLDER_SIZE]; /* holder of our lease */

	/*
	 * A table that was not copied, and a transaction that has changed it, so
	 * that neither it nor anything after it is applied; NULL: none.
	 */
	const Relation *uncopied_table;
	TxnInfo uncopied_txn;

	bool holding; /* whether changes to a joining table were delivered, which
				   * wait for it */
	int64_t hold_until_us;
	int64_t hold_look_us; /* time of the next check of the table */
} PostgresSink;

/* Returns the PostgresSink that contains the Sink. */
static PostgresSink *
postgres_sink(Sink *sink)
{
	return (PostgresSink *) sink;
}

static bool
is_idle(const PostgresSink *self)
{
	return self->applier.state == APPLIER_IDLE && lanes_is_idle(self->lanes);
}

/* Returns the bytes that are being applied. */
static size_t
applying_bytes(const PostgresSink *self)
{
	return self->applier.own_batch.bytes + lanes_bytes(self->lanes);
}

/* ---- taking changes ----------------------------------------------------- */

/*
 * Sets `full` when enough is held: two full batches, or a single large row that
 * takes as much; and the same of open transactions.  After the commit of an
 * open transaction, everything has to wait for it.
 */
static void
update_full(PostgresSink *self)
{
	size_t waiting_bytes = stages_bytes(self->stages);
	size_t held_bytes = waiting_bytes + applying_bytes(self);
	bool is_busy = self->working || !is_idle(self);

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
	update_full(self);
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
	update_full(self);
	return true;
}

static Rc
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
	if (self->uncopied_table != NULL)
		return RC_OK;
	if (stages_is_empty(self->stages))
		self->filled_since_us = clock_monotonic_us();
	stages_begin(self->stages, txn);
	return RC_OK;
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

static FollowedTables
followed_tables(const PostgresSink *self)
{
	return (FollowedTables){.uncopied = self->uncopied,
							.states = self->table_states,
							.publications = self->publications,
							.pipeline = self->target.pipeline,
							.label = self->target.label};
}

/* Takes a schema change; later rows have the new shape. */
static Rc
take_schema_change(PostgresSink *self, Frame *frame, const Change *change,
				   Error *err)
{
	const FollowedTables tables = followed_tables(self);
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
	if (!table_states_others_are_out(self->table_states))
		table_states_follow(self->table_states, change->schema);
	stages_add(self->stages, frame, change);
	update_full(self);
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

static Rc
take_change(Sink *sink, Frame *frame, const Change *change, Error *err)
{
	PostgresSink *self = postgres_sink(sink);
	Lsn end_lsn;
	bool hold;

	ASSERT(self->taking || change->kind == CHANGE_MESSAGE);
	if (change->kind == CHANGE_MESSAGE || self->uncopied_table != NULL)
		return RC_OK; /* nothing that changes a table */
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
		(change->relation == NULL || !moved_is_relation(change->relation)))
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
	update_full(self);
	return RC_OK;
}

static Rc
take_commit(Sink *sink, const TxnInfo *txn, Error *err)
{
	PostgresSink *self = postgres_sink(sink);

	ASSERT(self->taking);
	if (self->large_set_bytes > 0)
		return refuse_large_set(self, err);
	self->taking = false;
	if (meets_uncopied(self, txn, 0))
		return RC_OK;
	CHECK(txn->end_lsn ==
		  batch_last_txn(stages_filling(self->stages))->end_lsn);
	stages_commit(self->stages);
	self->delivered_lsn = txn->end_lsn;
	update_full(self);
	return RC_OK;
}

static Rc
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
	update_full(self);
	return rc;
}

static Rc
take_open_commit(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	if (meets_uncopied(self, txn, txn->xid))
		return RC_OK;
	open_txns_commit(self->open_txns, txn, self->delivered_lsn);
	update_full(self);
	return RC_OK;
}

static Rc
take_open_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	uncopied_abort(self->uncopied, xid, subxid);
	open_txns_abort(self->open_txns, xid, subxid, self->delivered_lsn);
	update_full(self);
	return RC_OK;
}

/* Adds a fetch to the end of the queue. */
static void
take_fetch(Sink *sink, SinkFetch *fetch)
{
	SinkFetch **last = &postgres_sink(sink)->fetches;

	while (*last != NULL)
		last = &(*last)->next;
	fetch->next = NULL;
	*last = fetch;
}

/* ---- other states ------------------------------------------------------- */

/*
 * Sets the error for a lease with another token: somebody has changed the state
 * of a table, or has put up a fence, so what is being applied cannot be
 * committed.
 */
static MUST_CHECK Rc
states_changed(const PostgresSink *self, PgConn *conn, Error *err)
{
	Error ignored = {0};
	Lsn fence = 0;

	if (fence_read(conn, self->target.pipeline, &fence, &ignored) == RC_FAIL)
		error_reset(&ignored);
	if (fence != 0)
		return error_set(err, ERR_CHANGED,
						 "a fence was put up on %s, at LSN " LSN_FORMAT,
						 self->target.label, LSN_ARGS(fence));
	return error_set(err, ERR_CHANGED,
					 "the tables that are followed on %s have changed",
					 self->target.label);
}

/*
 * Opens another connection to the target; the existing ones may be in
 * transactions.
 */
static MUST_CHECK Rc
open_aside(const PostgresSink *self, PgConn **conn, Error *err)
{
	const PgConnOptions options = {.conninfo = self->conninfo,
								   .label = self->target.label,
								   .application_name = "penstock",
								   .kind = PGCONN_DATA,
								   .impatient = self->impatient};

	return pgconn_open(conn, &options, err);
}

/*
 * Replaces an error that was, or may have been, caused by states that have
 * changed: the lease has another token.  Such an error is transient.  If the
 * target is unreachable now, or a stop was requested, it is not known whether
 * the lease (ERR_CONFIG) belongs to another follower.  The next attempt will
 * find out; the source does not let two followers use the slot.
 */
static void
explain_failure(const PostgresSink *self, Error *err)
{
	LeaseState lease = LEASE_LOST;
	Error failure = {0};
	PgConn *conn = NULL;
	Rc rc;

	if (error_is_transient(err) || err->code == ERR_INTERRUPTED)
		return;
	rc = open_aside(self, &conn, &failure);
	if (rc == RC_OK)
		rc = progress_table_check_lease(conn, self->target.pipeline,
										self->target.lease_token,
										self->lease_holder, &lease, &failure);
	if (rc == RC_FAIL && err->code == ERR_CONFIG &&
		(error_is_transient(&failure) || failure.code == ERR_INTERRUPTED))
		error_take(err, &failure);
	error_reset(&failure);
	if (rc == RC_OK && lease == LEASE_DISTURBED)
	{
		rc = states_changed(self, conn, err);
		ASSERT(rc == RC_FAIL);
	}
	else if (rc == RC_OK && lease == LEASE_LOST)
	{
		rc = progress_table_check_open(conn, self->target.pipeline, &failure);
		if (rc == RC_FAIL && failure.code == ERR_CONFIG)
			error_take(err, &failure);
		error_reset(&failure);
	}
	pgconn_close(conn);
}

/* Waits for a joining table.  RC_AGAIN: it is still joining. */
static MUST_CHECK Rc
work_holding(PostgresSink *self, Error *err)
{
	PgConn *conn = lane_conn(self->applier.lane);
	int64_t now_us = clock_monotonic_us();
	LeaseState lease = LEASE_HELD;
	Rc rc;

	if (now_us < self->hold_look_us)
		return RC_AGAIN;
	self->hold_look_us = now_us + HOLD_LOOK_INTERVAL_MS * 1000;
	rc = pgconn_set_plain_path(conn, err);
	if (rc == RC_OK)
		rc = progress_table_check_lease(conn, self->target.pipeline,
										self->target.lease_token,
										self->lease_holder, &lease, err);
	if (rc == RC_OK && lease == LEASE_HELD && now_us < self->hold_until_us)
	{
		rc = pgconn_set_own_path(conn, err);
		return rc == RC_OK ? RC_AGAIN : rc;
	}
	if (rc == RC_OK && lease == LEASE_HELD)
		rc = table_states_refuse_joining(conn, self->target.pipeline,
										 self->target.lease_token, err);
	return rc == RC_OK ? states_changed(self, conn, err) : rc;
}

/* ---- schema changes ----------------------------------------------------- */

/* The function of a SchemaFollowed. */
static bool
is_followed(const void *context, const Definition *table)
{
	const PostgresSink *self = context;

	return uncopied_is_followed(self->uncopied, table->oid,
								table->table.published);
}

/* Adds to an error which sessions hold the lock. */
static void
explain_lock(const PostgresSink *self, Error *err)
{
	const char *sql = schema_step_failed_sql(self->schema_step);
	PgConn *aside = NULL;
	Error ignored = {0};

	if (!lock_holders_matter(err) || sql == NULL)
		return;
	if (open_aside(self, &aside, &ignored) == RC_OK)
		lock_holders_add(aside, lane_conn(self->applier.lane), sql, err);
	error_reset(&ignored);
	pgconn_close(aside);
}

/* Records the tables whose rows were deleted and must be sent again. */
static void
expect_rewrites(const PostgresSink *self)
{
	OidList emptied = schema_step_emptied(self->schema_step);

	for (int i = 0; i < emptied.count; i++)
		stages_expect_rewrite(self->stages, emptied.oids[i]);
}

/*
 * Refuses a transaction that has not sent the deleted rows of a table again;
 * none of it is committed.
 */
static MUST_CHECK Rc
refuse_missing_rows(const PostgresSink *self, uint32_t oid, const TxnInfo *txn,
					Error *err)
{
	const Definition *table = definition_set_find(
		schema_step_known(self->schema_step), DEFINITION_IN_CLASS, oid);
	Rc rc = error_set(
		err, ERR_CONFIG,
		"transaction %" PRIu32 ", which ends at " LSN_FORMAT
		", has altered table \"%s\".\"%s\" in a way that is not possible on "
		"%s with the rows that are there",
		txn->xid, LSN_ARGS(txn->end_lsn), table != NULL ? table->schema : "",
		table != NULL ? table->name : "", self->target.label);

	error_detail(err, "The source has not written the table anew.  Nothing of "
					  "the transaction is applied.");
	error_hint(
		err,
		"See with \"%s\" what differs, alter the table on %s, and follow "
		"again.",
		OWN_COMMAND("schema diff"), self->target.label);
	return rc;
}

/*
 * Applies schema changes in the open transaction, to which the rest of the
 * source's transaction belongs.  All cached information on the target's tables
 * is invalid afterwards.
 */
static MUST_CHECK Rc
change_schema(PostgresSink *self, const SchemaSet *schema, Error *err)
{
	PgConn *conn = lane_conn(self->applier.lane);
	size_t count = schema->count;
	const FollowedTables tables = followed_tables(self);
	const DefinitionSet *known;
	const SchemaFollowed followed = {.is_followed = is_followed,
									 .context = self};
	Rc rc = RC_OK;

	if (!self->applier.txn_open)
		rc = applier_begin(&self->applier, err);
	if (rc == RC_OK)
		rc = schema_step_read(self->schema_step, conn, &known, err);
	if (rc == RC_OK)
		rc = followed_tables_check(&tables, known, schema, err);
	if (rc == RC_OK)
		rc = schema_step_apply(self->schema_step, conn, schema, &followed, err);
	if (rc == RC_FAIL)
		explain_lock(self, err);
	self->report.index_build_lsn = lsn_max(
		self->report.index_build_lsn,
		schema_step_index_build_lsn(self->schema_step));
	if (rc == RC_OK)
	{
		followed_tables_settle(&tables, schema);
		rc = followed_tables_note(
			&tables, conn, schema_step_known(self->schema_step), schema, err);
	}
	if (rc == RC_OK)
		rc = pgconn_exec(conn, target_restore_lock_timeout_sql(&self->target),
						 NULL, err);
	if (rc != RC_OK)
		return rc;

	if (self->lacked_lock)
		log_info("apply",
				 "the schema change of transaction %" PRIu32
				 ", which ends at " LSN_FORMAT ", is made on %s",
				 schema->txn.xid, LSN_ARGS(schema->txn.end_lsn),
				 self->target.label);
	self->lacked_lock = false;

	/* Changes that were delivered while this waited are in another set. */
	CHECK(schema->count == count);
	applier_forget_table(&self->applier, NULL, NULL);
	lanes_forget_table(self->lanes, NULL, NULL);
	expect_rewrites(self);
	stages_schema_done(self->stages);
	return RC_OK;
}

/* ---- idle --------------------------------------------------------------- */

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

/* Whether the sink has applied everything that was delivered. */
static bool
holds_nothing(const PostgresSink *self)
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
	self->forgotten_lsn = self->sink.orders.everywhere_lsn;
	self->forget_us = now_us + FORGET_INTERVAL_MS * 1000;
	if (self->kept_lsn <= self->forgotten_lsn)
		self->kept_lsn = 0;
	return applier_forget_kept(&self->applier, self->forgotten_lsn, err);
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

	CHECK(!batch_is_empty(batch) && is_idle(self));
	if (missing != 0 && batch->txns[0].complete)
		return refuse_missing_rows(self, missing, &batch->txns[0].txn, err);
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
		   (!stages_is_empty(self->stages) || self->applier.txn_open);
}

static MUST_CHECK Rc
drop_interrupted(PostgresSink *self, Error *err)
{
	stages_reset(self->stages);
	self->taking = false;
	return applier_roll_back(&self->applier, err);
}

/* Decides what to do while nothing is being applied.  RC_AGAIN: nothing now. */
static MUST_CHECK Rc
work_idle(PostgresSink *self, bool source_idle, Error *err)
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
		return work_holding(self, err);
	if (self->uncopied_table != NULL && has_only_incomplete(self))
		return uncopied_refuse(self->uncopied, lane_conn(self->applier.lane),
							   self->uncopied_table, &self->uncopied_txn, err);
	if (is_interrupted(self))
		return drop_interrupted(self, err);
	schema = self->large_set_bytes == 0
				 ? stages_schema(self->stages, self->fetches != NULL)
				 : NULL;
	if (schema != NULL)
		return change_schema(self, schema, err);
	if (batch_is_ready(self, source_idle, now_us))
		return start_batch(self, err);
	if (self->fetches != NULL)
		return start_fetch(self, err);
	if (now_us >= next_forget_us(self))
		return forget_kept(self, now_us, err);
	if (holds_nothing(self) && now_us >= next_position_us(self))
		return applier_commit_position(&self->applier,
									   self->sink.orders.received_lsn, err);
	if (!target_awaits_flush(&self->target))
		return RC_AGAIN;
	if (holds_nothing(self) &&
		(hurry || self->target.flush_checks >= FLUSH_CHECKS_MAX))
		return applier_commit_position(&self->applier, self->target.noted_lsn,
									   err);
	if (now_us >= target_next_check_us(&self->target))
		return applier_check_flush(&self->applier, err);
	return RC_AGAIN;
}

/* ---- the sink ----------------------------------------------------------- */

/* Does one step of work.  RC_AGAIN: it waits for something. */
static MUST_CHECK Rc
work_once(PostgresSink *self, bool source_idle, Error *err)
{
	Rc rc = RC_AGAIN;

	if (is_idle(self))
		rc = work_idle(self, source_idle, err);
	if (rc == RC_AGAIN)
		rc = lanes_work(self->lanes, err);
	if (rc == RC_AGAIN && lanes_is_idle(self->lanes))
		rc = applier_work(&self->applier, err);
	if (rc == RC_FAIL)
		open_txns_check_blame(self->open_txns, err);
	return rc;
}

static MUST_CHECK Rc
work_open_txns(PostgresSink *self, bool source_idle, Error *err)
{
	const OpenTxnsTurn turn = {
		.others_rest = stages_is_empty(self->stages) &&
					   (is_idle(self) ||
						self->applier.state == APPLIER_CHECKING_FLUSH),
		.source_idle = source_idle,
	};

	return open_txns_work(self->open_txns, &turn, err);
}

static Rc
postgres_work(Sink *sink, bool source_idle, Error *err)
{
	PostgresSink *self = postgres_sink(sink);
	Rc rc;

	CHECK(!self->working);
	self->working = true;
	do
		rc = work_once(self, source_idle, err);
	while (rc == RC_OK);
	if (rc == RC_AGAIN)
		rc = work_open_txns(self, source_idle, err);

	/*
	 * If nothing is held, everything is applied.  After a failure that is not
	 * known.
	 */
	if (rc != RC_FAIL && holds_nothing(self))
		self->report.applied_lsn = lsn_max(self->report.applied_lsn,
										   sink->orders.received_lsn);
	if (sink->orders.mode == SINK_SETTLING)
		self->report.stopped = self->report.durable_lsn >=
							   sink->orders.received_lsn;
	if (rc == RC_FAIL)
		explain_failure(self, err);
	self->working = false;
	update_full(self);
	return rc;
}

static void
postgres_interest(const Sink *sink, Interest *interest)
{
	const PostgresSink *self = (const PostgresSink *) sink;

	applier_interest(&self->applier, interest);
	lanes_interest(self->lanes, interest);
	open_txns_interest(self->open_txns, interest);
	if (!is_idle(self) || self->report.stopped)
		return;
	if (self->holding)
	{
		interest_until(interest, self->hold_look_us);
		return;
	}
	if (target_awaits_flush(&self->target))
		interest_until(interest, target_next_check_us(&self->target));
	if (holds_nothing(self))
		interest_until(interest, next_position_us(self));
	interest_until(interest, next_forget_us(self));
	interest_until(interest, batch_due_us(self));
}

static void
postgres_free(Sink *sink)
{
	PostgresSink *self = postgres_sink(sink);

	open_txns_free(self->open_txns);
	lanes_free(self->lanes);
	applier_release(&self->applier);
	stages_free(self->stages);
	if (self->large_set_frame != NULL)
		frame_unref(self->large_set_frame);
	schema_step_free(self->schema_step);
	uncopied_free(self->uncopied);
	table_states_free(self->table_states);
	postponed_keys_release(&self->keys);
	free(self->target.label);
	free(self->target.pipeline);
	free(self->conninfo);
	free(self);
}

/*
 * Sets the positions from the target's progress.  It is durable, because
 * claiming the lease has waited for the disk.
 */
static void
start_from(PostgresSink *self, const ProgressRow *progress)
{
	Lsn lsn = progress->end_lsn;

	self->target.lease_token = progress->lease_token;
	snprintf(self->lease_holder, sizeof(self->lease_holder), "%s",
			 progress->lease_holder);
	self->target.noted_lsn = lsn;
	self->target.placed_lsn = lsn;
	self->target.position_at_us = clock_monotonic_us();
	if (progress->has_commit_time)
	{
		self->report.last_commit_lsn = progress->commit_lsn;
		self->report.last_commit_time_us = progress->commit_time_us;
	}
	self->delivered_lsn = lsn;
}

static void
set_up_open_txns(PostgresSink *self, const PostgresSinkOptions *sink_options,
				 bool marked)
{
	const SessionOptions session = {.conninfo = sink_options->conninfo,
									.label = self->target.label,
									.impatient = sink_options->impatient,
									.pipeline = self->target.pipeline};
	const OpenTxnsOptions options = {
		.target = &self->target,
		.session = &session,
		.table_states = self->table_states,
		.marked = marked,
		.part_bytes_max = self->batch_bytes_max,
	};

	self->open_txns = open_txns_new(&options);
}

/*
 * Opens further lanes.  They are not used if tables depend on each other.  If
 * the target has no replication origin left for a lane, the lane is left out,
 * because its changes could be sent back to the source.
 */
static MUST_CHECK Rc
open_lanes(PostgresSink *self, const PostgresSinkOptions *sink_options,
		   bool marked, Error *err)
{
	const SessionOptions options = {.conninfo = sink_options->conninfo,
									.label = self->target.label,
									.impatient = sink_options->impatient,
									.pipeline = self->target.pipeline};

	for (int i = 1; self->target.independent_tables && i < sink_options->lanes;
		 i++)
	{
		PgConn *conn = NULL;
		Rc rc = session_open_another(&conn, &options, marked, err);

		if (rc == RC_FAIL && err->code == ERR_CONFIG)
		{
			log_warning("apply", "%s: applying with %d lanes", err->message, i);
			error_reset(err);
			return RC_OK;
		}
		if (rc != RC_OK)
			return rc;
		lanes_add(self->lanes, conn);
	}
	return RC_OK;
}

/*
 * Removes the stored definitions, which become wrong when schema changes are
 * ignored.
 */
static MUST_CHECK Rc
forget_definitions(const PostgresSink *self, PgConn *conn, Error *err)
{
	const char *pipeline = self->target.pipeline;
	ProgressRow row = {0};
	Rc rc = pgconn_exec(conn, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = progress_table_lock(conn, pipeline, &row, err);
	if (rc == RC_OK && row.lease_token != self->target.lease_token)
		rc = states_changed(self, conn, err);
	if (rc == RC_OK)
		rc = definition_table_clear(conn, pipeline, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, "COMMIT", NULL, err);
	return rc;
}

/*
 * Gives the states of tables their OIDs, so that renamed tables keep their
 * state.
 */
static MUST_CHECK Rc
learn_names(const PostgresSink *self, PgConn *conn, Error *err)
{
	const DefinitionSet *known;
	Rc rc = schema_step_read(self->schema_step, conn, &known, err);

	if (rc == RC_OK)
		table_states_learn(self->table_states, known);
	return rc;
}

static MUST_CHECK Rc
begin_schema_step(const PostgresSink *self, const PostgresSinkOptions *options,
				  Error *err)
{
	const SchemaNotes *notes = options->notes;
	PgConn *conn = lane_conn(self->applier.lane);
	bool wanted = options->schema_policy != SCHEMA_OFF;
	bool known;
	Rc rc = pgconn_set_plain_path(conn, err);

	if (rc == RC_OK)
		rc = schema_step_begin(self->schema_step, conn, &known, err);
	if (rc == RC_OK && known && !wanted && options->only == NULL)
		rc = forget_definitions(self, conn, err);
	if (rc == RC_OK && wanted && !known)
	{
		CHECK(notes != NULL);
		rc = notes->note(notes->context, conn, self->target.lease_token, err);
		if (rc == RC_OK)
			rc = schema_step_begin(self->schema_step, conn, &known, err);
	}
	if (rc == RC_OK && wanted && !table_states_is_empty(self->table_states))
		rc = learn_names(self, conn, err);
	return rc == RC_OK ? pgconn_set_own_path(conn, err) : rc;
}

static const SinkOpenTxnOps open_txn_ops = {
	.change = take_open_change,
	.commit = take_open_commit,
	.abort = take_open_abort,
};
static const SinkFetchOps fetch_ops = {.fetch = take_fetch};
static const SinkOps postgres_ops = {
	.name = "postgres",
	.begin = take_begin,
	.change = take_change,
	.commit = take_commit,
	.open_txns = &open_txn_ops,
	.fetching = &fetch_ops,
	.work = postgres_work,
	.interest = postgres_interest,
	.free = postgres_free,
};

static SessionOptions
session_options(const PostgresSinkOptions *options)
{
	return (SessionOptions){.conninfo = options->conninfo,
							.label = options->label,
							.impatient = options->impatient,
							.pipeline = options->pipeline,
							.source = options->source,
							.rules = options->rules,
							.node = options->node,
							.memory = options->memory,
							.only = options->only,
							.only_count = options->only_count};
}

PgConnOptions
postgres_sink_connection(const PostgresSinkOptions *options)
{
	const SessionOptions session = session_options(options);

	return session_connection(&session);
}

Rc
postgres_sink_open(Sink **sink, PgConn *conn,
				   const PostgresSinkOptions *options, Error *err)
{
	const SessionOptions opening = session_options(options);
	Session session;
	PostgresSink *self;
	Rc rc;

	ASSERT(options->label != NULL && options->pipeline != NULL);
	ASSERT(options->lanes <= LANES_MAX);
	rc = session_open(&session, conn, &opening, err);

	if (rc != RC_OK)
		return rc;
	self = xcalloc(1, sizeof(PostgresSink));
	sink_init(&self->sink, &postgres_ops, &self->report,
			  session.progress.end_lsn);
	self->target.report = &self->report;
	self->target.orders = &self->sink.orders;
	self->target.label = xstrdup(options->label);
	self->target.pipeline = xstrdup(options->pipeline);
	self->report.label = self->target.label;
	self->conninfo = xstrdup(options->conninfo);
	self->impatient = options->impatient;
	self->lacked_lock = options->lacked_lock;
	self->target.independent_tables = session.independent_tables;
	self->target.rules = options->rules;
	self->target.relations_max = BATCH_RELATIONS_MAX;
	self->batch_bytes_max = options->memory_bytes / BATCH_MEMORY_PARTS;
	self->memory_shares = options->memory_shares > 0 ? options->memory_shares
													 : 1;
	self->stages = stages_new();
	self->table_states = session.table_states;
	self->schema_step = schema_step_new(
		self->target.pipeline, self->target.label, options->schema_policy,
		options->schema_rules, options->sequence_stride, self->table_states);
	self->publications = options->publications;
	self->keys = session.keys;
	self->uncopied = uncopied_new(session.copied, session.table_states);
	start_from(self, &session.progress);
	self->kept_lsn = session.has_kept ? self->report.start_lsn : 0;
	self->report.fence_lsn = session.fence_lsn;
	self->report.index_build_lsn = session.index_build_lsn;
	applier_init(&self->applier, &self->target, session.conn);
	set_up_open_txns(self, options, session.marked);
	self->target.per_transaction = options->per_transaction;
	self->lanes = lanes_new(&self->target, &self->applier);
	rc = begin_schema_step(self, options, err);
	if (rc == RC_OK && options->per_transaction)
		rc = open_lanes(self, options, session.marked, err);
	if (rc != RC_OK)
	{
		postgres_free(&self->sink);
		return rc;
	}
	*sink = &self->sink;
	return RC_OK;
}

/* Returns the PostgresSink behind any filters. */
static const PostgresSink *
last_sink(const Sink *sink)
{
	const Sink *last = sink_last(sink);

	CHECK(last->ops == &postgres_ops);
	return (const PostgresSink *) last;
}

const TableStates *
postgres_sink_table_states(const Sink *sink)
{
	return last_sink(sink)->table_states;
}

const PostponedKeys *
postgres_sink_keys(const Sink *sink)
{
	return &last_sink(sink)->keys;
}
