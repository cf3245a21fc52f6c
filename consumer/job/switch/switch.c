/*
 * switch.c
 *    Moves writes; switch.h numbers the steps.
 */
#include "job/switch/switch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "check/ends.h"
#include "control/progress_table.h"
#include "control/schema.h"
#include "job/fence.h"
#include "job/switch/hooks.h"
#include "job/switch/locks.h"
#include "job/switch/readiness.h"
#include "job/switch/rights.h"
#include "job/switch/state.h"
#include "job/switch/tables.h"
#include "job/switch/way_back.h"
#include "net/pgconn_open.h"
#include "pipeline/remember.h"
#include "sequence/sequences.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/*
 * Size of the text of a step, and of the text that says who has begun a switch.
 */
#define STEP_SIZE  512
#define OWNER_SIZE 256

/*
 * Milliseconds between two queries whether the COMMIT has happened, and until
 * the answer must be known.
 */
#define SETTLE_PAUSE_MS 500
#define SETTLE_MS_MAX   60000

/*
 * Milliseconds between two checks whether the follower has left its slot, and
 * until it must have left.
 */
#define LEAVE_PAUSE_MS 100
#define LEAVE_MS_MAX   15000

/* Milliseconds that we wait for the lock of each table whose triggers are to be
 * dropped. */
#define DROP_LOCK_MS 200

/*
 * Milliseconds, beyond max_stall_s, that our transaction on the source may be
 * idle.  The source ends it then, in case this machine is lost.
 */
#define IDLE_MORE_MS 2000

void
switch_step(Switch *self, const char *format, ...)
{
	char text[STEP_SIZE];
	int64_t now_us = clock_monotonic_us();
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report_line(self->report, "%8.3f s  %s",
				(double) (now_us - self->step_us) / 1e6, text);
	self->step_us = now_us;
}

/* ---- 1: looking --------------------------------------------------------- */

static MUST_CHECK Rc
limit_locks(PgConn *conn, int seconds, Error *err)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SET lock_timeout = '%ds'", seconds);
	return pgconn_exec(conn, sql, NULL, err);
}

static MUST_CHECK Rc
open_server(const Switch *self, PgConn **conn, const char *conninfo,
			const char *label, Error *err)
{
	Rc rc = pgconn_open(conn,
						&(PgConnOptions){.conninfo = conninfo,
										 .label = label,
										 .application_name = "penstock switch",
										 .kind = PGCONN_DATA},
						err);

	return rc == RC_OK ? limit_locks(*conn, self->config.max_wait_s, err) : rc;
}

static MUST_CHECK Rc
open_all(Switch *self, Error *err)
{
	const Config *config = &self->config;
	char label[CONFIG_LABEL_SIZE];
	Rc rc = open_server(self, &self->source, config->source, "source", err);

	if (rc == RC_OK)
		rc = open_server(self, &self->aside, config->source, "source", err);
	config_label_target(config, 0, label);
	if (rc == RC_OK)
		rc = open_server(self, &self->target, config->targets[0], label, err);
	if (rc == RC_OK)
		rc = ends_check(self->source, self->target, config->name, NULL, err);
	return rc;
}

/* Takes the lock of the move on one server. */
static MUST_CHECK Rc
take_move(Switch *self, PgConn *conn, Error *err)
{
	const char *holder = NULL;
	bool taken;
	Rc rc = switch_table_take(conn, self->move, self->arena, &taken, &holder,
							  err);

	if (rc != RC_OK || taken)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "another command works on pipeline \"%s\" now", self->move);
	error_detail(err, "On %s it is %s.", pgconn_label(conn), holder);
	error_hint(err, "Wait until that has ended, and look at \"penstock "
					"status\" then.");
	return rc;
}

static MUST_CHECK Rc
take_both(Switch *self, Error *err)
{
	Rc rc = take_move(self, self->source, err);

	if (rc == RC_OK)
		rc = take_move(self, self->target, err);
	if (rc == RC_OK)
		rc = switch_table_read(self->source, self->config.name, self->arena,
							   &self->found, err);
	return rc;
}

