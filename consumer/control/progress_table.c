/*
 * progress_table.c
 *    SQL on penstock.progress.
 */
#include "control/progress_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"
#include "control/schema.h"

/* Bytes for a timeline as text. */
#define TIMELINE_TEXT_SIZE 16

/*
 * The epoch of a ProgressRow's times.  It is subtracted from or added to a
 * timestamptz in SQL, which is exact.
 */
#define EPOCH_SQL "timestamptz '2000-01-01 00:00:00+00'"

#define ROW_COLUMNS_SQL                                                        \
	"source_system_identifier, source_timeline, commit_lsn, end_lsn,"          \
	" (extract(epoch FROM commit_time - " EPOCH_SQL ") * 1000000)::bigint,"    \
	" transactions, rows, lease_token, lease_holder"

/* Number of updates after which the row gets another place, in SQL. */
#define PROGRESS_MOVES_PER_PLACE "32"

/* division_by_zero, which ADVANCE_SQL() causes */
const char progress_table_lost_sqlstate[] = "22012";

/*
 * MOVE_SQL updates the row of our lease, or no row, and never moves it back.
 * Operators have their schema, because the statement runs under the search_path
 * of users.
 *
 * The greatest place is a lower bound: while this statement waits for the
 * transaction of another lane, the row may get the next place.
 */
#define EQUALS_SQL " OPERATOR(pg_catalog.=) "
#define PLUS_SQL   " OPERATOR(pg_catalog.+) "
#define LAST_PLACE_SQL                                                         \
	" AND place OPERATOR(pg_catalog.>=) (SELECT pg_catalog.max(l.place)"       \
	" FROM penstock.progress l WHERE l.pipeline" EQUALS_SQL                    \
	"$1::pg_catalog.text)"
#define MOVE_SQL                                                               \
	"UPDATE penstock.progress SET"                                             \
	" commit_lsn = coalesce($3::pg_catalog.pg_lsn, commit_lsn),"               \
	" end_lsn = $4::pg_catalog.pg_lsn,"                                        \
	" commit_time = coalesce($5::pg_catalog.timestamptz, commit_time),"        \
	" applied_at = pg_catalog.clock_timestamp(),"                              \
	" transactions = transactions" PLUS_SQL "$6::bigint,"                      \
	" rows = rows" PLUS_SQL "$7::bigint,"                                      \
	" moves = moves" PLUS_SQL "1,"                                             \
	" place = moves OPERATOR(pg_catalog./) " PROGRESS_MOVES_PER_PLACE          \
	" WHERE pipeline" EQUALS_SQL "$1::pg_catalog.text" LAST_PLACE_SQL          \
	" AND lease_token" EQUALS_SQL "$2::bigint"                                 \
	" AND end_lsn OPERATOR(pg_catalog.<=) $4::pg_catalog.pg_lsn"
#define FROM_SQL " AND end_lsn" EQUALS_SQL "$8::pg_catalog.pg_lsn"

/* Fails with a division by zero unless MOVE_SQL has updated the row. */
#define ADVANCE_SQL(more)                                                      \
	"WITH moved AS (" MOVE_SQL more                                            \
	" RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)"        \
	" FROM moved"

const char progress_table_advance_sql[] = ADVANCE_SQL("");
const char progress_table_move_from_sql[] = MOVE_SQL FROM_SQL;
const char progress_table_advance_from_sql[] = ADVANCE_SQL(
	FROM_SQL
	" AND pg_catalog.current_setting('penstock.rows')::bigint" EQUALS_SQL
	"$9::bigint");

