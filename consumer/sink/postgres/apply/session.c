/*
 * session.c
 *    Sets up a session before it applies anything.
 */
#include "sink/postgres/apply/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "control/copy/index_build.h"
#include "control/fence.h"
#include "control/moved_table.h"
#include "control/placed_column_table.h"
#include "control/schema.h"
#include "net/citus.h"
#include "net/foreign_actions.h"
#include "net/origin.h"
#include "net/pgconn_open.h"
#include "sink/postgres/plan/settle.h"
#include "sink/postgres/plan/statement.h"

/* object_in_use */
#define ORIGIN_IN_USE_SQLSTATE "55006"

/*
 * Settings of a session.  The planner does not know the keys in our parameters,
 * and may have no statistics of the table.  The right plan is known, however:
 * look up each key in the index.
 */
static const char session_sql[] = "SET synchronous_commit = local;"
								  "SET plan_cache_mode = force_generic_plan;"
								  "SET enable_hashjoin = off;"
								  "SET enable_mergejoin = off;"
								  "SET enable_seqscan = off;"
								  "SET enable_bitmapscan = off;"
								  "SET enable_material = off;"
								  "SET max_parallel_workers_per_gather = 0;"
								  "SET default_transaction_isolation = "
								  "'read committed';" STATEMENT_COUNT_SQL;

/* The last settings, after the lease was claimed. */
static const char ready_sql[] =
	"SET synchronous_commit = off;" PGCONN_SET_OWN_PATH_SQL;

/*
 * Sets session_replication_role = replica, so that foreign keys and ordinary
 * triggers do not fire: the source has checked and fired them.  A role may lack
 * the privilege; then changes are applied strictly in order.
 */
static MUST_CHECK Rc
set_replica_role(PgConn *conn, const SessionOptions *options,
				 bool *independent_tables, Error *err)
{
	Rc rc = pgconn_exec(conn, "SET session_replication_role = replica", NULL,
						err);

	*independent_tables = rc == RC_OK;
	if (rc != RC_FAIL || strcmp(err->sqlstate, "42501") != 0)
		return rc;
	error_reset(err);
	log_warning("apply.triggers-fire",
				"the role on %s may not set session_replication_role: "
				"triggers and foreign keys fire for applied rows, and changes "
				"are applied one by one",
				options->label);
	return RC_OK;
}

