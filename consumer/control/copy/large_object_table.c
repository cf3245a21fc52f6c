/*
 * large_object_table.c
 *    SQL on penstock.large_object and penstock.large_object_pass.
 */
#include "control/copy/large_object_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/progress_table.h"
#include "control/schema.h"

/* Bytes for a decimal 64-bit number with sign and terminating zero. */
#define NUMBER_SIZE 24

typedef struct NumberText
{
	char text[NUMBER_SIZE];
} NumberText;

static NumberText
number_text(int64_t number)
{
	NumberText text;

	snprintf(text.text, sizeof(text.text), "%" PRId64, number);
	return text;
}

static int64_t
number_at(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

Rc
large_object_table_begin(PgConn *target, const char *pipeline,
						 LargeObjectPass *pass, bool *exists, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.large_object_pass AS p (pipeline, token)"
		" SELECT pipeline, 1 FROM (SELECT pipeline FROM penstock.progress"
		"  WHERE pipeline = $1 AND lease_holder IS DISTINCT FROM "
		"'" PROGRESS_PROMOTED "'  FOR SHARE) q"
		" ON CONFLICT (pipeline) DO UPDATE SET token = p.token + 1"
		" RETURNING token, source_system_identifier, source_timeline,"
		" source_xmin";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = control_upgrade(target, err);

	ASSERT(rc != RC_OK || pgconn_can_be_outside(target));
	*pass = (LargeObjectPass){0};
	*exists = false;
	if (rc == RC_OK)
		rc = control_has(target, "large_object_pass", exists, err);
	if (rc == RC_OK && *exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	*exists = rc == RC_OK && *exists && PQntuples(result) > 0;
	if (*exists)
	{
		pass->token = number_at(result, 0, 0);
		snprintf(pass->last.system, sizeof(pass->last.system), "%s",
				 PQgetvalue(result, 0, 1));
		pass->last.timeline = number_at(result, 0, 2);
		pass->last.xmin = number_at(result, 0, 3);
	}
	PQclear(result);
	return rc;
}

Rc
large_object_table_supersede(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = control_has(target, "large_object_pass", &exists, err);

	return rc == RC_OK && exists
			   ? pgconn_exec_params(target,
									"UPDATE penstock.large_object_pass"
									" SET token = token + 1"
									" WHERE pipeline = $1",
									LENGTH_OF(params), params, NULL, err)
			   : rc;
}

static MUST_CHECK Rc
refuse_superseded(const PgConn *target, Error *err)
{
	return error_set(err, ERR_CHANGED,
					 "another pass over large objects has begun on %s",
					 pgconn_label(target));
}

Rc
large_object_table_hold(PgConn *target, const char *pipeline, int64_t token,
						Error *err)
{
	NumberText token_text = number_text(token);
	const char *params[] = {pipeline, token_text.text};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target,
							   "SELECT FROM penstock.large_object_pass"
							   " WHERE pipeline = $1 AND token = $2 FOR UPDATE",
							   LENGTH_OF(params), params, &result, err);
	bool held = rc == RC_OK && PQntuples(result) > 0;

	ASSERT(token > 0);
	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	PQclear(result);
	return rc == RC_OK && !held ? refuse_superseded(target, err) : rc;
}

Rc
large_object_table_end(PgConn *target, const char *pipeline, int64_t token,
					   const LargeObjectPoint *point, Error *err)
{
	NumberText token_text = number_text(token);
	NumberText timeline = number_text(point->timeline);
	NumberText xmin = number_text(point->xmin);
	const char *params[] = {pipeline, token_text.text, point->system,
							timeline.text, xmin.text};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		target,
		"UPDATE penstock.large_object_pass SET source_system_identifier = $3,"
		" source_timeline = $4, source_xmin = $5,"
		" ended_at = pg_catalog.clock_timestamp()"
		" WHERE pipeline = $1 AND token = $2 RETURNING 1",
		LENGTH_OF(params), params, &result, err);
	bool held = rc == RC_OK && PQntuples(result) > 0;

	ASSERT(token > 0);
	PQclear(result);
	return rc == RC_OK && !held ? refuse_superseded(target, err) : rc;
}

Rc
large_object_table_begin_copy(PgConn *target, const char *pipeline,
							  const LargeObjectPoint *point, Error *err)
{
	NumberText timeline = number_text(point->timeline);
	NumberText xmin = number_text(point->xmin);
	const char *params[] = {pipeline, point->system, timeline.text, xmin.text};

	return pgconn_exec_params(
		target,
		"INSERT INTO penstock.large_object_pass (pipeline, token,"
		" source_system_identifier, source_timeline, source_xmin)"
		" VALUES ($1, 0, $2, $3, $4) ON CONFLICT (pipeline) DO NOTHING",
		LENGTH_OF(params), params, NULL, err);
}

