/*
 * postgres_sink.c
 *    Batches to transactions.
 *
 * Two batches take turns: `filling` collects what the router hands over, while
 * `applying` is under way.  So the source is read while the target works, and
 * the batch that waits grows by itself when the target is slower.
 *
 *                     ┌────────────────────────────────────────────┐
 *                     ▼                                            │
 *   IDLE ──start──► SENDING ──sync──► DRAINING ──► COMMITTING ──► IDLE
 *    │                ▲                  │ ▲
 *    │                └── COPY is done ──┤ │
 *    │                                   ▼ │
 *    │                                 COPYING
 *    └──► CHECKING_FLUSH ──► IDLE
 *
 *   IDLE            no transaction is under way, or one is open that waits for
 *                   the next part of a large source transaction
 *   SENDING         the plan's steps go out as fast as the socket takes them;
 *                   results come in and are checked
 *   DRAINING        a sync is out; when it comes back, all results have been
 *                   checked, and it goes on: to a COPY that the plan wants, or
 *                   to the commit
 *   COPYING         outside of pipeline mode: COPY cannot be pipelined
 *   COMMITTING      progress, commit, and the question where the log is, are
 *                   out; only sent when everything before was checked
 *   CHECKING_FLUSH  only the question where the log is flushed to
 *
 * A step that fails puts the batch back: everything since its start is rolled
 * back (to a savepoint, where it is a part of a larger transaction), and it is
 * applied again by the ordered plan.  If that one fails, the transactions
 * before the refused one are applied, and the sink fails and says which change
 * it was.
 *
 * Waiting: the state machine never waits.  What is rare does, for one answer of
 * the target: looking up a table for the first time, a rollback, words for an
 * error.
 */
#include "sink/postgres/postgres_sink.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "sink/postgres/batch.h"
#include "sink/postgres/conflict.h"
#include "sink/postgres/durable.h"
#include "sink/postgres/lane.h"
#include "sink/postgres/ledger.h"
#include "sink/postgres/origin.h"
#include "sink/postgres/plan.h"
#include "sink/postgres/table_cache.h"
#include "sink/postgres/table_state.h"

/* Parts of the memory setting: two batches, and what goes with them. */
#define BATCH_MEMORY_PARTS 4

/* While the source has more, a batch is not started below this. */
#define BATCH_BYTES_MIN (1 * MB)

/* Batches with fewer changes are not worth folding. */
#define FOLD_CHANGES_MIN 8

/* How often the target is asked whether it has flushed, while it is idle. */
#define FLUSH_CHECK_INTERVAL_MS 100

/* Checks after which the flush is forced, by a commit that waits for it. */
#define FLUSH_CHECKS_MAX 10

/* How often a position is noted at which there was nothing to apply. */
#define POSITION_INTERVAL_MS 1000

/* Bytes of a COPY that are handed to libpq before it has to flush. */
#define COPY_BUFFER_MAX (4 * PLAN_STATEMENT_BYTES)

/* Conflicts that are logged one by one. */
#define CONFLICTS_LOGGED_MAX 20

/* object_in_use */
#define ORIGIN_IN_USE_SQLSTATE "55006"

typedef enum SinkState
{
	STATE_IDLE,
	STATE_SENDING,
	STATE_DRAINING,
	STATE_COPYING,
	STATE_COMMITTING,
	STATE_CHECKING_FLUSH,
} SinkState;

typedef enum CopyState
{
	COPY_STARTING, /* the server has not said yet that it wants data */
	COPY_SENDING,
	COPY_ENDING, /* the server has not said yet that it has all */
} CopyState;

/* What a result is of. */
typedef enum ExpectationKind
{
	EXPECT_DONE,     /* success is all */
	EXPECT_ROWS,     /* and the right number of rows */
	EXPECT_SETTLED,  /* conflicts, if any, are settled and noted */
	EXPECT_PROGRESS, /* its failure means that the lease is lost */
	EXPECT_POSITION, /* a row with two positions */
} ExpectationKind;

typedef struct PostgresSink
{
	Sink sink; /* first */
	char *label;
	char *pipeline;
	Lane *lane;
	int64_t lease_token;
	bool independent_tables; /* foreign keys and triggers do not fire */
	int64_t conflicts;       /* that were settled */

	Batch batches[2];
	Batch *filling;
	Batch *applying; /* empty in STATE_IDLE */
	size_t batch_bytes_max;

	SinkState state;
	CopyState copy_state;
	Step step;          /* that is to be sent next, if has_step */
	bool has_step;      /* a step was taken from the plan and not yet sent */
	bool plan_ended;    /* the plan has no more */
	bool txn_open;      /* a transaction is open on the target */
	bool folded;        /* the plan is a folded one */
	bool savepoint_set; /* the batch is a part and can be rolled back alone */
	bool failed;        /* `failure` says why; results are ignored */
	Error failure;
	ConflictChange failure_change; /* that it is about */
	size_t failure_index;          /* of that, or PLAN_NO_CHANGE */
	Error stop;                    /* to fail with after the next commit */
	bool has_stop;
	bool failure_is_refusal; /* of a row: worth trying in order */
	Plan *plan;
	Params *params;
	Params *progress_params;
	Buf copy_buffer;
	StatementCache *statements;
	Statement progress_statement;
	TableCache *tables;
	TableStates *table_states;

	Lsn noted_lsn; /* that the progress table has */
	DurableQueue durable;
	int64_t open_rows;           /* applied in the open transaction's parts */
	int64_t committing_rows;     /* of the commit under way */
	Lsn committing_lsn;          /* source position of the same */
	bool committing_flushes;     /* it waits for the disk */
	int flush_checks;            /* since the last commit */
	int64_t flush_checked_at_us; /* when the target was last asked */
	int64_t position_at_us;      /* when progress last moved there */
} PostgresSink;

