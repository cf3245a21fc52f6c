/*
 * pass.c
 *    Makes one pass over the large objects.
 *
 * Contents are passed from source to target in the text form of bytea, without
 * decoding them.
 */
#include "large_object/pass.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "control/progress_table.h"
#include "large_object/statements.h"
#include "net/sql.h"

/* Objects per FETCH, and pages of an object per query. */
#define OBJECTS_BATCH "64"
#define PAGES_BATCH   128

/* Bytes of a gap between pages that are compared in one query. */
#define GAP_BYTES 262144

/* OIDs that are compared in one query. */
#define OIDS_BATCH "10000"

/* Number of XIDs, and the half of them that are later than a given XID. */
#define AGE_MAX   (INT64_C(1) << 31)

#define XID_COUNT (INT64_C(1) << 32)

typedef struct Pass
{
	const LargeObjectPassOptions *options;
	PgConn *source;
	PgConn *target;
	LargeObjectPass pass;
	LargeObjectPoint point;
	int64_t next;        /* the source's next XID, with epoch */
	char page_bytes[16]; /* size of the source's pages of large objects, as
						  * text */
	LargeObjectsDone *done;
} Pass;

/* ---- Where the source is ------------------------------------------------ */

/*
 * Reads the state of the source.  On a standby, where pg_current_wal_lsn()
 * fails, the timeline is that of the last restart point.
 */
static const char point_sql[] =
	"SELECT s.system_identifier, CASE WHEN pg_is_in_recovery()"
	" THEN c.timeline_id ELSE ('x' ||"
	" left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END,"
	" pg_snapshot_xmin(n), pg_snapshot_xmax(n), i.large_object_chunk_size"
	" FROM pg_control_system() s, pg_control_checkpoint() c,"
	" pg_control_init() i, pg_current_snapshot() n";

static int64_t
number_at(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static MUST_CHECK Rc
read_point(PgConn *source, LargeObjectPoint *point, PGresult **result,
		   Error *err)
{
	Rc rc = pgconn_exec(source, point_sql, result, err);

	*point = (LargeObjectPoint){0};
	if (rc != RC_OK)
		return rc;
	snprintf(point->system, sizeof(point->system), "%s",
			 PQgetvalue(*result, 0, 0));
	point->timeline = number_at(*result, 0, 1);
	point->xmin = number_at(*result, 0, 2);
	return RC_OK;
}

Rc
large_objects_read_point(PgConn *source, LargeObjectPoint *point, Error *err)
{
	PGresult *result = NULL;
	Rc rc = read_point(source, point, &result, err);

	PQclear(result);
	return rc;
}

/* Reads where the source is, before the snapshot is taken. */
static MUST_CHECK Rc
read_server(Pass *self, LargeObjectServer *server, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->source,
						"SELECT pg_is_in_recovery(),"
						" CASE WHEN pg_is_in_recovery()"
						" THEN pg_last_wal_replay_lsn()"
						" ELSE pg_current_wal_lsn() END",
						&result, err);

	if (rc == RC_OK)
	{
		server->is_standby = sql_bool(result, 0, 0);
		(void) lsn_parse(PQgetvalue(result, 0, 1), &server->lsn);
	}
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
open_snapshot(Pass *self, Error *err)
{
	PGresult *result = NULL;
	Rc rc = sql_begin_snapshot(self->source, NULL, err);

	if (rc == RC_OK)
		rc = read_point(self->source, &self->point, &result, err);
	if (rc == RC_OK)
	{
		self->next = number_at(result, 0, 3);
		snprintf(self->page_bytes, sizeof(self->page_bytes), "%s",
				 PQgetvalue(result, 0, 4));
	}
	PQclear(result);
	return rc;
}

bool
large_objects_is_source(const LargeObjectServer *server,
						const SourceIdentity *stream, Lsn applied)
{
	return strcmp(server->point.system, stream->system_identifier) == 0 &&
		   (server->is_standby ||
			server->point.timeline >= (int64_t) stream->timeline) &&
		   server->lsn >= applied;
}

/* Opens the snapshot, and checks that it is on the server that the stream comes
 * from.  We read the progress first, since a follower moves it. */
static MUST_CHECK Rc
open_source(Pass *self, Error *err)
{
	ProgressRow progress = {0};
	LargeObjectServer server = {0};
	Rc rc = progress_table_read(self->target, self->options->pipeline,
								&progress, err);

	if (rc == RC_OK)
		rc = read_server(self, &server, err);
	if (rc == RC_OK)
		rc = open_snapshot(self, err);
	server.point = self->point;
	if (rc != RC_OK || !progress.exists ||
		large_objects_is_source(&server, &progress.source, progress.end_lsn))
		return rc;
	rc = error_set(err, ERR_CONNECT,
				   "the server that %s leads to does not have all that %s has "
				   "applied, up to LSN " LSN_FORMAT,
				   pgconn_label(self->source), pgconn_label(self->target),
				   LSN_ARGS(progress.end_lsn));
	error_detail(err,
				 "Its system identifier is %s, its LSN " LSN_FORMAT
				 "; the changes come from %s, timeline %u.",
				 server.point.system, LSN_ARGS(server.lsn),
				 progress.source.system_identifier, progress.source.timeline);
	error_hint(err, "If the connection string has several hosts, add "
					"target_session_attrs=primary.");
	return rc;
}

int64_t
large_objects_age(const LargeObjectPoint *last, const LargeObjectPoint *now,
				  int64_t next)
{
	if (last->xmin == 0 || strcmp(last->system, now->system) != 0 ||
		last->timeline != now->timeline || last->xmin > now->xmin ||
		next - last->xmin >= AGE_MAX)
		return -1;
	return next - last->xmin;
}

/* ---- Both ways ---------------------------------------------------------- */

/*
 * Refuses two pipelines that follow large objects in opposite directions: each
 * copy would be a change for the other one, endlessly.
 */
static MUST_CHECK Rc
refuse_opposite(const Pass *self, const char *pipeline, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "large objects of %s are followed on %s already, by "
					  "pipeline \"%s\": they cannot be in both directions",
					  pgconn_label(self->target), pgconn_label(self->source),
					  pipeline);

	error_hint(err,
			   "Follow with --set --large-objects=off in one direction; if it "
			   "is that of pipeline \"%s\", or that is over, run on "
			   "%s: " LARGE_OBJECT_FORGET_SQL,
			   pipeline, pgconn_label(self->source), pipeline);
	return rc;
}