/*
 * Does what step 9 does on the target, but for the row of progress, which the
 * follower uses, and rolls it back.  What failed only then would leave both
 * servers refusing writes.
 */
static MUST_CHECK Rc
try_opening(Switch *self, Error *err)
{
	Error ignored = {0};
	Rc rc = pgconn_exec(self->target, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = progress_table_check_close(self->target, err);
	if (rc == RC_OK)
		rc = refusal_open(self->target, self->back, err);
	if (rc == RC_OK)
		rc = switch_table_remove(self->target, self->back, err);
	if (rc == RC_FAIL)
	{
		error_context(err, "trying what opens the target for writes");
		error_hint(err, "The role on the target has to own what earlier "
						"commands have made in schema \"penstock\", or be a "
						"member of the role that does.");
		if (pgconn_exec(self->target, "ROLLBACK", NULL, &ignored) == RC_FAIL)
			error_reset(&ignored);
		return rc;
	}
	return pgconn_exec(self->target, "ROLLBACK", NULL, err);
}

static MUST_CHECK Rc
look(Switch *self, Error *err)
{
	Rc rc = readiness_check_pipeline(self, err);

	if (rc == RC_OK)
		rc = switch_tables_read(self, err);
	if (rc == RC_OK)
		rc = readiness_check_tables(self, err);
	if (rc == RC_OK)
		rc = switch_tables_check(self, err);
	if (rc == RC_OK)
		rc = readiness_check_servers(self, err);
	if (rc == RC_OK && !self->config.no_way_back)
		rc = way_back_check_names(self, err);
	if (rc == RC_OK && !self->config.no_way_back)
		rc = switch_check_rights(self, err);
	if (rc == RC_OK)
		rc = try_opening(self, err);
	if (rc == RC_OK)
		switch_step(self, "looked at both servers: %d table%s to move",
					self->tables.count, PLURAL(self->tables.count));
	return rc;
}

/*
 * Checks again, with the locks, what may have changed since the first check.  A
 * table may have been created, published or paused, or its publication may send
 * less; then the target has reached the end of the source's WAL without all of
 * its rows.
 */
static MUST_CHECK Rc
look_again(Switch *self, Error *err)
{
	Rc rc = readiness_check_tables(self, err);

	if (rc == RC_OK)
		rc = switch_tables_check_source(self, err);
	if (rc == RC_OK)
		rc = switch_tables_check_target(self, err);
	if (rc == RC_OK && !self->config.no_way_back)
		rc = way_back_check_tables(self, err);
	return rc;
}

/* Writes to penstock.switch that a switch has begun.  We have the lock, so a
 * row that exists already is that of an interrupted switch. */
static MUST_CHECK Rc
begin_row(Switch *self, Error *err)
{
	char host[OWNER_SIZE / 2] = "";
	char owner[OWNER_SIZE];
	Rc rc = control_create(self->source, err);

	if (self->found.state == SWITCH_BEGUN)
		log_info("switch",
				 "a switch that was begun at %s (%s) was interrupted: what it "
				 "has made is made anew",
				 self->found.begun_at, self->found.owner);
	(void) gethostname(host, sizeof(host) - 1);
	snprintf(owner, sizeof(owner), "PID %d on %s, user \"%s\"", (int) getpid(),
			 host, PQuser(pgconn_raw(self->source)));
	if (rc == RC_OK)
		rc = switch_table_begin(self->source, self->config.name, owner,
								self->config.no_way_back ? NULL : self->back,
								err);
	self->has_row = rc == RC_OK;
	FAULT("switch.begun");
	return rc;
}

/* ---- 2: the way back ---------------------------------------------------- */

static MUST_CHECK Rc
make_way_back(Switch *self, Error *err)
{
	Rc rc;

	if (self->config.no_way_back)
		return RC_OK;
	rc = way_back_prepare(self, err);
	if (rc == RC_OK)
		switch_step(self, "made the way back: slot \"%s\" on %s", self->back,
					pgconn_label(self->target));
	FAULT("switch.way_back");
	return rc;
}

/* ---- 4: the locks ------------------------------------------------------- */

/*
 * Limits how long the source may take for an answer from here on, and how long
 * our transaction may be idle.
 */
static MUST_CHECK Rc
limit_stall(Switch *self, Error *err)
{
	int stall_ms = self->config.max_stall_s * 1000;
	char sql[128];

	Rc rc = limit_locks(self->target, self->config.max_stall_s, err);

	pgconn_set_patience(self->target, stall_ms);
	pgconn_set_patience(self->aside, stall_ms);
	snprintf(sql, sizeof(sql), "SET idle_in_transaction_session_timeout = %d",
			 stall_ms + IDLE_MORE_MS);
	return rc == RC_OK ? pgconn_exec(self->source, sql, NULL, err) : rc;
}

/* FenceUse.ready. */
static Rc
lock_source(void *context, Error *err)
{
	Switch *self = context;
	Rc rc;

	switch_step(self, "%s is near the end of the source's WAL",
				pgconn_label(self->target));
	rc = limit_stall(self, err);
	if (rc == RC_OK && !self->config.dry_run)
		rc = hooks_run_before(self, err);
	if (rc == RC_OK)
		rc = switch_locks_take(self, err);
	if (rc == RC_OK)
		switch_step(self, "locked the tables: writers wait");
	FAULT("switch.locked");
	return rc;
}

/* ---- 6: sequences ------------------------------------------------------- */

static MUST_CHECK Rc
set_sequences(Switch *self, Error *err)
{
	const SequenceStride stride = config_stride(&self->config, 0);
	int set = 0;
	Rc rc;

	if (!config_follows_sequences(&self->config))
		return RC_OK;
	rc = sequences_advance_beyond(self->catalog, &stride, self->aside,
								  self->target, &set, err);
	if (rc == RC_OK)
		switch_step(self, "set %d sequence%s beyond the source's", set,
					PLURAL(set));
	FAULT("switch.sequences");
	return rc;
}

/* ---- 7: what the target has --------------------------------------------- */

/*
 * Reads self->lsn, the position of the target where the way back begins, and
 * commits with synchronous_commit = on.  That position is after all that was
 * applied, and after the sequences were set; all of it is durable then.
 */
static MUST_CHECK Rc
flush_target(Switch *self, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->target,
						"SELECT pg_catalog.pg_current_wal_insert_lsn()",
						&result, err);

	if (rc == RC_OK && !lsn_parse(PQgetvalue(result, 0, 0), &self->lsn))
		rc = error_set(err, ERR_PROTOCOL, "invalid position from %s",
					   pgconn_label(self->target));
	PQclear(result);
	if (rc == RC_OK)
		rc = pgconn_exec(self->target,
						 "BEGIN; SET LOCAL synchronous_commit = on;"
						 "SELECT pg_catalog.pg_logical_emit_message(true,"
						 " 'penstock', 'switch'); COMMIT",
						 NULL, err);
	return rc;
}