/* The whole of which a Sink is the first part. */
static PostgresSink *
postgres_sink(Sink *sink)
{
	return (PostgresSink *) sink;
}

/* ---- taking changes ----------------------------------------------------- */

/*
 * Two full batches are enough, and so is a single large row that takes the room
 * of both.
 */
static void
update_full(PostgresSink *self)
{
	size_t held_bytes = self->filling->bytes + self->applying->bytes;

	self->sink.full = self->state != STATE_IDLE &&
					  (self->filling->bytes >= self->batch_bytes_max ||
					   held_bytes >= 2 * self->batch_bytes_max);
}

static Rc
take_begin(Sink *sink, const TxnInfo *txn, Error *err UNUSED)
{
	batch_begin(postgres_sink(sink)->filling, txn);
	return RC_OK;
}

static Rc
take_change(Sink *sink, Frame *frame, const Change *change, Error *err UNUSED)
{
	PostgresSink *self = postgres_sink(sink);

	if (change->kind == CHANGE_MESSAGE)
		return RC_OK; /* nothing that a table could hold */
	change = table_states_select(self->table_states, frame, change,
								 batch_last_txn(self->filling)->end_lsn);
	if (change == NULL)
		return RC_OK;
	batch_add(self->filling, frame, change);
	update_full(self);
	return RC_OK;
}

static Rc
take_commit(Sink *sink, const TxnInfo *txn UNUSED, Error *err UNUSED)
{
	batch_commit(postgres_sink(sink)->filling);
	return RC_OK;
}

/* ---- failing ------------------------------------------------------------ */

/* Keeps the first failure of a batch. */
static void
note_failure(PostgresSink *self, Error *failure,
			 const ConflictChange *described, size_t change_index,
			 bool is_refusal)
{
	if (self->failed)
	{
		error_reset(failure);
		return;
	}
	self->failed = true;
	self->failure_is_refusal = is_refusal;
	self->failure_change = *described;
	self->failure_index = change_index;
	error_take(&self->failure, failure);
}

/* The change that an expectation is about, for words. */
static void
describe_change(const PostgresSink *self, const Expectation *expectation,
				ConflictChange *described)
{
	size_t index = expectation->change_index;

	*described = (ConflictChange){.table = expectation->table};
	if (index == PLAN_NO_CHANGE)
		return;
	described->change = self->applying->changes[index];
	described->txn = batch_change_txn(self->applying, index);
}

/* Logs a conflict that was settled; not each of many. */
static void
log_settled(PostgresSink *self, const ConflictChange *described)
{
	if (++self->conflicts > CONFLICTS_LOGGED_MAX)
		return;
	log_warning("apply",
				"conflict in table %s on %s settled by policy \"%s\", in "
				"transaction %u, commit LSN " LSN_FORMAT
				"; penstock.conflict has both rows%s",
				described->table->name_sql, self->label,
				policy_name(described->table->policy), described->txn->xid,
				LSN_ARGS(described->txn->commit_lsn),
				self->conflicts == CONFLICTS_LOGGED_MAX
					? "; further ones are only noted there"
					: "");
}

/* A statement of ledger.h: how many conflicts, how many rows in the end. */
static void
check_settled(PostgresSink *self, const PGresult *result,
			  const Expectation *expectation)
{
	bool conflict = PQgetvalue(result, 0, 0)[0] != '0';
	bool written = PQgetvalue(result, 0, 1)[0] != '0';
	Error failure = {0};
	ConflictChange described;

	if (!conflict)
		return;
	describe_change(self, expectation, &described);
	if (written || described.table->policy == CONFLICT_SKIP ||
		described.change->kind == CHANGE_DELETE)
	{
		log_settled(self, &described);
		return;
	}
	conflict_set_unsettled(&described, &failure);
	note_failure(self, &failure, &described, expectation->change_index, false);
}

static void
note_lease_lost(PostgresSink *self, Error *failure)
{
	Rc rc = error_set(failure, ERR_CONFIG,
					  "another consumer has taken over pipeline \"%s\" on %s",
					  self->pipeline, self->label);

	ASSERT(rc == RC_FAIL);
	(void) rc;
	error_hint(failure, "Only one consumer at a time can follow with one "
						"name.");
	note_failure(self, failure, &(ConflictChange){0}, PLAN_NO_CHANGE, false);
}

static void
note_error_result(PostgresSink *self, const PGresult *result,
				  const Expectation *expectation)
{
	Error failure = {0};
	ConflictChange described;

	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		return; /* because of a failure that came before */
	if (pgconn_check_result(lane_conn(self->lane), result, &failure) == RC_OK)
		return;
	if (expectation->kind == EXPECT_PROGRESS &&
		strcmp(failure.sqlstate, progress_table_lost_sqlstate) == 0)
	{
		note_lease_lost(self, &failure);
		return;
	}
	describe_change(self, expectation, &described);
	conflict_explain_refusal(&described, &failure);
	note_failure(self, &failure, &described, expectation->change_index,
				 !error_is_transient(&failure));
}