Rc
progress_table_begin(PgConn *target, const char *pipeline,
					 const SourceIdentity *source, Lsn lsn, Error *err)
{
	static const char sql[] =
		"WITH again AS (UPDATE penstock.progress SET"
		" source_system_identifier = $2, source_timeline = $3::bigint,"
		" end_lsn = $4::pg_lsn, commit_lsn = NULL, commit_time = NULL,"
		" applied_at = NULL, transactions = 0, rows = 0,"
		" lease_token = lease_token + 1, lease_holder = NULL"
		" WHERE pipeline = $1 RETURNING 1)"
		" INSERT INTO penstock.progress"
		" (pipeline, source_system_identifier, source_timeline, end_lsn)"
		" SELECT $1, $2, $3::bigint, $4::pg_lsn"
		" WHERE NOT EXISTS (SELECT FROM again)";
	char lsn_text[LSN_TEXT_SIZE];
	char timeline_text[TIMELINE_TEXT_SIZE];
	const char *params[] = {pipeline, source->system_identifier, timeline_text,
							lsn_text};

	ASSERT(source->system_identifier[0] != '\0');
	/* A follower would take 0 for the start of all WAL. */
	CHECK(lsn != 0);
	snprintf(lsn_text, sizeof(lsn_text), LSN_FORMAT, LSN_ARGS(lsn));
	snprintf(timeline_text, sizeof(timeline_text), "%u", source->timeline);
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

/* Reads the columns of ROW_COLUMNS_SQL. */
static Rc
parse_row(PgConn *target, const PGresult *result, ProgressRow *row, Error *err)
{
	*row = (ProgressRow){.exists = true};
	snprintf(row->source.system_identifier,
			 sizeof(row->source.system_identifier), "%s",
			 PQgetvalue(result, 0, 0));
	row->source.timeline = (uint32_t) strtoul(PQgetvalue(result, 0, 1), NULL,
											  10);
	if (!PQgetisnull(result, 0, 2) &&
		!lsn_parse(PQgetvalue(result, 0, 2), &row->commit_lsn))
		return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
						 PQgetvalue(result, 0, 2), pgconn_label(target));
	if (!lsn_parse(PQgetvalue(result, 0, 3), &row->end_lsn))
		return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
						 PQgetvalue(result, 0, 3), pgconn_label(target));
	row->has_commit_time = !PQgetisnull(result, 0, 4);
	row->commit_time_us = strtoll(PQgetvalue(result, 0, 4), NULL, 10);
	row->transactions = strtoll(PQgetvalue(result, 0, 5), NULL, 10);
	row->rows = strtoll(PQgetvalue(result, 0, 6), NULL, 10);
	row->lease_token = strtoll(PQgetvalue(result, 0, 7), NULL, 10);
	snprintf(row->lease_holder, sizeof(row->lease_holder), "%s",
			 PQgetvalue(result, 0, 8));
	return RC_OK;
}

Rc
progress_table_read(PgConn *target, const char *pipeline, ProgressRow *row,
					Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "progress", &exists, err);

	*row = (ProgressRow){0};
	if (rc != RC_OK || !exists)
		return rc; /* the table does not exist, so neither does any pipeline */
	rc = pgconn_exec_params(target,
							"SELECT " ROW_COLUMNS_SQL
							" FROM penstock.progress WHERE pipeline = $1",
							1, params, &result, err);
	if (rc != RC_OK)
		return rc;
	if (PQntuples(result) > 0)
		rc = parse_row(target, result, row, err);
	PQclear(result);
	return rc;
}

/* Adds a detail if the pipeline has an unfinished clone instead of progress. */
static void
explain_no_progress(PgConn *target, const char *pipeline, Error *err)
{
	static const char sql[] =
		"SELECT FROM penstock.copy_run WHERE pipeline = $1";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Error ignored = {0};
	bool unfinished = pgconn_exec_params(target, sql, 1, params, &result,
										 &ignored) == RC_OK &&
					  PQntuples(result) > 0;

	PQclear(result);
	error_reset(&ignored);
	if (unfinished)
		error_hint(err, "Its clone is not finished: \"%s\" goes on with it.",
				   OWN_COMMAND("clone --resume"));
	else
		error_hint(err, "Copy the data first: \"%s\".", OWN_COMMAND("clone"));
}

/* Reads the row that an UPDATE has returned. */
static Rc
parse_updated(PgConn *target, const char *pipeline, const PGresult *result,
			  ProgressRow *row, Error *err)
{
	Rc rc;

	if (result != NULL && PQntuples(result) > 1)
		return error_set(err, ERR_CONFIG,
						 "%s has %d rows of progress of pipeline \"%s\", and "
						 "one is right",
						 pgconn_label(target), PQntuples(result), pipeline);
	if (result != NULL && PQntuples(result) > 0)
		return parse_row(target, result, row, err);
	rc = error_set(err, ERR_CONFIG, "%s has no progress of pipeline \"%s\"",
				   pgconn_label(target), pipeline);
	explain_no_progress(target, pipeline, err);
	return rc;
}