static MUST_CHECK Rc
check_direction(const Pass *self, Error *err)
{
	Arena *arena = arena_new(1 * KB);
	const char *pipeline = NULL;
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->target,
						"SELECT system_identifier FROM pg_control_system()",
						&result, err);

	if (rc == RC_OK)
		rc = large_object_table_find_from(
			self->source, PQgetvalue(result, 0, 0), arena, &pipeline, err);
	if (rc == RC_OK && pipeline != NULL &&
		strcmp(PQgetvalue(result, 0, 0), self->point.system) != 0)
		rc = refuse_opposite(self, pipeline, err);
	PQclear(result);
	arena_free(arena);
	return rc;
}

/* ---- One object --------------------------------------------------------- */

/* Columns of the cursor on the source's large objects. */
enum
{
	OBJECTS_OID,
	OBJECTS_OWNER,
	OBJECTS_PRIVILEGES,
	OBJECTS_COMMENT,
};

/*
 * Reads some pages after page $2, and joins consecutive full pages to runs.  A
 * page that does not exist, or the missing end of a short page, reads as zeros.
 */
static const char runs_sql[] =
	"WITH page AS MATERIALIZED (SELECT pageno, data FROM pg_largeobject"
	"  WHERE loid = $1::oid AND pageno > $2::integer"
	"  ORDER BY pageno LIMIT $4::integer),"
	" marked AS (SELECT pageno, data, CASE WHEN lag(pageno) OVER w = pageno - 1"
	"  AND lag(octet_length(data)) OVER w = $3::integer THEN 0 ELSE 1 END"
	"  AS breaks FROM page WINDOW w AS (ORDER BY pageno)),"
	" run AS (SELECT pageno, data, sum(breaks) OVER (ORDER BY pageno) AS number"
	"  FROM marked)"
	" SELECT min(pageno) * $3::bigint, string_agg(data, ''::bytea"
	"  ORDER BY pageno), sum(octet_length(data)), max(pageno), count(*)"
	"  FROM run GROUP BY number ORDER BY 1";