/* ---- results ------------------------------------------------------------ */

static void
check_rows(PostgresSink *self, const PGresult *result,
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

/* The answer to position_sql. */
static MUST_CHECK Rc
read_target_position(PostgresSink *self, const PGresult *result, Lsn *insert,
					 Lsn *flush, Error *err)
{
	if (PQntuples(result) != 1 ||
		!lsn_parse(PQgetvalue(result, 0, 0), insert) ||
		!lsn_parse(PQgetvalue(result, 0, 1), flush))
		return error_set(err, ERR_PROTOCOL, "invalid log position from %s",
						 self->label);
	return RC_OK;
}

static const char position_sql[] =
	"SELECT pg_catalog.pg_current_wal_insert_lsn(),"
	" pg_catalog.pg_current_wal_flush_lsn()";

static void
advance_durable(PostgresSink *self, Lsn lsn)
{
	if (lsn == 0)
		return;
	CHECK(lsn >= self->sink.durable_lsn);
	CHECK(lsn <= self->noted_lsn);
	self->sink.durable_lsn = lsn;
}

/* The log's position after a commit or on its own: what is durable now? */
static MUST_CHECK Rc
note_target_position(PostgresSink *self, const PGresult *result, Error *err)
{
	Lsn insert;
	Lsn flush;
	Rc rc = read_target_position(self, result, &insert, &flush, err);

	if (rc != RC_OK)
		return rc;
	if (self->state == STATE_COMMITTING)
	{
		self->noted_lsn = self->committing_lsn;
		self->sink.applied_lsn = lsn_max(self->sink.applied_lsn,
										 self->noted_lsn);
		durable_push(&self->durable, self->committing_lsn, insert);

		/* The commit waited for the disk, and so did all before it. */
		if (self->committing_flushes)
			flush = insert;
	}
	advance_durable(self, durable_take(&self->durable, flush));
	return RC_OK;
}

static MUST_CHECK Rc
handle_result(PostgresSink *self, PGresult *result,
			  const Expectation *expectation, Error *err)
{
	ExecStatusType status = PQresultStatus(result);
	Rc rc = RC_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		note_error_result(self, result, expectation);
	else if (expectation->kind == EXPECT_ROWS)
		check_rows(self, result, expectation);
	else if (expectation->kind == EXPECT_SETTLED)
		check_settled(self, result, expectation);
	else if (expectation->kind == EXPECT_POSITION && !self->failed)
		rc = note_target_position(self, result, err);
	PQclear(result);
	return rc;
}

/* Takes all results that are here.  RC_END: the sync came back. */
static MUST_CHECK Rc
receive_results(PostgresSink *self, Error *err)
{
	for (;;)
	{
		PGresult *result = NULL;
		Expectation expectation;
		Rc rc = lane_receive(self->lane, &result, &expectation, err);

		if (rc == RC_OK)
			rc = handle_result(self, result, &expectation, err);
		if (rc != RC_OK)
			return rc;
	}
}

/* ---- sending ------------------------------------------------------------ */

static MUST_CHECK Rc
send_plain(PostgresSink *self, const char *sql, ExpectationKind kind,
		   Error *err)
{
	Expectation expectation = {.kind = (int) kind,
							   .rows_expected = -1,
							   .change_index = PLAN_NO_CHANGE};

	return lane_send_sql(self->lane, sql, &expectation, err);
}

static MUST_CHECK Rc
send_step(PostgresSink *self, Error *err)
{
	Expectation expectation = {
		.kind = EXPECT_ROWS,
		.rows_expected = self->step.rows_expected,
		.change_index = self->step.change_index,
		.table = self->step.table,
	};

	FAULT("apply.before_statement");
	self->has_step = false;
	if (self->step.kind == STEP_SETTLE)
		expectation.kind = EXPECT_SETTLED;
	if (self->step.statement == NULL)
		return lane_send_sql(self->lane, self->step.sql, &expectation, err);
	return lane_send_statement(self->lane, self->step.statement, self->params,
							   &expectation, err);
}

/* Takes the plan's next step, unless one waits to be sent. */
static void
take_step(PostgresSink *self)
{
	if (self->has_step || self->plan_ended)
		return;
	params_reset(self->params);
	plan_next(self->plan, self->params, &self->step);
	self->plan_ended = self->step.kind == STEP_END;
	self->has_step = !self->plan_ended;
}

/* Sends steps until the socket is full, a COPY is due, or the plan ends. */
static MUST_CHECK Rc
send_steps(PostgresSink *self, Error *err)
{
	while (!lane_is_blocked(self->lane) && !self->failed)
	{
		Rc rc;

		take_step(self);
		if (self->plan_ended || self->step.kind == STEP_COPY)
			break;
		rc = send_step(self, err);
		if (rc != RC_OK)
			return rc;
	}
	if (lane_is_blocked(self->lane) && !self->failed)
		return lane_flush(self->lane, err);
	self->state = STATE_DRAINING;
	return lane_send_sync(self->lane, err);
}

/* ---- COPY --------------------------------------------------------------- */

static MUST_CHECK Rc
start_copy(PostgresSink *self, Error *err)
{
	const TargetTable *table = self->step.table;
	Buf sql;
	int sent;
	Rc rc = lane_leave_pipeline(self->lane, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "COPY %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_append_string(&sql, ") FROM STDIN (FORMAT binary)");
	sent = PQsendQuery(pgconn_raw(lane_conn(self->lane)), sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(lane_conn(self->lane),
									   "lost the connection to", err);
	self->state = STATE_COPYING;
	self->copy_state = COPY_STARTING;
	return lane_flush(self->lane, err);
}

/* RC_OK when libpq can answer without waiting. */
static MUST_CHECK Rc
copy_result_is_here(PostgresSink *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);

	if (!PQconsumeInput(pgconn_raw(conn)))
		return pgconn_connection_error(conn, "lost the connection to", err);
	return PQisBusy(pgconn_raw(conn)) ? RC_AGAIN : RC_OK;
}

/* Goes on behind a COPY, good or bad. */
static MUST_CHECK Rc
finish_copy(PostgresSink *self, Error *err)
{
	Rc rc = lane_enter_pipeline(self->lane, err);

	FAULT("apply.after_copy");
	self->has_step = false;
	self->state = STATE_SENDING;
	return rc;
}

static MUST_CHECK Rc
receive_copy_result(PostgresSink *self, Error *err)
{
	PGconn *pg = pgconn_raw(lane_conn(self->lane));
	Expectation expectation = {.rows_expected = self->step.rows_expected,
							   .change_index = PLAN_NO_CHANGE,
							   .table = self->step.table};

	for (;;)
	{
		Rc rc = copy_result_is_here(self, err);
		PGresult *result;

		if (rc != RC_OK)
			return rc;
		result = PQgetResult(pg);
		if (result == NULL)
			return finish_copy(self, err);
		if (PQresultStatus(result) == PGRES_COPY_IN)
		{
			PQclear(result);
			self->copy_state = COPY_SENDING;
			return RC_OK;
		}
		if (PQstatus(pg) == CONNECTION_BAD)
		{
			PQclear(result);
			return pgconn_connection_error(lane_conn(self->lane),
										   "lost the connection to", err);
		}
		expectation.kind = EXPECT_ROWS;
		rc = handle_result(self, result, &expectation, err);
		if (rc != RC_OK)
			return rc;
	}
}

static MUST_CHECK Rc
send_copy_rows(PostgresSink *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);
	PGconn *pg = pgconn_raw(conn);
	Buf *rows = &self->copy_buffer;

	while (!lane_is_blocked(self->lane))
	{
		bool more;
		int sent;
		Rc rc;

		buf_reset(rows);
		more = plan_copy_rows(self->plan, rows);
		CHECK(!rows->overflowed);
		sent = more ? PQputCopyData(pg, rows->data, (int) rows->length)
					: PQputCopyEnd(pg, NULL);
		if (sent != 1)
			return pgconn_connection_error(conn, "lost the connection to", err);
		rc = lane_flush(self->lane, err);
		if (rc != RC_OK)
			return rc;
		if (!more)
		{
			self->copy_state = COPY_ENDING;
			return RC_OK;
		}
	}
	return RC_AGAIN;
}

