/*
 * index_build.c
 *    SQL around penstock.index_build.
 */
#include "control/copy/index_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/schema.h"

/* The key of an index's advisory lock; $1 is the pipeline, $2 the index. */
#define LOCK_KEY_SQL                                                           \
	"pg_catalog.hashtextextended('penstock.index_build ' || $1 || ' ' || $2, " \
	"0)"

typedef struct OidText
{
	char text[16];
} OidText;

static OidText
oid_text(uint32_t oid)
{
	OidText text;

	snprintf(text.text, sizeof(text.text), "%" PRIu32, oid);
	return text;
}

Rc
index_build_write(PgConn *target, const char *pipeline, const IndexBuild *build,
				  Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.index_build (pipeline, table_oid, index_oid,"
		" schema_name, index_name, statement, lsn)"
		" VALUES ($1, $2::oid, $3::oid, $4, $5, $6, $7::pg_lsn)"
		" ON CONFLICT (pipeline, index_oid) DO UPDATE"
		" SET table_oid = excluded.table_oid,"
		" schema_name = excluded.schema_name,"
		" index_name = excluded.index_name,"
		" statement = excluded.statement, lsn = excluded.lsn";
	OidText table = oid_text(build->table_oid);
	OidText index = oid_text(build->index_oid);
	char lsn[LSN_TEXT_SIZE];
	const char *params[] = {
		pipeline,    table.text,       index.text, build->schema,
		build->name, build->statement, lsn};

	ASSERT(pgconn_can_be_inside(target));
	ASSERT(build->index_oid != 0 && build->lsn != 0);
	snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(build->lsn));
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

static MUST_CHECK Rc
take_rows(const PGresult *result, const PgConn *target, Arena *arena,
		  IndexBuilds *builds, Error *err)
{
	builds->count = PQntuples(result);
	builds->builds = arena_calloc(arena, (size_t) builds->count + 1,
								  sizeof(IndexBuild));
	for (int i = 0; i < builds->count; i++)
	{
		IndexBuild *build = &builds->builds[i];

		build->table_oid = (uint32_t) strtoul(PQgetvalue(result, i, 0), NULL,
											  10);
		build->index_oid = (uint32_t) strtoul(PQgetvalue(result, i, 1), NULL,
											  10);
		build->schema = arena_strdup(arena, PQgetvalue(result, i, 2));
		build->name = arena_strdup(arena, PQgetvalue(result, i, 3));
		build->statement = arena_strdup(arena, PQgetvalue(result, i, 4));
		if (!lsn_parse(PQgetvalue(result, i, 5), &build->lsn))
			return error_set(err, ERR_PROTOCOL,
							 "invalid position \"%s\" from %s",
							 PQgetvalue(result, i, 5), pgconn_label(target));
	}
	return RC_OK;
}

Rc
index_builds_read(PgConn *target, const char *pipeline, Arena *arena,
				  IndexBuilds *builds, Error *err)
{
	static const char sql[] =
		"SELECT table_oid, index_oid, schema_name, index_name, statement, lsn"
		" FROM penstock.index_build WHERE pipeline = $1"
		" ORDER BY lsn, schema_name, index_name";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "index_build", &exists, err);

	*builds = (IndexBuilds){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK)
		rc = take_rows(result, target, arena, builds, err);
	PQclear(result);
	return rc;
}

Rc
index_builds_newest(PgConn *target, const char *pipeline, Lsn *lsn, Error *err)
{
	static const char sql[] = "SELECT lsn FROM penstock.index_build"
							  " WHERE pipeline = $1 ORDER BY lsn DESC LIMIT 1";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "index_build", &exists, err);

	*lsn = 0;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK && exists && PQntuples(result) == 1 &&
		!lsn_parse(PQgetvalue(result, 0, 0), lsn))
		rc = error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
					   PQgetvalue(result, 0, 0), pgconn_label(target));
	PQclear(result);
	return rc;
}