/* ---- 8: the commit ------------------------------------------------------ */

/* Returns how the message of the refusal describes the target. */
static const char *
describe_place(const Switch *self)
{
	const PGconn *pg = pgconn_raw(self->target);

	return arena_printf(self->arena, "host \"%s\", port %s, database \"%s\"",
						PQhost(pg), PQport(pg), PQdb(pg));
}

/*
 * Checks that all tables that would be moved are locked.  A table that was
 * created since has no lock.
 */
static MUST_CHECK Rc
check_same(Switch *self, Error *err)
{
	bool same;
	Rc rc = switch_tables_compare(self, &same, err);

	if (rc == RC_OK && !same)
		rc = error_set(err, ERR_CHANGED,
					   "a table was created or published on %s meanwhile",
					   pgconn_label(self->source));
	return rc;
}

/* Sets statement_timeout to what is left of the time that writers may wait. */
static MUST_CHECK Rc
limit_statements(Switch *self, Error *err)
{
	int64_t waited_ms = (clock_monotonic_us() - self->locked_us) / 1000;
	int64_t left_ms = (int64_t) self->config.max_stall_s * 1000 - waited_ms;
	char sql[64];

	snprintf(sql, sizeof(sql), "SET LOCAL statement_timeout = %" PRId64,
			 left_ms > 0 ? left_ms : 1);
	return pgconn_exec(self->source, sql, NULL, err);
}