static MUST_CHECK Rc
work_copy(PostgresSink *self, Error *err)
{
	Rc rc = lane_flush(self->lane, err);

	if (rc != RC_OK)
		return rc;
	switch (self->copy_state)
	{
		case COPY_STARTING:
		case COPY_ENDING:
			return receive_copy_result(self, err);
		case COPY_SENDING:
			return send_copy_rows(self, err);
	}
	return RC_OK;
}

/* ---- committing --------------------------------------------------------- */

/* A position as a parameter of progress_table_advance_sql. */
static void
add_lsn_param(Params *params, Lsn lsn)
{
	char *text = arena_printf(params->arena, LSN_FORMAT, LSN_ARGS(lsn));

	params_add_bytes(params, TYPE_TEXT, text, (int) strlen(text));
}

static void
add_null_param(Params *params, Oid type)
{
	params_add_bytes(params, type, NULL, 0);
}

/* Parameters of progress_table_advance_sql; `txn` is NULL if only the position
 * moves. */
static void
build_progress_params(PostgresSink *self, const TxnInfo *txn,
					  int64_t transactions, int64_t rows)
{
	Params *params = self->progress_params;

	params_reset(params);
	params_add_bytes(params, TYPE_TEXT, self->pipeline,
					 (int) strlen(self->pipeline));
	params_add_int8(params, self->lease_token);
	if (txn != NULL)
		add_lsn_param(params, txn->commit_lsn);
	else
		add_null_param(params, TYPE_TEXT);
	add_lsn_param(params, self->committing_lsn);
	if (txn != NULL)
		params_add_int8(params, txn->commit_time_us);
	else
		add_null_param(params, TYPE_INT8);
	params_add_int8(params, transactions);
	params_add_int8(params, rows);
}