void
index_build_append_removal(const char *pipeline, uint32_t index_oid, Buf *sql)
{
	ASSERT(index_oid != 0);
	buf_append_string(sql,
					  "DELETE FROM penstock.index_build WHERE pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_printf(sql, " AND index_oid = %" PRIu32, index_oid);
}

Rc
index_build_remove(PgConn *target, const char *pipeline, uint32_t index_oid,
				   Error *err)
{
	OidText index = oid_text(index_oid);
	const char *params[] = {pipeline, index.text};

	return pgconn_exec_params(target,
							  "DELETE FROM penstock.index_build"
							  " WHERE pipeline = $1 AND index_oid = $2::oid",
							  LENGTH_OF(params), params, NULL, err);
}

/* ---- The advisory lock ---- */

Rc
index_build_hold(PgConn *target, const char *pipeline, uint32_t index_oid,
				 IndexNeed *need, Error *err)
{
	static const char needed_sql[] =
		"SELECT NOT EXISTS (SELECT FROM penstock.table_state s"
		" WHERE s.pipeline = b.pipeline"
		" AND s.state IN ('copying', 'catching up', 'joining')"
		" AND pg_catalog.strpos(b.statement, pg_catalog.format("
		"  ' ON %I.%I USING ', s.schema_name, s.table_name)) > 0)"
		" FROM penstock.index_build b"
		" WHERE b.pipeline = $1 AND b.index_oid = $2::oid";
	OidText index = oid_text(index_oid);
	const char *params[] = {pipeline, index.text};
	PGresult *result = NULL;
	bool has = true;
	Rc rc = pgconn_exec_params(
		target, "SELECT pg_catalog.pg_try_advisory_lock(" LOCK_KEY_SQL ")",
		LENGTH_OF(params), params, &result, err);

	ASSERT(index_oid != 0);
	if (rc == RC_OK)
		has = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	result = NULL;
	if (rc == RC_OK && !has)
		return RC_AGAIN;
	if (rc == RC_OK)
		rc = pgconn_exec_params(target, needed_sql, LENGTH_OF(params), params,
								&result, err);
	ASSERT(rc != RC_AGAIN);
	*need = INDEX_GONE;
	if (rc == RC_OK && PQntuples(result) > 0)
		*need = PQgetvalue(result, 0, 0)[0] == 't' ? INDEX_NEEDED : INDEX_AFTER;
	PQclear(result);
	return rc;
}

Rc
index_build_release(PgConn *target, const char *pipeline, uint32_t index_oid,
					Error *err)
{
	OidText index = oid_text(index_oid);
	const char *params[] = {pipeline, index.text};

	return pgconn_exec_params(
		target, "SELECT pg_catalog.pg_advisory_unlock(" LOCK_KEY_SQL ")",
		LENGTH_OF(params), params, NULL, err);
}

Rc
index_build_stop(PgConn *target, const char *pipeline, uint32_t index_oid,
				 Error *err)
{
	/* pg_locks shows the halves of the key as unsigned numbers. */
	static const char cancel_sql[] =
		"SELECT pg_catalog.pg_cancel_backend(pid)"
		" FROM pg_catalog.pg_locks, (SELECT " LOCK_KEY_SQL ") k (key)"
		" WHERE locktype = 'advisory' AND granted AND objsubid = 1"
		" AND database = (SELECT oid FROM pg_catalog.pg_database"
		"  WHERE datname = pg_catalog.current_database())"
		" AND classid::bigint = (key >> 32) & 4294967295"
		" AND objid::bigint = key & 4294967295"
		" AND pid <> pg_catalog.pg_backend_pid()";
	OidText index = oid_text(index_oid);
	const char *params[] = {pipeline, index.text};
	Rc rc = pgconn_exec_params(target, cancel_sql, LENGTH_OF(params), params,
							   NULL, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	if (rc == RC_OK)
		rc = pgconn_exec_params(
			target, "SELECT pg_catalog.pg_advisory_xact_lock(" LOCK_KEY_SQL ")",
			LENGTH_OF(params), params, NULL, err);
	return rc;
}

void
index_build_append_cancel(Buf *sql, const char *table)
{
	buf_append_string(sql,
					  "pg_catalog.pg_cancel_backend(p.pid)"
					  " FROM pg_catalog.pg_stat_progress_create_index p"
					  " JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid"
					  " WHERE a.application_name = '" INDEX_BUILD_SESSION "'"
					  " AND a.usename = current_user AND p.relid IN (SELECT ");
	buf_append_literal(sql, table);
	buf_append_string(sql, "::pg_catalog.regclass UNION ALL SELECT relid"
						   " FROM pg_catalog.pg_partition_tree(");
	buf_append_literal(sql, table);
	buf_append_string(sql, "))");
}

/* ---- The index ---- */

Rc
index_build_find(PgConn *target, const IndexBuild *build, IndexFound *found,
				 Error *err)
{
	static const char sql[] =
		"SELECT indisvalid FROM pg_catalog.pg_index"
		" JOIN pg_catalog.pg_class c ON c.oid = indexrelid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" JOIN pg_catalog.pg_class t ON t.oid = indrelid"
		" JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace"
		" WHERE n.nspname = $1 AND c.relname = $2"
		" AND pg_catalog.strpos($3, pg_catalog.format(' ON %I.%I USING ',"
		"  tn.nspname, t.relname)) > 0"
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index"
		"  p WHERE p.index_relid = indexrelid)";
	const char *params[] = {build->schema, build->name, build->statement};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							   err);

	*found = INDEX_NOT_FOUND;
	if (rc == RC_OK && PQntuples(result) > 0)
		*found = PQgetvalue(result, 0, 0)[0] == 't' ? INDEX_VALID
													: INDEX_INVALID;
	PQclear(result);
	return rc;
}