static MUST_CHECK Rc
refuse_promoted(const PgConn *target, const char *pipeline, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "pipeline \"%s\" was promoted on %s, which takes writes "
					  "of its own by now",
					  pipeline, pgconn_label(target));

	error_hint(err,
			   "Remove what is left of the pipeline with \"%s\"; to follow "
			   "again takes a new clone.",
			   OWN_COMMAND("drop"));
	return rc;
}

static MUST_CHECK Rc
refuse_switched(const PgConn *target, const char *pipeline,
				const ProgressRow *row, Error *err)
{
	Rc rc;

	if (progress_is_switched(row))
	{
		rc = error_set(err, ERR_CONFIG,
					   "the writes of pipeline \"%s\" were moved to %s, so "
					   "nothing is followed to there any more",
					   pipeline, pgconn_label(target));
		error_hint(err, "Follow the other direction: with --back if this "
						"command had none, or else without it.");
		return rc;
	}
	rc = error_set(err, ERR_CONFIG,
				   "the switch that made pipeline \"%s\" the way back is not "
				   "complete",
				   pipeline);
	error_hint(err, "Run the same \"penstock switch\" again, which completes "
					"it.");
	return rc;
}

bool
progress_is_switched(const ProgressRow *row)
{
	return strcmp(row->lease_holder, PROGRESS_SWITCHED) == 0;
}

static bool
is_switching(const ProgressRow *row)
{
	return strcmp(row->lease_holder, PROGRESS_SWITCHING) == 0;
}

bool
progress_is_promoted(const ProgressRow *row)
{
	return strcmp(row->lease_holder, PROGRESS_PROMOTED) == 0;
}

static MUST_CHECK Rc
check_open(const PgConn *target, const char *pipeline, const ProgressRow *row,
		   Error *err)
{
	if (progress_is_promoted(row))
		return refuse_promoted(target, pipeline, err);
	if (progress_is_switched(row) || is_switching(row))
		return refuse_switched(target, pipeline, row, err);
	return RC_OK;
}

Rc
progress_table_check_open(PgConn *target, const char *pipeline, Error *err)
{
	ProgressRow row;
	Rc rc = progress_table_read(target, pipeline, &row, err);

	return rc == RC_OK ? check_open(target, pipeline, &row, err) : rc;
}

Rc
progress_table_claim(PgConn *target, const char *pipeline, uint32_t timeline,
					 ProgressRow *row, Error *err)
{
	static const char sql[] =
		"UPDATE penstock.progress SET lease_token = lease_token + 1,"
		" source_timeline = $2::bigint,"
		" lease_holder = format('pid %s, client %s', pg_backend_pid(),"
		" coalesce(host(inet_client_addr()), 'local'))"
		" WHERE pipeline = $1 AND coalesce(lease_holder, '') NOT IN ("
		"'" PROGRESS_PROMOTED "', '" PROGRESS_SWITCHED "',"
		" '" PROGRESS_SWITCHING "') RETURNING " ROW_COLUMNS_SQL;
	char timeline_text[TIMELINE_TEXT_SIZE];
	const char *params[] = {pipeline, timeline_text};
	PGresult *result = NULL;
	Rc rc = progress_table_read(target, pipeline, row, err);

	ASSERT(timeline != 0);
	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	snprintf(timeline_text, sizeof(timeline_text), "%u", timeline);
	if (rc == RC_OK)
		rc = check_open(target, pipeline, row, err);
	if (rc == RC_OK && row->exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK)
		rc = parse_updated(target, pipeline, result, row, err);
	PQclear(result);
	ASSERT(rc != RC_OK || row->lease_token > 0);
	return rc;
}

/* Runs a statement that returns the row; fails if there is none. */
static Rc
get_row(PgConn *target, const char *sql, const char *pipeline, ProgressRow *row,
		Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, 1, params, &result, err);

	if (rc == RC_OK)
		rc = parse_updated(target, pipeline, result, row, err);
	PQclear(result);
	return rc;
}

