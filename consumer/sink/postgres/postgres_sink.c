/*
 * postgres_sink.c
 *    Opens the sink, and does one step of work after the other.
 *
 * There are two batches: one collects what the router delivers, while the
 * applier applies the other.  So the source is read while the target works, and
 * the waiting batch grows if the target is slower.  Schema changes divide what
 * waits into stages (plan/stages.h).
 *
 * take.c takes what is delivered.  idle.c decides what the applier does next:
 * start the next batch, commit a position, query the flush position.  applier.h
 * describes how a batch is applied, open_txns.h how open transactions are.
 */
#include "sink/postgres/postgres_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "control/definition_table.h"
#include "sink/postgres/apply/session.h"
#include "sink/postgres/idle.h"
#include "sink/postgres/lease.h"
#include "sink/postgres/sink_state.h"
#include "sink/postgres/take.h"

/* Does one step of work.  RC_AGAIN: it waits for something. */
static MUST_CHECK Rc
work_once(PostgresSink *self, bool source_idle, Error *err)
{
	Rc rc = RC_AGAIN;

	if (sink_state_is_idle(self))
		rc = idle_work(self, source_idle, err);
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
		.rest_is_idle = stages_is_empty(self->stages) &&
						(sink_state_is_idle(self) ||
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
	if (rc != RC_FAIL && idle_holds_nothing(self))
		self->report.applied_lsn = lsn_max(self->report.applied_lsn,
										   sink->orders.received_lsn);
	if (sink->orders.mode == SINK_SETTLING)
		self->report.stopped = self->report.durable_lsn >=
							   sink->orders.received_lsn;
	if (rc == RC_FAIL)
		lease_explain_failure(self, err);
	self->working = false;
	take_update_full(self);
	return rc;
}

static void
postgres_interest(const Sink *sink, Interest *interest)
{
	const PostgresSink *self = (const PostgresSink *) sink;

	applier_interest(&self->applier, interest);
	lanes_interest(self->lanes, interest);
	open_txns_interest(self->open_txns, interest);
	idle_interest(self, interest);
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
	placed_columns_release(&self->columns);
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
			log_warning("apply.fewer-lanes", "%s: applying with %d lanes",
						err->message, i);
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
		rc = lease_states_changed(self, conn, err);
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
	self->placed = options->node != NULL;
	self->chooses_tables = options->chooses_tables;
	self->keys = session.keys;
	self->columns = session.columns;
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

/* Returns the PostgresSink, which may stand after filters. */
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

void
postgres_sink_take_columns(Sink *sink, PlacedColumnsList *list)
{
	PostgresSink *self;

	while (sink->next != NULL)
		sink = sink->next;
	CHECK(sink->ops == &postgres_ops);
	self = postgres_sink(sink);
	*list = self->columns;
	self->columns = (PlacedColumnsList){0};
}