/* Columns of runs_sql. */
enum
{
	RUN_OFFSET,
	RUN_DATA,
	RUN_BYTES,
	RUN_LAST_PAGE,
	RUN_PAGES,
};

/* A large object that is being copied or compared. */
typedef struct Copying
{
	Pass *pass;
	const char *oid;
	bool compares; /* whether the object is only compared with the target's;
					* otherwise it is written there */
	bool differs;
	int64_t written; /* end of the last run that was written or compared */
	int64_t end;     /* length of the object */
} Copying;

static MUST_CHECK Rc
write_run(const Copying *self, const PGresult *runs, int row, Error *err)
{
	const char *params[] = {self->oid, PQgetvalue(runs, row, RUN_OFFSET),
							PQgetvalue(runs, row, RUN_DATA)};

	return pgconn_exec_params(self->pass->target,
							  "SELECT lo_put($1::oid, $2::bigint, $3::bytea)",
							  LENGTH_OF(params), params, NULL, err);
}

static MUST_CHECK Rc
compare_run(Copying *self, const PGresult *runs, int row, Error *err)
{
	const char *params[] = {self->oid, PQgetvalue(runs, row, RUN_OFFSET),
							PQgetvalue(runs, row, RUN_BYTES),
							PQgetvalue(runs, row, RUN_DATA)};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		self->pass->target,
		"SELECT lo_get($1::oid, $2::bigint, $3::integer) = $4::bytea",
		LENGTH_OF(params), params, &result, err);

	self->differs |= rc == RC_OK && !sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/*
 * Compares a gap between runs, up to `end`: the target must have zeros there,
 * or no pages.
 */
static MUST_CHECK Rc
compare_gap(Copying *self, int64_t end, Error *err)
{
	Rc rc = RC_OK;

	while (rc == RC_OK && self->written < end && !self->differs)
	{
		int64_t left = end - self->written;
		int bytes = (int) (left < GAP_BYTES ? left : GAP_BYTES);
		char offset_text[24];
		char bytes_text[16];
		const char *params[] = {self->oid, offset_text, bytes_text};
		PGresult *result = NULL;

		snprintf(offset_text, sizeof(offset_text), "%" PRId64, self->written);
		snprintf(bytes_text, sizeof(bytes_text), "%d", bytes);
		rc = pgconn_exec_params(
			self->pass->target,
			"SELECT t = decode(repeat('00', octet_length(t)), 'hex')"
			" FROM lo_get($1::oid, $2::bigint, $3::integer) t",
			LENGTH_OF(params), params, &result, err);
		self->differs |= rc == RC_OK && !sql_bool(result, 0, 0);
		self->written += bytes;
		PQclear(result);
	}
	return rc;
}

static MUST_CHECK Rc
process_run(Copying *self, const PGresult *runs, int row, Error *err)
{
	int64_t offset = number_at(runs, row, RUN_OFFSET);
	int64_t bytes = number_at(runs, row, RUN_BYTES);
	Rc rc = RC_OK;

	self->end = offset + bytes;
	if (self->compares)
		rc = compare_gap(self, offset, err);
	if (rc != RC_OK || bytes == 0)
		return rc;
	self->written = self->end;
	return self->compares ? compare_run(self, runs, row, err)
						  : write_run(self, runs, row, err);
}

/* Reads all pages of an object, and writes or compares them. */
static MUST_CHECK Rc
process_contents(Copying *self, Error *err)
{
	char after[16] = "-1";
	char limit[16];
	int64_t pages = PAGES_BATCH;
	Rc rc = RC_OK;

	snprintf(limit, sizeof(limit), "%d", PAGES_BATCH);
	while (rc == RC_OK && pages == PAGES_BATCH && !self->differs)
	{
		const char *params[] = {self->oid, after, self->pass->page_bytes,
								limit};
		PGresult *runs = NULL;

		rc = pgconn_exec_params(self->pass->source, runs_sql, LENGTH_OF(params),
								params, &runs, err);
		pages = 0;
		for (int i = 0; rc == RC_OK && i < PQntuples(runs); i++)
		{
			pages += number_at(runs, i, RUN_PAGES);
			snprintf(after, sizeof(after), "%s",
					 PQgetvalue(runs, i, RUN_LAST_PAGE));
			rc = process_run(self, runs, i, err);
		}
		PQclear(runs);
	}
	return rc;
}