/* Refuses foreign keys with actions; see foreign_actions.h. */
static MUST_CHECK Rc
refuse_actions(PgConn *conn, const SessionOptions *options, Error *err)
{
	static const char sql[] =
		"SELECT f.conname, f.conrelid::regclass" FOREIGN_ACTIONS_SQL
		" AND " COPIED_TABLE_HAS_SQL("n.nspname",
									 "c.relname") " ORDER BY 2, 1 LIMIT 1";
	const char *params[] = {options->pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(conn, "copied", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(conn, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK && exists && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "foreign key \"%s\" of table %s on %s changes rows by "
					   "itself, and cannot be set aside",
					   PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
					   options->label);
		error_detail(err, "The role there may not set "
						  "session_replication_role, so its ON DELETE or ON "
						  "UPDATE action fires for what is applied; and what "
						  "the source then says of the same rows does not fit "
						  "any more.");
		error_hint(err, "Let a superuser run, on PostgreSQL 15 or newer, GRANT "
						"SET ON PARAMETER session_replication_role TO the "
						"role; or drop the foreign key there, or make it one "
						"without an action, for as long as it is followed.");
	}
	PQclear(result);
	return rc;
}

/* Bytes for a PID as text. */
#define PID_TEXT_SIZE 16

/*
 * Reads the PID of the session that uses the origin from the server's error
 * message, which is the only place that has it; "" if there is none.  In every
 * language the message has two numbers, the origin's and the PID; a message
 * with one number is another error.
 */
static void
find_holder(const char *refusal, char pid[PID_TEXT_SIZE])
{
	static const char digits[] = "0123456789";
	const char *last = "";
	int count = 0;

	while (*(refusal += strcspn(refusal, digits)) != '\0')
	{
		last = refusal;
		refusal += strspn(refusal, digits);
		count++;
	}
	snprintf(pid, PID_TEXT_SIZE, "%.*s",
			 count == 2 ? (int) strspn(last, digits) : 0, last);
}

/*
 * Ends the session that uses our origin.  Only one session can use an origin.
 * We use the slot, so the other session belongs to a follower that has lost the
 * slot: it hangs, or its machine has disappeared, which the target may not
 * notice for hours; or a pooler keeps the session.  The next attempt finds the
 * origin free.
 */
static void
end_predecessor(PgConn *conn, const SessionOptions *options,
				const char *refusal)
{
	Error failure = {0};
	bool ended;
	char pid[PID_TEXT_SIZE];
	Rc rc;

	find_holder(refusal, pid);
	rc = progress_table_end_holder(conn, options->pipeline,
								   &options->source->identity, pid, &ended,
								   &failure);
	if (rc == RC_OK && ended)
		log_warning("apply.session-ended",
					"ended the session on %s of another follower, which has "
					"lost the slot",
					options->label);
	error_reset(&failure); /* the error about the origin is sufficient */
}

static MUST_CHECK Rc
set_origin(PgConn *conn, const SessionOptions *options, bool *marked,
		   Error *err)
{
	Rc rc = origin_set_up(conn, options->pipeline, 0, marked, err);

	if (rc == RC_FAIL && strcmp(err->sqlstate, ORIGIN_IN_USE_SQLSTATE) == 0)
		/*
		 * Skips the target's label at the beginning, which may contain digits.
		 */
		end_predecessor(conn, options,
						err->message + strlen(pgconn_label(conn)));
	return rc;
}

/*
 * application_name of a pipeline's further sessions, independent of the
 * connection string, so that they can be found.  (The server truncates a long
 * name.  Then sessions of another pipeline may match; they are ended, and
 * opened again.)
 */
#define FURTHER_NAME_SQL "left('penstock+' || $1, 63)"

/*
 * Ends the further sessions of a follower that has lost the lease.  They may
 * have open transactions, whose locks only their end releases.
 */
static MUST_CHECK Rc
end_further_sessions(PgConn *conn, const SessionOptions *options, Error *err)
{
	const char *params[] = {options->pipeline};

	return pgconn_exec_params(conn,
							  "SELECT pg_catalog.pg_terminate_backend(pid)"
							  " FROM pg_catalog.pg_stat_activity"
							  " WHERE application_name = " FURTHER_NAME_SQL
							  " AND datname = current_database()"
							  " AND usename = current_user",
							  LENGTH_OF(params), params, NULL, err);
}

/*
 * Checks that the target's progress, and the positions of tables' copies, are
 * in the source's history.
 */
static MUST_CHECK Rc
check_history(const SessionOptions *options, const ProgressRow *row, Lsn copied,
			  Error *err)
{
	HistoryPoint point = {.source = &row->source,
						  .lsn = row->end_lsn,
						  .label = options->label,
						  .pipeline = options->pipeline};
	char *label;
	Rc rc = history_prove(options->source, &point, err);

	ASSERT(row->exists);
	if (rc != RC_OK || copied <= row->end_lsn)
		return rc;
	label = xasprintf("a table that was copied to %s", options->label);
	point.label = label;
	point.lsn = copied;
	rc = history_prove(options->source, &point, err);
	free(label);
	return rc;
}

static MUST_CHECK Rc
look_for_kept(Session *self, const SessionOptions *options, Error *err)
{
	if (options->node == NULL)
		return RC_OK;
	return moved_table_is_used(self->conn, options->pipeline, &self->has_kept,
							   err);
}

static MUST_CHECK Rc
read_table_states(Session *self, const SessionOptions *options, Error *err)
{
	ASSERT(self->table_states == NULL);
	if (options->only == NULL)
		return table_states_read(&self->table_states, self->conn,
								 options->pipeline, err);
	self->table_states = table_states_only(options->only, options->only_count);
	return RC_OK;
}

/*
 * Claims the lease.  While it holds the lock on the progress row, nobody can
 * change the position that is checked, nor the tables' states.
 */
static MUST_CHECK Rc
claim(Session *self, const SessionOptions *options, Error *err)
{
	PgConn *conn = self->conn;
	ProgressRow *row = &self->progress;
	Rc rc = pgconn_exec(conn, "BEGIN", NULL, err);

	if (rc == RC_OK && row->exists)
		rc = progress_table_lock(conn, options->pipeline, row, err);
	if (rc == RC_OK && row->exists)
		rc = read_table_states(self, options, err);
	if (rc == RC_OK && row->exists)
		rc = check_history(
			options, row, table_states_last_watermark(self->table_states), err);
	if (rc == RC_OK)
		rc = progress_table_claim(conn, options->pipeline,
								  options->source->identity.timeline, row, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, "COMMIT", NULL, err);
	return rc;
}

static MUST_CHECK Rc
set_up(Session *self, const SessionOptions *options, Error *err)
{
	PgConn *conn = self->conn;
	ProgressRow *row = &self->progress;
	Rc rc = citus_refuse(conn, err);

	if (rc == RC_OK)
		rc = pgconn_exec(conn, session_sql, NULL, err);
	/*
	 * The history is checked before the lease is claimed, so that a follower of
	 * the right source does not lose the lease.
	 */
	if (rc == RC_OK)
		rc = progress_table_read(conn, options->pipeline, row, err);
	if (rc == RC_OK && row->exists)
		rc = check_history(options, row, 0, err);
	/* What comes after this may read columns that an older schema lacks. */
	if (rc == RC_OK && row->exists)
		rc = control_upgrade(conn, err);
	if (rc == RC_OK && row->exists)
		rc = node_table_check(conn, options->pipeline, options->node, err);
	if (rc == RC_OK)
		rc = set_replica_role(conn, options, &self->independent_tables, err);
	if (rc == RC_OK && !self->independent_tables && options->only == NULL)
		rc = refuse_actions(conn, options, err);
	if (rc == RC_OK)
		rc = set_origin(conn, options, &self->marked, err);
	if (rc == RC_OK && row->exists)
		rc = look_for_kept(self, options, err);
	if (rc == RC_OK)
		rc = claim(self, options, err);
	if (rc == RC_OK && options->memory != NULL)
		rc = pipeline_table_agree(conn, options->pipeline, options->memory,
								  err);
	if (rc == RC_OK)
		rc = end_further_sessions(conn, options, err);
	if (rc == RC_OK && options->only == NULL)
		rc = copied_tables_read(&self->copied, conn, options->pipeline, err);
	if (rc == RC_OK && options->only == NULL)
		rc = postponed_keys_read(&self->keys, conn, options->pipeline, err);
	if (rc == RC_OK && options->node != NULL)
		rc = placed_column_table_read(conn, options->pipeline, &self->columns,
									  err);
	if (rc == RC_OK && options->only == NULL)
		rc = fence_read(conn, options->pipeline, &self->fence_lsn, err);
	if (rc == RC_OK && options->only == NULL)
		rc = index_builds_newest(conn, options->pipeline,
								 &self->index_build_lsn, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, ready_sql, NULL, err);
	ASSERT(rc != RC_OK || (row->exists && self->table_states != NULL));
	return rc;
}

PgConnOptions
session_connection(const SessionOptions *options)
{
	return (PgConnOptions){.conninfo = options->conninfo,
						   .label = options->label,
						   .application_name = "penstock",
						   .kind = PGCONN_DATA,
						   .impatient = options->impatient};
}

Rc
session_open(Session *session, PgConn *conn, const SessionOptions *options,
			 Error *err)
{
	const PgConnOptions conn_options = session_connection(options);
	Rc rc = RC_OK;

	*session = (Session){.conn = conn};
	if (conn == NULL)
		rc = pgconn_open(&session->conn, &conn_options, err);
	if (rc == RC_OK)
		rc = set_up(session, options, err);
	if (rc != RC_OK)
	{
		table_states_free(session->table_states);
		copied_tables_free(session->copied);
		postponed_keys_release(&session->keys);
		placed_columns_release(&session->columns);
		pgconn_close(session->conn);
		*session = (Session){0};
	}
	return rc;
}

static MUST_CHECK Rc
set_up_another(PgConn *conn, const SessionOptions *options, bool must_mark,
			   Error *err)
{
	const char *params[] = {options->pipeline};
	bool independent_tables;
	bool marked = false;
	Rc rc = pgconn_exec(conn, session_sql, NULL, err);

	if (rc == RC_OK)
		rc = pgconn_exec_params(conn,
								"SELECT pg_catalog.set_config("
								"'application_name', " FURTHER_NAME_SQL
								", false)",
								LENGTH_OF(params), params, NULL, err);
	if (rc == RC_OK)
		rc = set_replica_role(conn, options, &independent_tables, err);
	if (rc == RC_OK && must_mark)
		rc = origin_set_up_free(conn, options->pipeline, &marked, err);
	if (rc == RC_OK && must_mark && !marked)
		rc = error_set(err, ERR_CONFIG,
					   "%s has no room for a further replication origin",
					   options->label);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, ready_sql, NULL, err);
	return rc;
}

Rc
session_open_another(PgConn **conn, const SessionOptions *options,
					 bool must_mark, Error *err)
{
	const PgConnOptions conn_options = session_connection(options);
	PgConn *opened = NULL;
	Rc rc = pgconn_open(&opened, &conn_options, err);

	if (rc == RC_OK)
		rc = set_up_another(opened, options, must_mark, err);
	if (rc == RC_OK)
		*conn = opened;
	else
		pgconn_close(opened);
	return rc;
}