/* Progress, commit, and where the log is then; in one round. */
static MUST_CHECK Rc
send_commit(PostgresSink *self, Error *err)
{
	Expectation expectation = {.kind = EXPECT_PROGRESS,
							   .change_index = PLAN_NO_CHANGE};
	Rc rc = RC_OK;

	FAULT("apply.before_commit");
	self->committing_flushes = self->has_stop ||
							   self->sink.mode != SINK_RUNNING ||
							   self->sink.position_wanted ||
							   self->flush_checks >= FLUSH_CHECKS_MAX;
	if (self->committing_flushes)
		rc = send_plain(self, "SET LOCAL synchronous_commit = local",
						EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = lane_send_statement(self->lane, &self->progress_statement,
								 self->progress_params, &expectation, err);
	if (rc == RC_OK)
		rc = send_plain(self, "COMMIT", EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = send_plain(self, position_sql, EXPECT_POSITION, err);
	if (rc == RC_OK)
		rc = lane_send_sync(self->lane, err);
	FAULT("apply.commit_sent");
	self->state = STATE_COMMITTING;
	return rc;
}

static MUST_CHECK Rc
commit_batch(PostgresSink *self, Error *err)
{
	const Batch *batch = self->applying;
	const TxnInfo *last = &batch->txns[batch->txn_count - 1].txn;

	self->committing_lsn = last->end_lsn;
	self->committing_rows = self->open_rows + (int64_t) batch->change_count;
	build_progress_params(self, last, (int64_t) batch->txn_count,
						  self->committing_rows);
	return send_commit(self, err);
}

/* Notes a position up to which there was nothing to apply. */
static MUST_CHECK Rc
commit_position(PostgresSink *self, Lsn lsn, Error *err)
{
	Rc rc;

	ASSERT(!self->txn_open);
	self->folded = false;
	self->savepoint_set = false;
	self->committing_lsn = lsn;
	self->committing_rows = 0;
	build_progress_params(self, NULL, 0, 0);
	rc = lane_enter_pipeline(self->lane, err);
	if (rc == RC_OK)
		rc = send_plain(self, "BEGIN", EXPECT_DONE, err);
	if (rc == RC_OK)
		rc = send_commit(self, err);
	return rc;
}

/* ---- batches ------------------------------------------------------------ */

static MUST_CHECK Rc
make_plan(PostgresSink *self, bool folded, Error *err)
{
	PlanInput input = {.batch = self->applying,
					   .statements = self->statements,
					   .lookup = table_cache_get,
					   .lookup_context = self->tables,
					   .pipeline = self->pipeline};
	Rc rc = RC_OK;

	plan_free(self->plan);
	self->plan = folded ? plan_folded_new(&input) : plan_ordered_new(&input);
	self->folded = folded;
	self->plan_ended = false;
	self->has_step = false;
	self->savepoint_set = false;
	rc = lane_enter_pipeline(self->lane, err);
	if (rc == RC_OK && !self->txn_open)
		rc = send_plain(self, "BEGIN", EXPECT_DONE, err);
	else if (rc == RC_OK)
	{
		self->savepoint_set = true;
		rc = send_plain(self, "SAVEPOINT penstock", EXPECT_DONE, err);
	}
	self->txn_open = true;
	self->state = STATE_SENDING;
	return rc;
}

/* Prepared statements are only forgotten between transactions' steps. */
static MUST_CHECK Rc
forget_statements(PostgresSink *self, Error *err)
{
	statement_cache_reset(self->statements);
	self->progress_statement.prepared = false;
	return pgconn_exec(lane_conn(self->lane), "DEALLOCATE ALL", NULL, err);
}

/* Few changes are sent as they are, unless they are large: see plan_folded.c.
 */
static bool
is_worth_folding(const PostgresSink *self, const Batch *batch)
{
	return self->independent_tables &&
		   (batch->change_count >= FOLD_CHANGES_MIN ||
			batch->bytes >= BATCH_BYTES_MIN);
}

static MUST_CHECK Rc
start_batch(PostgresSink *self, Error *err)
{
	Batch *batch = self->filling;
	Rc rc = RC_OK;

	self->filling = self->applying;
	self->applying = batch;
	batch_split_incomplete(batch, self->filling);
	batch_continue(batch, self->filling);
	if (statement_cache_is_full(self->statements))
		rc = forget_statements(self, err);
	if (rc == RC_OK)
		rc = table_cache_prepare(self->tables, lane_conn(self->lane), batch,
								 err);
	if (rc == RC_OK)
		rc = make_plan(self, is_worth_folding(self, batch), err);
	return rc;
}

/* Back to idle; a part of a large transaction leaves it open. */
static MUST_CHECK Rc
finish_round(PostgresSink *self, Error *err)
{
	Rc rc = lane_leave_pipeline(self->lane, err);

	plan_free(self->plan);
	self->plan = NULL;
	batch_reset(self->applying);
	self->state = STATE_IDLE;
	update_full(self);
	return rc;
}

/* Rolls back what the batch has done so far. */
static MUST_CHECK Rc
undo_batch(PostgresSink *self, Error *err)
{
	Rc rc = lane_leave_pipeline(self->lane, err);

	FAULT("apply.before_rollback");
	if (rc == RC_OK)
		rc = pgconn_exec(lane_conn(self->lane),
						 self->savepoint_set ? "ROLLBACK TO SAVEPOINT penstock"
											 : "ROLLBACK",
						 NULL, err);
	self->txn_open = self->savepoint_set;

	/* Statements after the failure were skipped, their preparing too. */
	if (rc == RC_OK)
		rc = forget_statements(self, err);
	return rc;
}

/*
 * A change was refused for good.  The transactions before it are whole, and
 * there is nothing wrong with them: apply them first.  False if there are none.
 */
static bool
keep_transactions_before(PostgresSink *self)
{
	Batch *batch = self->applying;
	size_t txn_index;

	if (self->failure_index == PLAN_NO_CHANGE || self->has_stop ||
		error_is_transient(&self->failure) ||
		(batch->continues && !self->savepoint_set))
		return false;
	txn_index = batch_change_txn_index(batch, self->failure_index);
	if (txn_index == 0)
		return false;
	batch_truncate(batch, txn_index);
	error_take(&self->stop, &self->failure);
	self->has_stop = true;
	return true;
}

/*
 * A round in which something failed is over.  The first part of a large
 * transaction can be done again; it cannot when parts before are gone with it.
 */
static MUST_CHECK Rc
recover(PostgresSink *self, Error *err)
{
	bool can_retry;
	Rc rc;

	/* A commit that failed has taken the savepoint with it. */
	if (self->state == STATE_COMMITTING)
		self->savepoint_set = false;
	can_retry = self->folded && self->failure_is_refusal &&
				(!self->applying->continues || self->savepoint_set);
	rc = undo_batch(self, err);
	if (rc != RC_OK)
		return rc;
	self->failed = false;
	if (!can_retry)
	{
		conflict_add_key(lane_conn(self->lane), &self->failure_change,
						 &self->failure);
		if (keep_transactions_before(self))
			return make_plan(self, false, err);
		error_take(err, &self->failure);
		return RC_FAIL;
	}
	log_debug("apply",
			  "%s refused a batch of %zu changes as a whole, applying it in "
			  "order: %s",
			  self->label, self->applying->change_count, self->failure.message);
	error_reset(&self->failure);
	return make_plan(self, false, err);
}

/* All results of a round have come in. */
static MUST_CHECK Rc
round_is_over(PostgresSink *self, Error *err)
{
	const Batch *batch = self->applying;

	if (self->failed)
		return recover(self, err);
	if (self->state == STATE_COMMITTING || self->state == STATE_CHECKING_FLUSH)
	{
		if (self->state == STATE_COMMITTING)
		{
			FAULT("apply.after_commit");
			self->txn_open = false;
			self->position_at_us = clock_monotonic_us();
			self->flush_checks = 0;
			self->sink.transactions += (int64_t) batch->txn_count;
			self->sink.rows += self->committing_rows;
			self->open_rows = 0;
		}
		self->flush_checked_at_us = clock_monotonic_us();
		if (self->has_stop)
		{
			error_take(err, &self->stop);
			return RC_FAIL;
		}
		return finish_round(self, err);
	}
	if (self->has_step && self->step.kind == STEP_COPY)
		return start_copy(self, err);
	if (!self->plan_ended)
	{
		self->state = STATE_SENDING;
		return RC_OK;
	}
	if (batch->txns[batch->txn_count - 1].complete)
		return commit_batch(self, err);
	if (self->savepoint_set)
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
	self->open_rows += (int64_t) batch->change_count;
	return finish_round(self, err);
}

/* ---- idle --------------------------------------------------------------- */

static bool
batch_is_ready(const PostgresSink *self, bool source_idle)
{
	const Batch *batch = self->filling;

	if (batch->bytes >= self->batch_bytes_max)
		return true;
	if (batch_complete_count(batch) == 0)
		return false;
	return source_idle || self->sink.mode == SINK_DRAINING ||
		   batch->bytes >= BATCH_BYTES_MIN;
}

/* Whether it holds nothing that it was given. */
static bool
holds_nothing(const PostgresSink *self)
{
	return batch_is_empty(self->filling) && batch_is_empty(self->applying) &&
		   !self->sink.in_transaction && !self->txn_open;
}

static MUST_CHECK Rc
check_flush(PostgresSink *self, Error *err)
{
	Rc rc = lane_enter_pipeline(self->lane, err);

	self->flush_checks++;
	if (rc == RC_OK)
		rc = send_plain(self, position_sql, EXPECT_POSITION, err);
	if (rc == RC_OK)
		rc = lane_send_sync(self->lane, err);
	self->state = STATE_CHECKING_FLUSH;
	return rc;
}

static int64_t
next_flush_check_us(const PostgresSink *self)
{
	return self->flush_checked_at_us + FLUSH_CHECK_INTERVAL_MS * 1000;
}

/* When a position with nothing to apply is to be noted. */
static int64_t
next_position_us(const PostgresSink *self)
{
	if (self->sink.received_lsn <= self->noted_lsn)
		return INT64_MAX;
	if (self->sink.position_wanted || self->sink.mode == SINK_DRAINING)
		return 0;
	return self->position_at_us + POSITION_INTERVAL_MS * 1000;
}

/* In SINK_STOPPING nothing new is started; what is committed gets durable. */
static MUST_CHECK Rc
work_stopping(PostgresSink *self, Error *err)
{
	batch_reset(self->filling);
	if (self->txn_open)
	{
		Rc rc = pgconn_exec(lane_conn(self->lane), "ROLLBACK", NULL, err);

		if (rc != RC_OK)
			return rc;
		self->txn_open = false;
	}
	if (self->sink.durable_lsn < self->noted_lsn)
		return commit_position(self, self->noted_lsn, err);
	self->sink.stopped = true;
	return RC_AGAIN;
}

/* RC_AGAIN: there is nothing to do now. */
static MUST_CHECK Rc
work_idle(PostgresSink *self, bool source_idle, Error *err)
{
	int64_t now_us = clock_monotonic_us();
	bool hurry = self->sink.position_wanted || self->sink.mode == SINK_DRAINING;

	if (self->sink.mode == SINK_STOPPING)
		return self->sink.stopped ? RC_AGAIN : work_stopping(self, err);
	if (batch_is_ready(self, source_idle))
		return start_batch(self, err);
	if (holds_nothing(self) && now_us >= next_position_us(self))
		return commit_position(self, self->sink.received_lsn, err);
	if (durable_is_empty(&self->durable))
		return RC_AGAIN;
	if (holds_nothing(self) &&
		(hurry || self->flush_checks >= FLUSH_CHECKS_MAX))
		return commit_position(self, self->noted_lsn, err);
	if (now_us >= next_flush_check_us(self))
		return check_flush(self, err);
	return RC_AGAIN;
}

/* Notices a server that went away while nothing was asked of it. */
static MUST_CHECK Rc
listen_idle(PostgresSink *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);

	if (!PQconsumeInput(pgconn_raw(conn)))
		return pgconn_connection_error(conn, "lost the connection to", err);
	return RC_AGAIN;
}

/* ---- the sink ----------------------------------------------------------- */

/* One move of the state machine; RC_AGAIN: it waits for something. */
static MUST_CHECK Rc
work_once(PostgresSink *self, bool source_idle, Error *err)
{
	Rc rc;

	switch (self->state)
	{
		case STATE_IDLE:
			rc = work_idle(self, source_idle, err);
			return rc == RC_AGAIN ? listen_idle(self, err) : rc;
		case STATE_COPYING:
			return work_copy(self, err);
		case STATE_SENDING:
			rc = receive_results(self, err);
			if (rc == RC_FAIL)
				return rc;
			rc = lane_flush(self->lane, err);
			if (rc != RC_OK || lane_is_blocked(self->lane))
				return rc == RC_OK ? RC_AGAIN : rc;
			return send_steps(self, err);
		case STATE_DRAINING:
		case STATE_COMMITTING:
		case STATE_CHECKING_FLUSH:
			rc = lane_flush(self->lane, err);
			if (rc == RC_OK)
				rc = receive_results(self, err);
			return rc == RC_END ? round_is_over(self, err) : rc;
	}
	return RC_AGAIN;
}

static Rc
postgres_work(Sink *sink, bool source_idle, Error *err)
{
	PostgresSink *self = postgres_sink(sink);
	Rc rc;

	do
		rc = work_once(self, source_idle, err);
	while (rc == RC_OK);

	/* Where nothing is held there was nothing to apply. */
	if (holds_nothing(self))
		sink->applied_lsn = lsn_max(sink->applied_lsn, sink->received_lsn);
	update_full(self);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static void
postgres_interest(const Sink *sink, SinkInterest *interest)
{
	const PostgresSink *self = (const PostgresSink *) sink;
	bool busy = self->state != STATE_IDLE;

	interest->fd = PQsocket(pgconn_raw(lane_conn(self->lane)));
	interest->events = (short) (POLLIN |
								(lane_wants_write(self->lane) ? POLLOUT : 0));
	if (busy)
		return;
	if (!durable_is_empty(&self->durable))
		interest->deadline_us = next_flush_check_us(self);
	if (holds_nothing(self) && next_position_us(self) < interest->deadline_us)
		interest->deadline_us = next_position_us(self);
}

static void
postgres_free(Sink *sink)
{
	PostgresSink *self = postgres_sink(sink);

	plan_free(self->plan);
	lane_free(self->lane);
	for (size_t i = 0; i < LENGTH_OF(self->batches); i++)
		batch_release(&self->batches[i]);
	table_cache_free(self->tables);
	table_states_free(self->table_states);
	statement_cache_free(self->statements);
	params_free(self->params);
	params_free(self->progress_params);
	buf_release(&self->copy_buffer);
	error_reset(&self->failure);
	error_reset(&self->stop);
	free(self->label);
	free(self->pipeline);
	free(self);
}

/* ---- opening ------------------------------------------------------------ */

/*
 * With session_replication_role = replica, foreign keys and ordinary triggers
 * do not fire for what we apply: the source has checked and fired them.  Not
 * every role may set it; then order is kept strictly.
 */
static MUST_CHECK Rc
set_replica_role(PostgresSink *self, Error *err)
{
	Rc rc = pgconn_exec(lane_conn(self->lane),
						"SET session_replication_role = replica", NULL, err);

	self->independent_tables = rc == RC_OK;
	if (rc != RC_FAIL || strcmp(err->sqlstate, "42501") != 0)
		return rc;
	error_reset(err);
	log_warning("apply",
				"the role on %s may not set session_replication_role: "
				"triggers and foreign keys fire for applied rows, and changes "
				"are applied one by one",
				self->label);
	return RC_OK;
}

/*
 * An origin is for one session at a time.  The slot is ours, so whoever has the
 * origin lost the slot: a consumer that hangs, or whose machine is gone without
 * a word, which the target may not notice for hours.  Its session is ended, and
 * the next attempt finds the origin free.
 */
static void
end_predecessor(PostgresSink *self, const SourceIdentity *source)
{
	Error failure = {0};
	bool ended;
	Rc rc = progress_table_end_holder(lane_conn(self->lane), self->pipeline,
									  source, &ended, &failure);

	if (rc == RC_OK && ended)
		log_warning("apply",
					"ended the session on %s of another consumer, which has "
					"lost the slot",
					self->label);
	error_reset(&failure); /* why the origin is not to be had says enough */
}

static MUST_CHECK Rc
set_origin(PostgresSink *self, const SourceIdentity *source, Error *err)
{
	bool marked;
	Rc rc = origin_set_up(lane_conn(self->lane), self->pipeline, &marked, err);

	if (rc == RC_FAIL && strcmp(err->sqlstate, ORIGIN_IN_USE_SQLSTATE) == 0)
		end_predecessor(self, source);
	if (rc == RC_OK && !marked)
		log_info("apply",
				 "the role on %s may not set a replication origin: a pipeline "
				 "from there cannot tell our changes from local ones",
				 self->label);
	return rc;
}

/*
 * The planner knows nothing of the keys that we send, and may know nothing of
 * the table; what it must do is known: look each key up in the index.
 */
static const char session_sql[] = "SET synchronous_commit = local;"
								  "SET plan_cache_mode = force_generic_plan;"
								  "SET enable_hashjoin = off;"
								  "SET enable_mergejoin = off;"
								  "SET enable_seqscan = off;"
								  "SET enable_bitmapscan = off;"
								  "SET enable_material = off;"
								  "SET max_parallel_workers_per_gather = 0";

static MUST_CHECK Rc
check_source(PostgresSink *self, const ProgressRow *row,
			 const SourceIdentity *source, Error *err)
{
	Rc rc;

	if (strcmp(row->source.system_identifier, source->system_identifier) == 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "%s was copied from another server than the source",
				   self->label);
	error_detail(err,
				 "Its progress in pipeline \"%s\" belongs to system %s; the "
				 "source is system %s.",
				 self->pipeline, row->source.system_identifier,
				 source->system_identifier);
	error_hint(err, "Connect to the server that it was copied from, or copy it "
					"again.");
	return rc;
}

static MUST_CHECK Rc
open_session(PostgresSink *self, const PostgresSinkOptions *options, Error *err)
{
	PgConnOptions conn_options = {.conninfo = options->conninfo,
								  .label = options->label,
								  .application_name = "penstock",
								  .kind = PGCONN_DATA};
	PgConn *conn = NULL;
	ProgressRow row;
	Rc rc = pgconn_open(&conn, &conn_options, err);

	if (rc != RC_OK)
		return rc;
	self->lane = lane_new(conn);
	rc = pgconn_exec(conn, session_sql, NULL, err);
	/* Before anything that a consumer with the right source would notice. */
	if (rc == RC_OK)
		rc = progress_table_read(conn, self->pipeline, &row, err);
	if (rc == RC_OK && row.exists)
		rc = check_source(self, &row, &options->source, err);
	if (rc == RC_OK)
		rc = set_replica_role(self, err);
	if (rc == RC_OK)
		rc = set_origin(self, &options->source, err);
	if (rc == RC_OK && policy_is_lenient(options->rules))
		rc = ledger_create(conn, err);
	if (rc == RC_OK)
		rc = progress_table_claim(conn, self->pipeline, &row, err);
	if (rc == RC_OK)
		rc = check_source(self, &row, &options->source, err);
	if (rc == RC_OK)
		rc = table_states_read(&self->table_states, conn, self->pipeline, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, "SET synchronous_commit = off", NULL, err);
	if (rc != RC_OK)
		return rc;

	/* Claiming waited for the disk, and so for all that was read. */
	self->lease_token = row.lease_token;
	self->sink.start_lsn = row.end_lsn;
	self->noted_lsn = row.end_lsn;
	self->sink.applied_lsn = row.end_lsn;
	self->sink.received_lsn = row.end_lsn;
	self->sink.durable_lsn = row.end_lsn;
	self->position_at_us = clock_monotonic_us();
	return RC_OK;
}

Rc
postgres_sink_open(Sink **sink, const PostgresSinkOptions *options, Error *err)
{
	static const SinkOps ops = {
		.name = "postgres",
		.begin = take_begin,
		.change = take_change,
		.commit = take_commit,
		.work = postgres_work,
		.interest = postgres_interest,
		.free = postgres_free,
	};
	PostgresSink *self = xcalloc(1, sizeof(PostgresSink));
	Rc rc;

	self->sink.ops = &ops;
	self->label = xstrdup(options->label);
	self->pipeline = xstrdup(options->pipeline);
	self->filling = &self->batches[0];
	self->applying = &self->batches[1];
	self->batch_bytes_max = options->memory_bytes / BATCH_MEMORY_PARTS;
	self->params = params_new();
	self->progress_params = params_new();
	buf_init(&self->copy_buffer, COPY_BUFFER_MAX);
	self->statements = statement_cache_new();
	self->tables = table_cache_new(options->rules);
	self->progress_statement = (Statement){.name = "penstock_progress",
										   .sql = progress_table_advance_sql};
	rc = open_session(self, options, err);
	if (rc != RC_OK)
	{
		postgres_free(&self->sink);
		return rc;
	}
	*sink = &self->sink;
	return RC_OK;
}