/*
 * Compares the length of the target's object, or sets it if the last page is
 * missing.
 */
static MUST_CHECK Rc
finish_length(Copying *self, Error *err)
{
	char end[24];
	const char *params[] = {self->oid, end};
	PGresult *result = NULL;
	Rc rc;

	snprintf(end, sizeof(end), "%" PRId64, self->end);
	if (!self->compares)
		return self->end == self->written
				   ? RC_OK
				   : pgconn_exec_params(
						 self->pass->target,
						 "SELECT lo_truncate64(lo_open($1::oid, 131072),"
						 " $2::bigint)",
						 LENGTH_OF(params), params, NULL, err);
	rc = pgconn_exec_params(self->pass->target,
							"SELECT lo_lseek64(lo_open($1::oid, 262144), 0, 2)"
							" = $2::bigint",
							LENGTH_OF(params), params, &result, err);
	self->differs |= rc == RC_OK && !sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
refuse_unowned(const Pass *self, const char *oid, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "large object %s is on %s already, with other contents, "
					  "and this pipeline has not copied it",
					  oid, pgconn_label(self->target));

	error_hint(
		err, "If nobody needs it there, run there: SELECT lo_unlink(%s);", oid);
	return rc;
}

/*
 * Refuses an object that another pipeline has copied: two sources may use the
 * same OID for different objects.
 */
static MUST_CHECK Rc
refuse_foreign(const Pass *self, const char *oid, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "large object %s on %s is another pipeline's", oid,
					  pgconn_label(self->target));

	error_hint(err,
			   "Large objects with the same number cannot be followed to one "
			   "target: follow with --set --large-objects=off, or into another "
			   "database.");
	return rc;
}

/*
 * Accepts an object that exists on the target and belongs to no pipeline if its
 * contents are the same.  An older program, or a clone without --large-objects,
 * has copied it.
 */
static MUST_CHECK Rc
take_over(Pass *self, const char *oid, Error *err)
{
	Copying copying = {.pass = self, .oid = oid, .compares = true};
	Rc rc = process_contents(&copying, err);

	if (rc == RC_OK && !copying.differs)
		rc = finish_length(&copying, err);
	return rc == RC_OK && copying.differs ? refuse_unowned(self, oid, err) : rc;
}

static MUST_CHECK Rc
write_contents(Pass *self, const char *oid, bool exists, Error *err)
{
	Copying copying = {.pass = self, .oid = oid};
	const char *params[] = {oid};
	Rc rc = RC_OK;

	if (exists)
		rc = pgconn_exec_params(self->target, "SELECT lo_unlink($1::oid)",
								LENGTH_OF(params), params, NULL, err);
	if (rc == RC_OK)
		rc = pgconn_exec_params(self->target, "SELECT lo_create($1::oid)",
								LENGTH_OF(params), params, NULL, err);
	if (rc == RC_OK)
		rc = process_contents(&copying, err);
	return rc == RC_OK ? finish_length(&copying, err) : rc;
}

/*
 * Sets owner, privileges and comment unless options exclude them, and commits.
 */
static MUST_CHECK Rc
describe(const Pass *self, const PGresult *objects, int row, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	if (!self->options->no_owner)
		buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_OWNER));
	if (!self->options->no_privileges)
		buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_PRIVILEGES));
	buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_COMMENT));
	buf_append_string(&sql, "COMMIT");
	return sql_run(self->target, &sql, NULL, err);
}

static MUST_CHECK Rc
begin_writing(const Pass *self, Error *err)
{
	Rc rc = pgconn_exec(self->target, "BEGIN", NULL, err);

	return rc == RC_OK
			   ? large_object_table_hold(self->target, self->options->pipeline,
										 self->pass.token, err)
			   : rc;
}

