/*
 * index_later.c
 *    Records indexes to build, and settles them before a schema change.
 */
#include "sink/postgres/schema/index_later.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "control/copy/index_build.h"
#include "control/schema.h"
#include "model/oid_list.h"

/* Limits how long a schema change waits for a build that it has cancelled. */
#define LOCK_TIMEOUT_SQL "SET LOCAL lock_timeout = '5s'"

/* ---- A schema change of a table with an index that is still to be built ----
 */

static bool
is_table_changed(const DefinitionSet *known, const DefinitionSet *after,
				 uint32_t oid)
{
	const Definition *was = definition_set_find(known, DEFINITION_IN_CLASS,
												oid);
	const Definition *is = definition_set_find(after, DEFINITION_IN_CLASS, oid);

	return was == NULL || is == NULL || !definition_equal(was, is);
}

static bool
refers_to(const Definition *table, uint32_t oid)
{
	if (table->kind != DEFINITION_TABLE)
		return false;
	for (int i = 0; i < table->table.constraint_count; i++)
		if (table->table.constraints[i].kind == CONSTRAINT_FOREIGN_KEY &&
			table->table.constraints[i].referenced_table == oid)
			return true;
	return false;
}

/* Whether a table is the default partition of the table of which the other one
 * is a partition. */
static bool
is_default_beside(const Definition *table, const Definition *other)
{
	return table != NULL && table->kind == DEFINITION_TABLE &&
		   other->kind == DEFINITION_TABLE &&
		   strcmp(table->table.bound, "DEFAULT") == 0 &&
		   table->table.parents.count > 0 &&
		   oid_list_has(&other->table.parents, table->table.parents.oids[0]);
}

/*
 * Whether a table changes whose statements may lock this table, too, and would
 * wait until the build ends: ADD FOREIGN KEY or DROP TABLE of a table that
 * refers to it, or ATTACH PARTITION beside it.
 */
static bool
is_related_changed(const DefinitionSet *known, const DefinitionSet *after,
				   uint32_t oid)
{
	const DefinitionSet *const sets[] = {known, after};

	for (size_t n = 0; n < LENGTH_OF(sets); n++)
	{
		const Definition *table = definition_set_find(sets[n],
													  DEFINITION_IN_CLASS, oid);

		for (size_t i = 0; i < definition_set_count(sets[n]); i++)
		{
			const Definition *other = definition_set_at(sets[n], i);

			if ((refers_to(other, oid) || is_default_beside(table, other)) &&
				is_table_changed(known, after, other->oid))
				return true;
		}
	}
	return false;
}

/* Removes an index from the definition of its table. */
static void
forget_index(DefinitionSet *set, const IndexBuild *build, Arena *arena)
{
	const Definition *table = definition_set_find(set, DEFINITION_IN_CLASS,
												  build->table_oid);
	Definition without;
	int count = 0;

	if (table == NULL || table->kind != DEFINITION_TABLE)
		return;
	without = *table;
	without.table.indexes = arena_calloc(
		arena, (size_t) table->table.index_count + 1, sizeof(IndexDefinition));
	for (int i = 0; i < table->table.index_count; i++)
		if (table->table.indexes[i].oid != build->index_oid)
			without.table.indexes[count++] = table->table.indexes[i];
	without.table.index_count = count;
	definition_set_put(set, &without);
}

/* Returns the text of an index's definition; NULL: there is no such index. */
static const char *
find_text(const DefinitionSet *set, const IndexBuild *build)
{
	const Definition *table = definition_set_find(set, DEFINITION_IN_CLASS,
												  build->table_oid);

	if (table == NULL || table->kind != DEFINITION_TABLE)
		return NULL;
	for (int i = 0; i < table->table.index_count; i++)
		if (table->table.indexes[i].oid == build->index_oid)
			return table->table.indexes[i].definition;
	return NULL;
}

/*
 * Whether a change leaves a build as it is: the changed table is left out on
 * the target, so that no statement is run for it, and the index is the same.
 */