static MUST_CHECK Rc
refuse_writes(Switch *self, Error *err)
{
	const Refusal refusal = {
		.pipeline = self->config.name,
		.way_back = self->config.no_way_back ? NULL : self->back,
		.place = describe_place(self),
		.tables = self->tables.tables,
		.count = self->tables.count,
	};
	Rc rc = check_same(self, err);

	/* There are two triggers for each table, and there may be thousands. */
	if (rc == RC_OK)
		rc = limit_statements(self, err);
	if (rc == RC_OK)
		rc = refusal_create(self->source, &refusal, err);
	if (rc == RC_OK)
		rc = pgconn_exec(self->source, "SET LOCAL statement_timeout = 0", NULL,
						 err);
	if (rc == RC_OK && !self->config.no_way_back)
		rc = way_back_write(self, err);
	if (rc == RC_OK)
		rc = switch_table_switched(self->source, self->config.name, self->lsn,
								   err);
	FAULT("switch.before_commit");
	return rc;
}

/* Asks the source, in a new session, whether the commit has happened; goes on
 * with that session. */
static MUST_CHECK Rc
ask_source(Switch *self, Error *err)
{
	SwitchRow row;
	PgConn *conn = NULL;
	Rc rc = open_server(self, &conn, self->config.source, "source", err);

	if (rc == RC_OK)
		rc = switch_table_read_settled(conn, self->config.name, self->arena,
									   &row, err);
	if (rc == RC_OK)
	{
		self->is_committed = row.state == SWITCH_SWITCHED;
		self->source = conn;
	}
	else
		pgconn_close(conn);
	return rc;
}

/*
 * Finds out whether a COMMIT that was not answered has happened: waits until
 * the source can be asked, and until the transaction has ended there.
 */
static MUST_CHECK Rc
settle_commit(Switch *self, Error *err)
{
	int64_t end_us = clock_monotonic_us() + SETTLE_MS_MAX * 1000;
	Error again = {0};
	Rc rc = RC_FAIL;

	log_warning("switch.commit-unanswered",
				"the commit on the source was not answered: checking "
				"whether it has happened");
	pgconn_close(self->source);
	self->source = NULL;
	while (rc != RC_OK && clock_monotonic_us() < end_us)
	{
		Rc waited = interrupt_wait(-1, 0, SETTLE_PAUSE_MS, &again);

		error_reset(&again);
		rc = waited == RC_AGAIN ? ask_source(self, &again) : RC_FAIL;
	}
	error_reset(&again);
	if (rc == RC_OK && self->is_committed)
	{
		error_reset(err);
		return RC_OK;
	}
	self->is_unknown = rc != RC_OK;
	if (self->is_unknown)
		error_hint(err, "Whether the source refuses writes is not known.  Run "
						"the same again: it completes the switch, or begins "
						"anew.");
	return RC_FAIL;
}

/*
 * Commits step 8.  A request to stop is deferred: nobody could tell whether a
 * COMMIT happens that we no longer wait for.
 */
static MUST_CHECK Rc
commit_source(Switch *self, Error *err)
{
	Rc rc = pgconn_exec(self->source, "COMMIT", NULL, err);

	self->is_committed = rc == RC_OK;
	if (rc == RC_FAIL && PQstatus(pgconn_raw(self->source)) != CONNECTION_OK)
		rc = settle_commit(self, err);
	FAULT("switch.committed");
	return rc;
}