static MUST_CHECK Rc
copy_object(Pass *self, const PGresult *objects, int row, Error *err)
{
	const char *oid = PQgetvalue(objects, row, OBJECTS_OID);
	LargeObjectOnTarget there = {0};
	Rc rc = begin_writing(self, err);

	if (rc == RC_OK)
		rc = large_object_table_look(self->target, self->options->pipeline, oid,
									 &there, err);
	if (rc == RC_OK && there.is_foreign)
		rc = refuse_foreign(self, oid, err);
	else if (rc == RC_OK && there.exists && !there.is_ours)
		rc = take_over(self, oid, err);
	else if (rc == RC_OK)
		rc = write_contents(self, oid, there.exists, err);
	if (rc == RC_OK)
		rc = large_object_table_note(self->target, self->options->pipeline, oid,
									 err);
	FAULT("large_objects.written");
	if (rc == RC_OK)
		rc = describe(self, objects, row, err);
	FAULT("large_objects.committed");
	if (rc == RC_OK)
		self->done->copied++;
	else
		error_context(err, "copying large object %s to %s", oid,
					  pgconn_label(self->target));
	return rc;
}

/* ---- Those that changed ------------------------------------------------- */

/*
 * Appends the condition on changed objects.  age() counts both XIDs back from
 * the source's next one, so it compares them correctly after a wraparound.
 */
static void
append_changed(Buf *sql, int64_t xmin)
{
	int64_t xid = xmin % XID_COUNT;

	buf_printf(sql,
			   " WHERE m.oid IN (SELECT loid FROM pg_largeobject"
			   "  WHERE age(xmin) <= age('%" PRId64 "'::xid)"
			   " UNION ALL SELECT oid FROM pg_largeobject_metadata"
			   "  WHERE age(xmin) <= age('%" PRId64 "'::xid)"
			   " UNION ALL SELECT objoid FROM pg_description"
			   "  WHERE classoid = 'pg_largeobject'::regclass"
			   "  AND age(xmin) <= age('%" PRId64 "'::xid))",
			   xid, xid, xid);
}

static MUST_CHECK Rc
declare_cursor(const Pass *self, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "DECLARE objects NO SCROLL CURSOR FOR SELECT m.oid,"
							" " LARGE_OBJECT_STATEMENTS_SQL
							" FROM pg_largeobject_metadata m");
	if (large_objects_age(&self->pass.last, &self->point, self->next) >= 0)
		append_changed(&sql, self->pass.last.xmin);
	buf_append_string(&sql, " ORDER BY m.oid");
	return sql_run(self->source, &sql, NULL, err);
}

static MUST_CHECK Rc
copy_changed(Pass *self, Error *err)
{
	Rc rc = declare_cursor(self, err);
	int count = 1;

	while (rc == RC_OK && count > 0)
	{
		PGresult *objects = NULL;

		rc = pgconn_exec(self->source, "FETCH " OBJECTS_BATCH " FROM objects",
						 &objects, err);
		if (rc != RC_OK)
			return rc;
		count = PQntuples(objects);
		for (int i = 0; i < count && rc == RC_OK; i++)
			rc = copy_object(self, objects, i, err);
		PQclear(objects);
	}
	return rc;
}

/* ---- Those that were dropped -----------------------------------------------
 */

/*
 * Reads some OIDs of the source's large objects; columns: count, last OID,
 * array.
 */
static const char oids_sql[] =
	"SELECT count(*), max(oid), array_agg(oid) FROM (SELECT oid"
	" FROM pg_largeobject_metadata WHERE oid > $1::oid ORDER BY oid"
	" LIMIT " OIDS_BATCH ") few";

/*
 * Removes objects of the pipeline that the source does not have, from *after to
 * the last OID of one batch of the source's OIDs.  *after is set to that OID,
 * or to UINT32_MAX after the last batch.
 */
static MUST_CHECK Rc
remove_some(Pass *self, uint32_t *after, Error *err)
{
	char after_text[16];
	const char *params[] = {after_text};
	PGresult *result = NULL;
	uint32_t last = UINT32_MAX;
	int64_t removed = 0;
	Rc rc;

	snprintf(after_text, sizeof(after_text), "%" PRIu32, *after);
	rc = pgconn_exec_params(self->source, oids_sql, LENGTH_OF(params), params,
							&result, err);
	if (rc == RC_OK && strcmp(PQgetvalue(result, 0, 0), OIDS_BATCH) == 0)
		last = (uint32_t) number_at(result, 0, 1);
	if (rc == RC_OK)
		rc = begin_writing(self, err);
	if (rc == RC_OK)
		rc = large_object_table_remove(
			self->target, self->options->pipeline, *after, last,
			PQgetisnull(result, 0, 2) ? "{}" : PQgetvalue(result, 0, 2),
			&removed, err);
	if (rc == RC_OK)
		rc = pgconn_exec(self->target, "COMMIT", NULL, err);
	if (rc == RC_OK)
		self->done->removed += removed;
	PQclear(result);
	*after = last;
	return rc;
}