Rc
progress_table_lock(PgConn *target, const char *pipeline, ProgressRow *row,
					Error *err)
{
	ASSERT(pgconn_can_be_inside(target));
	return get_row(target,
				   "SELECT " ROW_COLUMNS_SQL " FROM penstock.progress"
				   " WHERE pipeline = $1 FOR NO KEY UPDATE",
				   pipeline, row, err);
}

Rc
progress_table_promote(PgConn *target, const char *pipeline, ProgressRow *row,
					   Error *err)
{
	return get_row(target,
				   "UPDATE penstock.progress SET lease_token = lease_token + 1,"
				   " lease_holder = '" PROGRESS_PROMOTED "'"
				   " WHERE pipeline = $1 RETURNING " ROW_COLUMNS_SQL,
				   pipeline, row, err);
}

Rc
progress_table_close(PgConn *target, const char *pipeline, const char *holder,
					 Error *err)
{
	static const char sql[] =
		"UPDATE penstock.progress SET lease_token = lease_token + 1,"
		" lease_holder = $2 WHERE pipeline = $1";
	const char *params[] = {pipeline, holder};

	ASSERT(strcmp(holder, PROGRESS_SWITCHED) == 0 ||
		   strcmp(holder, PROGRESS_SWITCHING) == 0);
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
progress_table_check_close(PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target,
						"SELECT has_table_privilege('penstock.progress',"
						" 'UPDATE'), current_user",
						&result, err);

	if (rc == RC_OK && PQgetvalue(result, 0, 0)[0] != 't')
		rc = error_set(err, ERR_CONFIG,
					   "role \"%s\" may not update table penstock.progress "
					   "on %s",
					   PQgetvalue(result, 0, 1), pgconn_label(target));
	PQclear(result);
	return rc;
}

Rc
progress_table_release(PgConn *target, const char *pipeline, Error *err)
{
	static const char sql[] =
		"UPDATE penstock.progress SET lease_holder = NULL"
		" WHERE pipeline = $1 AND lease_holder = '" PROGRESS_SWITCHING "'";
	const char *params[] = {pipeline};

	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
progress_table_disturb(PgConn *target, const char *pipeline, ProgressRow *row,
					   Error *err)
{
	ASSERT(pgconn_can_be_inside(target));
	return get_row(target,
				   "UPDATE penstock.progress SET lease_token = lease_token + 1"
				   " WHERE pipeline = $1 RETURNING " ROW_COLUMNS_SQL,
				   pipeline, row, err);
}

Rc
progress_table_check_lease(PgConn *target, const char *pipeline, int64_t token,
						   const char *holder, LeaseState *state, Error *err)
{
	ProgressRow row;
	Rc rc = progress_table_read(target, pipeline, &row, err);

	ASSERT(holder[0] != '\0');
	*state = LEASE_LOST;
	if (rc == RC_OK && row.exists && strcmp(row.lease_holder, holder) == 0)
		*state = row.lease_token == token ? LEASE_HELD : LEASE_DISTURBED;
	return rc;
}

/*
 * PIDs are reused, so a session with the lease's PID must also have our
 * application_name and role.
 */
Rc
progress_table_end_holder(PgConn *target, const char *pipeline,
						  const SourceIdentity *source, const char *pid,
						  bool *ended, Error *err)
{
	static const char sql[] =
		"SELECT pg_catalog.pg_terminate_backend(a.pid)"
		" FROM penstock.progress p JOIN pg_catalog.pg_stat_activity a"
		" ON a.pid::text = $3 OR p.lease_holder LIKE 'pid ' || a.pid || ',%'"
		" AND a.application_name = current_setting('application_name')"
		" WHERE p.pipeline = $1 AND p.source_system_identifier = $2"
		" AND a.datname = current_database() AND a.usename = current_user"
		" AND a.pid <> pg_backend_pid()";
	const char *params[] = {pipeline, source->system_identifier, pid};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							   err);

	*ended = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

Rc
progress_table_remove(PgConn *target, const char *pipeline, bool *removed,
					  Error *err)
{
	ProgressRow row;
	Rc rc = progress_table_read(target, pipeline, &row, err);

	*removed = rc == RC_OK && row.exists;
	if (rc == RC_OK)
		rc = control_forget(target, pipeline, err);
	if (rc == RC_OK)
		rc = control_tidy(target, err);
	return rc;
}