/* ---- sessions with a statement that was given up ------------------------ */

/*
 * Takes the lock of the move in a new session, as soon as the server has ended
 * the old session that held it.
 */
static MUST_CHECK Rc
retake_move(Switch *self, PgConn *conn, Error *err)
{
	int64_t end_us = clock_monotonic_us() + LEAVE_MS_MAX * 1000;
	Rc rc = take_move(self, conn, err);

	while (rc == RC_FAIL && err->code == ERR_CONFIG &&
		   clock_monotonic_us() < end_us)
	{
		error_reset(err);
		rc = interrupt_wait(-1, 0, LEAVE_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = take_move(self, conn, err);
	}
	return rc;
}

/*
 * Replaces a session that runs a statement for which we do not wait any more;
 * *conn is NULL if that fails.  Closing the session cancels the statement.
 */
static MUST_CHECK Rc
renew(Switch *self, PgConn **conn, const char *conninfo, Error *err)
{
	PGTransactionStatusType status = PQtransactionStatus(pgconn_raw(*conn));
	const char *label;
	Rc rc;

	if (status != PQTRANS_ACTIVE && status != PQTRANS_UNKNOWN)
		return RC_OK;
	label = arena_strdup(self->arena, pgconn_label(*conn));
	/* First, because it has the locks, and may have the last free place. */
	pgconn_close(*conn);
	*conn = NULL;
	rc = open_server(self, conn, conninfo, label, err);
	return rc == RC_OK ? retake_move(self, *conn, err) : rc;
}

/* Makes sure that a session is in no transaction; replaces it if needed. */
static MUST_CHECK Rc
clear_up(Switch *self, PgConn **conn, const char *conninfo, Error *err)
{
	Rc rc = renew(self, conn, conninfo, err);

	if (rc == RC_OK && PQtransactionStatus(pgconn_raw(*conn)) != PQTRANS_IDLE)
		rc = pgconn_exec(*conn, "ROLLBACK", NULL, err);
	return rc;
}

/* ---- 9 and 10: what follows the commit ---------------------------------- */

/* Does step 9. */
static MUST_CHECK Rc
open_target(Switch *self, Error *err)
{
	Rc rc = pgconn_exec(self->target,
						"BEGIN; SET LOCAL synchronous_commit = on", NULL, err);

	if (rc == RC_OK)
		rc = progress_table_close(self->target, self->config.name,
								  PROGRESS_SWITCHED, err);
	if (rc == RC_OK)
		rc = refusal_open(self->target, self->back, err);
	if (rc == RC_OK)
		rc = switch_table_remove(self->target, self->back, err);
	if (rc == RC_OK)
		rc = pgconn_exec(self->target, "COMMIT", NULL, err);
	self->is_open = rc == RC_OK;
	FAULT("switch.opened");
	return rc;
}

/* Drops the pipeline's slot as soon as its follower has left it. */
static MUST_CHECK Rc
drop_slot(Switch *self, Error *err)
{
	const char *name = self->config.name;
	int64_t end_us = clock_monotonic_us() + LEAVE_MS_MAX * 1000;
	SlotInfo slot;
	Rc rc = slot_read(self->source, name, &slot, err);

	while (rc == RC_OK && slot.exists && slot.active_pid != 0 &&
		   clock_monotonic_us() < end_us)
	{
		rc = interrupt_wait(-1, 0, LEAVE_PAUSE_MS, err);
		if (rc == RC_AGAIN)
			rc = slot_read(self->source, name, &slot, err);
	}
	if (rc != RC_OK || !slot.exists || !slot.is_this_database)
		return rc;
	if (slot.active_pid == 0)
		rc = slot_drop(self->source, name, err);
	else
		log_warning("switch.slot-in-use",
					"slot \"%s\" on the source is in use by PID %d still, and "
					"keeps WAL there: \"penstock finish\" drops it",
					name, slot.active_pid);
	return rc;
}

/*
 * Drops the triggers that a switch in the other direction has left on the
 * target.  Tables that other sessions have locked keep theirs.
 */
static MUST_CHECK Rc
drop_old_triggers(Switch *self, Error *err)
{
	int dropped;
	int left;
	Rc rc = refusal_drop(self->target, self->back, DROP_LOCK_MS, &dropped,
						 &left, err);

	if (rc == RC_OK && left > 0)
		log_info("switch",
				 "the triggers of %d table%s on %s stay for now, because the "
				 "tables are locked: they let all writes through",
				 left, PLURAL(left), pgconn_label(self->target));
	return rc;
}

/* Does step 10. */
static MUST_CHECK Rc
finish_source(Switch *self, Error *err)
{
	Rc rc = pgconn_exec(self->source,
						"BEGIN; SET LOCAL synchronous_commit = on", NULL, err);

	if (rc == RC_OK)
		rc = progress_table_release(self->source, self->back, err);
	if (rc == RC_OK)
		rc = switch_table_done(self->source, self->config.name, err);
	if (rc == RC_OK)
		rc = pgconn_exec(self->source, "COMMIT", NULL, err);
	FAULT("switch.released");
	if (rc == RC_OK)
		rc = drop_slot(self, err);
	if (rc == RC_OK)
		rc = drop_old_triggers(self, err);
	return rc;
}

/* Steps 9 and 10, as far as they are to be done still.  *hook is set to the
 * result of the user's command, whose failure leaves nothing undone. */
static MUST_CHECK Rc
do_the_rest(Switch *self, Rc *hook, Error *hook_err, Error *err)
{
	Rc rc = RC_OK;

	pgconn_set_patience(self->target, -1);
	if (!self->is_open)
		rc = clear_up(self, &self->target, self->config.targets[0], err);
	if (rc == RC_OK && !self->is_open)
		rc = open_target(self, err);
	if (rc == RC_OK)
		*hook = hooks_run_after(self, hook_err);
	return rc == RC_OK ? finish_source(self, err) : rc;
}

static MUST_CHECK Rc
complete(Switch *self, Error *err)
{
	Error hook_err = {0};
	Rc hook = RC_OK;
	Rc rc;

	interrupt_defer(true);
	rc = do_the_rest(self, &hook, &hook_err, err);
	interrupt_defer(false);
	if (rc == RC_OK)
		switch_step(self, "completed the switch");
	if (rc == RC_OK && hook == RC_FAIL)
	{
		error_take(err, &hook_err);
		error_hint(err, "The switch is complete.  Run that command yourself.");
		return RC_FAIL;
	}
	error_reset(&hook_err);
	if (rc == RC_FAIL)
		error_hint(err, "The source refuses writes since.  Run the same again "
						"to complete the switch.");
	return rc;
}

/* Returns for how many seconds writers have been kept waiting: by the command
 * of --before, or by the locks. */
static double
seconds_waited(const Switch *self)
{
	int64_t since_us = self->paused_us != 0 ? self->paused_us : self->locked_us;

	return (double) (clock_monotonic_us() - since_us) / 1e6;
}

static void
report_stall(Switch *self)
{
	report_line(self->report,
				"the writes go to %s, %s; writers were kept waiting for %.3f s",
				pgconn_label(self->target), describe_place(self),
				seconds_waited(self));
}

/* Does steps 8 and 9. */
static MUST_CHECK Rc
commit_and_open(Switch *self, Error *err)
{
	Rc rc = commit_source(self, err);

	if (rc != RC_OK)
		return rc;
	switch_step(self, "the source refuses writes");
	rc = open_target(self, err);
	if (rc == RC_OK)
		report_stall(self);
	return rc;
}

/*
 * Checks the limit for all steps in which writers wait.  Each step also has a
 * limit of its own.
 */
static MUST_CHECK Rc
check_stall(const Switch *self, Error *err)
{
	int64_t stall_ms = (clock_monotonic_us() - self->locked_us) / 1000;
	Rc rc;

	if (stall_ms <= (int64_t) self->config.max_stall_s * 1000)
		return RC_OK;
	rc = error_set(err, ERR_LIMIT,
				   "writers have waited for %.3f s, longer than --max-stall "
				   "allows",
				   (double) stall_ms / 1e3);
	error_hint(err, "Run the same again when there is less to do, or with a "
					"larger --max-stall.");
	return rc;
}

/* Does the steps 6 to 9, as the function FenceUse.reached. */
static Rc
move_writes(void *context, Lsn lsn, Error *err)
{
	Switch *self = context;
	Rc rc;

	switch_step(self, "%s has everything up to LSN " LSN_FORMAT,
				pgconn_label(self->target), LSN_ARGS(lsn));
	FAULT("switch.reached");
	rc = look_again(self, err);
	if (rc == RC_OK)
		rc = set_sequences(self, err);
	if (rc == RC_OK)
		rc = flush_target(self, err);
	if (rc == RC_OK)
		rc = refuse_writes(self, err);
	if (rc == RC_OK)
		rc = check_stall(self, err);
	if (rc != RC_OK)
		return rc;
	interrupt_defer(true);
	rc = commit_and_open(self, err);
	interrupt_defer(false);
	return rc;
}

/* ---- all of it ---------------------------------------------------------- */

/*
 * Removes what was made before the commit.  The next switch removes what cannot
 * be removed now.
 */
static void
undo(Switch *self)
{
	Error ignored = {0};
	Rc rc = RC_OK;

	interrupt_defer(true);
	if (self->is_unknown || self->source == NULL || self->target == NULL)
	{
		hooks_run_undone(self);
		interrupt_defer(false);
		return;
	}
	rc = clear_up(self, &self->source, self->config.source, &ignored);
	if (rc == RC_OK && self->locked_us != 0)
		report_line(self->report, "writers go on at the source after %.3f s",
					seconds_waited(self));
	hooks_run_undone(self);
	if (rc == RC_OK)
		rc = clear_up(self, &self->target, self->config.targets[0], &ignored);
	if (rc == RC_OK)
		rc = way_back_undo(self, &ignored);
	if (rc == RC_OK && self->has_row)
		rc = switch_table_remove(self->source, self->config.name, &ignored);
	if (rc == RC_FAIL)
	{
		error_context(&ignored, "undoing the switch");
		log_error(LOG_WARNING, "switch.undo-failed", &ignored);
		log_info("switch", "the next switch removes what is left");
	}
	else if (self->has_row)
		switch_step(self, "undid what was made");
	error_reset(&ignored);
	interrupt_defer(false);
}

static MUST_CHECK Rc
try_locks(Switch *self, Error *err)
{
	Rc rc = lock_source(self, err);

	if (rc == RC_OK)
		report_line(self->report,
					"all is ready; nothing was switched (--dry-run)");
	return rc;
}

static MUST_CHECK Rc
fence_and_move(Switch *self, Error *err)
{
	const FenceUse use = {
		.ready = lock_source,
		.reached = move_writes,
		.context = self,
		.is_drained = true,
		.follows = true,
		.near_ms_max = self->config.max_wait_s * 1000,
		.reach_ms_max = self->config.max_stall_s * 1000,
	};
	Rc rc = fence_hold(&self->config, &use, err);

	/* After the commit, a failure of the fence does not matter. */
	if (rc == RC_FAIL && self->is_committed)
	{
		log_error(LOG_WARNING, "switch.clean-up-failed", err);
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}

static MUST_CHECK Rc
switch_anew(Switch *self, Error *err)
{
	Rc rc;

	/* A run that was killed may have run the command of --before: its effect
	 * ends with this run, whatever becomes of it. */
	self->ran_before = self->found.state == SWITCH_BEGUN &&
					   self->config.before != NULL && !self->config.dry_run;
	rc = look(self, err);
	if (rc == RC_OK)
		rc = begin_row(self, err);
	if (rc == RC_OK)
		rc = make_way_back(self, err);
	if (rc == RC_OK && self->config.dry_run)
		rc = try_locks(self, err);
	else if (rc == RC_OK)
		rc = fence_and_move(self, err);
	if (!self->is_committed && (rc != RC_OK || self->config.dry_run))
		undo(self);
	return rc == RC_OK && !self->config.dry_run ? complete(self, err) : rc;
}

/* Completes a switch that an earlier run has committed. */
static MUST_CHECK Rc
take_up(Switch *self, Error *err)
{
	if (!self->config.dry_run)
	{
		log_info("switch",
				 "the source refuses writes since %s (%s): completing the "
				 "switch",
				 self->found.switched_at, self->found.owner);
		self->is_committed = true;
		return complete(self, err);
	}
	report_line(self->report,
				"the source refuses writes since %s (%s): an interrupted "
				"switch would be completed",
				self->found.switched_at, self->found.owner);
	return RC_OK;
}

/*
 * Reports that the writes were moved already, and drops what the earlier switch
 * would have dropped if it had not been killed at its end.  A pipeline of that
 * name that is open is another one.
 */
static MUST_CHECK Rc
tidy(Switch *self, Error *err)
{
	ProgressRow progress;
	Rc rc = progress_table_read(self->target, self->config.name, &progress,
								err);

	report_line(self->report, "the writes were moved to %s at %s",
				pgconn_label(self->target), self->found.switched_at);
	if (rc != RC_OK || self->config.dry_run || !progress.exists ||
		!progress_is_switched(&progress))
		return rc;
	rc = drop_slot(self, err);
	return rc == RC_OK ? drop_old_triggers(self, err) : rc;
}

static MUST_CHECK Rc
decide(Switch *self, Error *err)
{
	switch (self->found.state)
	{
		case SWITCH_NONE:
		case SWITCH_BEGUN:
			return switch_anew(self, err);
		case SWITCH_SWITCHED:
			return take_up(self, err);
		case SWITCH_DONE:
			return tidy(self, err);
	}
	CHECK(false);
	return RC_FAIL;
}

/* Whether there is a way back after a switch. */
static bool
has_way_back(const Switch *self)
{
	if (self->found.state == SWITCH_SWITCHED ||
		self->found.state == SWITCH_DONE)
		return self->found.way_back != NULL;
	return !self->config.no_way_back;
}

static MUST_CHECK Rc
set_up(Switch *self, const Config *config, Error *err)
{
	Rc rc = remember_recall(&self->config, config, self->arena, err);

	if (rc == RC_OK)
		rc = config_name_back(config, self->arena, &self->back, err);
	self->turned = *config;
	if (rc == RC_OK)
		rc = config_turn_back(&self->turned, self->arena, err);
	self->move = config->back ? self->back : config->name;
	return rc;
}

Rc
switch_run(const Config *config, const Report *report, bool *way_back,
		   Error *err)
{
	Switch *self = xcalloc(1, sizeof(Switch));
	Rc rc;

	self->report = report;
	self->arena = arena_new(ARENA_BLOCK_BYTES);
	self->step_us = clock_monotonic_us();
	rc = set_up(self, config, err);
	if (rc == RC_OK)
		rc = open_all(self, err);
	if (rc == RC_OK)
		rc = take_both(self, err);
	if (rc == RC_OK)
		rc = decide(self, err);
	*way_back = has_way_back(self);
	catalog_free(self->catalog);
	catalog_free(self->back_catalog);
	history_release(&self->history);
	pgconn_close(self->source);
	pgconn_close(self->aside);
	pgconn_close(self->target);
	arena_free(self->arena);
	free(self);
	return rc;
}