/*
 * Whether the target has objects of the pipeline that the source does not have.
 * All objects of the source are recorded by now, so the counts differ then.
 */
static MUST_CHECK Rc
has_dropped(const Pass *self, bool *dropped, Error *err)
{
	PGresult *result = NULL;
	int64_t noted = 0;
	Rc rc = pgconn_exec(self->source,
						"SELECT count(*) FROM pg_largeobject_metadata", &result,
						err);

	if (rc == RC_OK)
		rc = large_object_table_count(self->target, self->options->pipeline,
									  &noted, err);
	*dropped = rc == RC_OK && noted != number_at(result, 0, 0);
	PQclear(result);
	return rc;
}

/*
 * Refuses a target on which rows of penstock.large_object are missing, because
 * another session has deleted them.
 */
static MUST_CHECK Rc
refuse_unrecorded(const Pass *self, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "not all large objects that %s has are noted on %s",
					  pgconn_label(self->source), pgconn_label(self->target));

	error_hint(
		err,
		"To have all of them copied again, run there: " LARGE_OBJECT_AGAIN_SQL,
		self->options->pipeline);
	return rc;
}

static MUST_CHECK Rc
remove_dropped(Pass *self, Error *err)
{
	uint32_t after = 0;
	bool dropped = false;
	Rc rc = has_dropped(self, &dropped, err);

	while (rc == RC_OK && dropped && after != UINT32_MAX)
		rc = remove_some(self, &after, err);
	if (rc == RC_OK && dropped)
		rc = has_dropped(self, &dropped, err);
	if (rc == RC_OK && dropped)
		return refuse_unrecorded(self, err);
	if (rc != RC_OK)
		error_context(err, "removing large objects from %s",
					  pgconn_label(self->target));
	return rc;
}

/* ---- All of it ---------------------------------------------------------- */

/*
 * Copies and removes objects.  The snapshot is taken after the pass has begun
 * on the target, so it is newer than the snapshots of earlier passes.
 */
static MUST_CHECK Rc
run(Pass *self, Error *err)
{
	Rc rc = open_source(self, err);

	if (rc == RC_OK)
		rc = check_direction(self, err);
	if (rc == RC_OK)
		rc = copy_changed(self, err);
	if (rc == RC_OK)
		rc = remove_dropped(self, err);
	FAULT("large_objects.done");
	if (rc == RC_OK)
		rc = large_object_table_end(self->target, self->options->pipeline,
									self->pass.token, &self->point, err);
	return rc == RC_OK ? pgconn_exec(self->source, "COMMIT", NULL, err) : rc;
}

Rc
large_objects_pass(const LargeObjectPassOptions *options, PgConn *source,
				   PgConn *target, LargeObjectsDone *done, Error *err)
{
	Pass self = {
		.options = options, .source = source, .target = target, .done = done};
	bool exists = false;
	Rc rc;

	/* Each object is committed by itself. */
	ASSERT(pgconn_can_be_outside(source) && pgconn_can_be_outside(target));
	rc = large_objects_check_followable(source, err);
	*done = (LargeObjectsDone){0};
	if (rc == RC_OK)
		rc = large_object_table_begin(target, options->pipeline, &self.pass,
									  &exists, err);
	return rc == RC_OK && exists ? run(&self, err) : rc;
}

Rc
large_objects_check_followable(PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source,
						"SELECT has_table_privilege('pg_largeobject',"
						" 'SELECT'), quote_ident(current_user)",
						&result, err);

	if (rc == RC_OK && !sql_bool(result, 0, 0))
	{
		rc = error_set(err, ERR_CONFIG,
					   "user \"%s\" may not read the contents of large objects "
					   "on %s",
					   PQuser(pgconn_raw(source)), pgconn_label(source));
		error_hint(err,
				   "Run there, in the database, as a superuser: GRANT SELECT "
				   "ON pg_catalog.pg_largeobject TO %s;",
				   PQgetvalue(result, 0, 1));
	}
	PQclear(result);
	return rc;
}