Rc
large_object_table_look(PgConn *target, const char *pipeline, const char *oid,
						LargeObjectOnTarget *there, Error *err)
{
	const char *params[] = {pipeline, oid};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		target,
		"SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata"
		"  WHERE oid = $2), EXISTS (SELECT FROM penstock.large_object"
		"  WHERE pipeline = $1 AND oid = $2),"
		" EXISTS (SELECT FROM penstock.large_object"
		"  WHERE pipeline <> $1 AND oid = $2)",
		LENGTH_OF(params), params, &result, err);

	*there = (LargeObjectOnTarget){0};
	if (rc == RC_OK)
	{
		there->exists = PQgetvalue(result, 0, 0)[0] == 't';
		there->is_ours = PQgetvalue(result, 0, 1)[0] == 't';
		there->is_foreign = PQgetvalue(result, 0, 2)[0] == 't';
	}
	PQclear(result);
	return rc;
}

Rc
large_object_table_note(PgConn *target, const char *pipeline, const char *oid,
						Error *err)
{
	const char *params[] = {pipeline, oid};

	ASSERT(pgconn_can_be_inside(target));
	return pgconn_exec_params(
		target,
		"INSERT INTO penstock.large_object (pipeline, oid) VALUES ($1, $2)"
		" ON CONFLICT (pipeline, oid) DO NOTHING",
		LENGTH_OF(params), params, NULL, err);
}

Rc
large_object_table_count(PgConn *target, const char *pipeline, int64_t *count,
						 Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target,
							   "SELECT count(*) FROM penstock.large_object"
							   " WHERE pipeline = $1",
							   LENGTH_OF(params), params, &result, err);

	*count = rc == RC_OK ? number_at(result, 0, 0) : 0;
	PQclear(result);
	return rc;
}

Rc
large_object_table_remove(PgConn *target, const char *pipeline, uint32_t after,
						  uint32_t last, const char *kept, int64_t *removed,
						  Error *err)
{
	NumberText after_text = number_text(after);
	NumberText last_text = number_text(last);
	const char *params[] = {pipeline, after_text.text, last_text.text, kept};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		target,
		"WITH gone AS (DELETE FROM penstock.large_object l"
		"  WHERE pipeline = $1 AND oid > $2::oid AND oid <= $3::oid"
		"  AND NOT EXISTS (SELECT FROM unnest($4::oid[]) kept (oid)"
		"   WHERE kept.oid = l.oid) RETURNING oid)"
		" SELECT count(pg_catalog.lo_unlink(m.oid))"
		"  FROM gone JOIN pg_catalog.pg_largeobject_metadata m USING (oid)",
		LENGTH_OF(params), params, &result, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	ASSERT(after <= last);
	*removed = rc == RC_OK ? number_at(result, 0, 0) : 0;
	PQclear(result);
	return rc;
}

Rc
large_object_table_forget(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	bool exists = false;
	Rc rc = control_has(target, "large_object_pass", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(
			target, "DELETE FROM penstock.large_object WHERE pipeline = $1",
			LENGTH_OF(params), params, NULL, err);
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(
			target,
			"DELETE FROM penstock.large_object_pass WHERE pipeline = $1",
			LENGTH_OF(params), params, NULL, err);
	return rc;
}

/* A query that returns a row if the table exists and our role may read it. */
static const char may_read_sql[] =
	"SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE n.nspname = 'penstock' AND c.relname = 'large_object_pass'"
	" AND has_schema_privilege(n.oid, 'USAGE')"
	" AND has_table_privilege(c.oid, 'SELECT')";

Rc
large_object_table_find_from(PgConn *server, const char *source, Arena *arena,
							 const char **pipeline, Error *err)
{
	const char *params[] = {source};
	PGresult *result = NULL;
	Rc rc = pgconn_exec(server, may_read_sql, &result, err);
	bool may_read = rc == RC_OK && PQntuples(result) > 0;

	*pipeline = NULL;
	PQclear(result);
	if (!may_read)
		return rc;
	result = NULL;
	rc = pgconn_exec_params(server,
							"SELECT pipeline FROM penstock.large_object_pass"
							" WHERE source_system_identifier = $1 LIMIT 1",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		*pipeline = arena_strdup(arena, PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}