static bool
is_kept(const DefinitionSet *known, const DefinitionSet *after,
		const DefinitionSet *before, const IndexBuild *build)
{
	const char *was = find_text(known, build);
	const char *is = find_text(after, build);

	return is_table_changed(known, after, build->table_oid) &&
		   !is_table_changed(before, after, build->table_oid) && was != NULL &&
		   is != NULL && strcmp(was, is) == 0;
}

static bool
is_settled(const DefinitionSet *known, const DefinitionSet *after,
		   const DefinitionSet *before, const IndexBuild *build)
{
	return (is_table_changed(known, after, build->table_oid) ||
			is_related_changed(known, after, build->table_oid)) &&
		   !is_kept(known, after, before, build);
}

static MUST_CHECK Rc
drop_invalid(PgConn *conn, const IndexBuild *build, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "DROP INDEX ");
	buf_append_identifier(&sql, build->schema);
	buf_append_char(&sql, '.');
	buf_append_identifier(&sql, build->name);
	rc = pgconn_exec(conn, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

static MUST_CHECK Rc
settle_one(PgConn *conn, const char *pipeline, const IndexBuild *build,
		   DefinitionSet *before, Arena *arena, Error *err)
{
	IndexFound found = INDEX_NOT_FOUND;
	Rc rc = pgconn_exec(conn, LOCK_TIMEOUT_SQL, NULL, err);

	if (rc == RC_OK)
		rc = index_build_stop(conn, pipeline, build->index_oid, err);
	if (rc == RC_OK)
		rc = index_build_find(conn, build, &found, err);
	if (rc == RC_OK && found == INDEX_INVALID)
		rc = drop_invalid(conn, build, err);
	if (rc == RC_OK)
		rc = index_build_remove(conn, pipeline, build->index_oid, err);
	if (rc == RC_OK && found != INDEX_VALID)
		forget_index(before, build, arena);
	if (rc == RC_FAIL)
		error_context(err,
					  "ending the build of index \"%s\".\"%s\", whose table "
					  "changes",
					  build->schema, build->name);
	return rc;
}

Rc
index_later_settle(PgConn *conn, const char *pipeline,
				   const DefinitionSet *known, const DefinitionSet *after,
				   DefinitionSet *before, Arena *arena, Error *err)
{
	IndexBuilds builds;
	Rc rc = index_builds_read(conn, pipeline, arena, &builds, err);

	for (int i = 0; i < builds.count && rc == RC_OK; i++)
		if (is_settled(known, after, before, &builds.builds[i]))
			rc = settle_one(conn, pipeline, &builds.builds[i], before, arena,
							err);
	return rc;
}

/* ---- A new index ---- */

/* Whether the table of a statement is large, and the index can be recorded. */
static MUST_CHECK Rc
is_for_later(PgConn *conn, const DdlStatement *statement, bool *later,
			 Error *err)
{
	const char *params[] = {statement->object};
	PGresult *result = NULL;
	char sql[128];
	Rc rc = control_has(conn, "index_build", later, err);

	if (rc != RC_OK || !*later)
		return rc;
	snprintf(sql, sizeof(sql),
			 "SELECT pg_catalog.pg_relation_size("
			 "pg_catalog.to_regclass($1)) >= %zu",
			 (size_t) INDEX_LATER_BYTES_MIN);
	rc = pgconn_exec_params(conn, sql, LENGTH_OF(params), params, &result, err);
	*later = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
index_later_note(PgConn *conn, const char *pipeline,
				 const DdlStatement *statement, Lsn lsn, bool *noted,
				 Error *err)
{
	IndexBuild build = {.table_oid = statement->oid,
						.statement = statement->concurrent_sql,
						.lsn = lsn};
	Rc rc;

	*noted = false;
	if (statement->concurrent_sql == NULL)
		return RC_OK;
	build.index_oid = statement->index->oid;
	build.schema = statement->index->schema;
	build.name = statement->index->name;
	rc = is_for_later(conn, statement, noted, err);
	if (rc == RC_OK && *noted)
		rc = index_build_write(conn, pipeline, &build, err);
	if (rc == RC_OK && *noted)
		log_info("apply",
				 "%s: index \"%s\".\"%s\" is built while changes go on being "
				 "applied: %s",
				 pgconn_label(conn), build.schema, build.name, build.statement);
	return rc;
}
