/*
 * copied_table.c
 *    Keeps the list in arrays sorted by name and by OID, and compares it with
 *    the tables of the target.
 */
#include "control/copy/copied_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "control/schema.h"

#define ARENA_BLOCK_BYTES (16 * KB)

struct CopiedTables
{
	size_t count;
	CopiedTable *by_name;
	CopiedTable *by_oid;
	size_t present_count;
	CopiedTable *present; /* tables of the target with their OIDs; sorted by
						   * name */
	bool newer_may_come;
	Arena *arena; /* owns everything here, including this struct */
};

/*
 * Stores the OID of penstock.copied itself in the row without a name.  If it
 * differs later, the target was restored from a dump, and all stored OIDs are
 * invalid.
 */
Rc
copied_table_begin(PgConn *target, const char *pipeline, bool newer_may_come,
				   Error *err)
{
	const char *params[] = {pipeline, newer_may_come ? "true" : "false"};
	Rc rc = pgconn_exec_params(target,
							   "DELETE FROM penstock.copied"
							   " WHERE pipeline = $1",
							   1, params, NULL, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	if (rc == RC_OK)
		rc = pgconn_exec_params(target,
								"INSERT INTO penstock.copied"
								" VALUES ($1, '', '', 0, $2::boolean,"
								" 'penstock.copied'::regclass)",
								LENGTH_OF(params), params, NULL, err);
	return rc;
}

/* Appends VALUES with the names and OIDs of the tables. */
static void
append_values(Buf *sql, const CopiedTable *tables, int count)
{
	ASSERT(count > 0);
	for (int i = 0; i < count; i++)
	{
		buf_append_string(sql, i > 0 ? ", (" : "VALUES (");
		buf_append_literal(sql, tables[i].name.schema);
		buf_append_string(sql, ", ");
		buf_append_literal(sql, tables[i].name.name);
		buf_printf(sql, ", %" PRIu32 "::oid, %s)", tables[i].oid,
				   tables[i].copied ? "true" : "false");
	}
}

Rc
copied_table_add(PgConn *target, const char *pipeline,
				 const CopiedTable *tables, int count, Error *err)
{
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = control_has(target, "copied", &exists, err);
	Buf sql;

	if (rc != RC_OK || !exists || count == 0)
		return rc;
	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "INSERT INTO penstock.copied AS c"
							" SELECT $1, v.*, coalesce(to_regclass("
							"format('%I.%I', v.schema_name, v.table_name)"
							"), 0::oid) FROM (");
	append_values(&sql, tables, count);
	buf_append_string(&sql, ") v (schema_name, table_name, source_oid, copied)"
							" WHERE EXISTS (SELECT FROM penstock.copied l"
							"  WHERE l.pipeline = $1 AND l.table_name = '')"
							" ON CONFLICT (pipeline, schema_name, table_name)"
							" DO UPDATE SET source_oid = excluded.source_oid,"
							" copied = excluded.copied,"
							" target_oid = excluded.target_oid");
	CHECK(!sql.overflowed);
	rc = pgconn_exec_params(target, sql.data, 1, params, NULL, err);
	buf_release(&sql);
	return rc;
}

/* ---- following the source ---- */

/*
 * Appends a statement that removes the names of the tables.  Names are unique
 * in the list, so tables that exchange their names must lose them first.
 */
static void
append_unnaming(Buf *sql, const char *pipeline, const CopiedTable *tables,
				int count)
{
	buf_append_string(sql, "UPDATE penstock.copied SET schema_name = '',"
						   " table_name = source_oid::text WHERE pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, " AND source_oid IN (0");
	for (int i = 0; i < count; i++)
		buf_printf(sql, ", %" PRIu32, tables[i].oid);
	buf_append_string(sql, ") AND table_name <> '';");
}

/*
 * Appends a statement that removes other entries with these names: their tables
 * do not exist any more.
 */
static void
append_clearing(Buf *sql, const char *pipeline, const CopiedTable *tables,
				int count)
{
	buf_append_string(sql, "DELETE FROM penstock.copied c USING (");
	append_values(sql, tables, count);
	buf_append_string(sql, ") v (schema_name, table_name, source_oid, copied)"
						   " WHERE c.schema_name = v.schema_name"
						   " AND c.table_name = v.table_name"
						   " AND c.pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_char(sql, ';');
}

static void
append_naming(Buf *sql, const char *pipeline, const CopiedTable *tables,
			  int count)
{
	buf_append_string(sql, "UPDATE penstock.copied c SET"
						   " schema_name = v.schema_name,"
						   " table_name = v.table_name, target_oid ="
						   " coalesce(to_regclass(format('%I.%I',"
						   " v.schema_name, v.table_name)), 0::oid),"
						   " copied = c.copied AND v.copied FROM (");
	append_values(sql, tables, count);
	buf_append_string(sql, ") v (schema_name, table_name, source_oid, copied)"
						   " WHERE c.source_oid = v.source_oid"
						   " AND c.table_name <> '' AND c.pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_char(sql, ';');
}

static void
append_removal(Buf *sql, const char *pipeline, const uint32_t *gone, int count)
{
	ASSERT(count > 0);
	buf_append_string(sql, "DELETE FROM penstock.copied WHERE pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, " AND table_name <> '' AND source_oid IN (0");
	for (int i = 0; i < count; i++)
		buf_printf(sql, ", %" PRIu32, gone[i]);
	buf_append_string(sql, ");");
}

static void
append_addition(Buf *sql, const char *pipeline, const CopiedTable *tables,
				int count)
{
	buf_append_string(sql, "INSERT INTO penstock.copied SELECT ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, ", v.*, coalesce(to_regclass("
						   "format('%I.%I', v.schema_name, v.table_name)"
						   "), 0::oid) FROM (");
	append_values(sql, tables, count);
	buf_append_string(sql, ") v (schema_name, table_name, source_oid, copied)"
						   " WHERE NOT EXISTS (SELECT FROM penstock.copied l"
						   "  WHERE l.source_oid = v.source_oid"
						   "  AND l.table_name <> '' AND l.pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, ") ON CONFLICT (pipeline, schema_name, table_name)"
						   " DO UPDATE SET source_oid = excluded.source_oid,"
						   " copied = excluded.copied,"
						   " target_oid = excluded.target_oid;");
}

Rc
copied_table_follow(PgConn *target, const char *pipeline,
					const CopiedTable *tables, int count, const uint32_t *gone,
					int gone_count, Error *err)
{
	CopiedTables *list;
	Buf sql;
	Rc rc = copied_tables_read(&list, target, pipeline, err);
	bool has_list = list != NULL;

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	copied_tables_free(list);
	if (rc != RC_OK || !has_list)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	if (gone_count > 0)
		append_removal(&sql, pipeline, gone, gone_count);
	if (count > 0)
	{
		append_unnaming(&sql, pipeline, tables, count);
		append_clearing(&sql, pipeline, tables, count);
		append_naming(&sql, pipeline, tables, count);
		append_addition(&sql, pipeline, tables, count);
	}
	if (sql.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "the names of %d tables that changed at once are longer "
					   "than %zu bytes",
					   count, (size_t) BUF_TEXT_MAX);
	else if (sql.data != NULL)
		rc = pgconn_exec(target, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

/* ---- judging ---- */

static int
compare_names(const void *a, const void *b)
{
	const CopiedTable *left = a;
	const CopiedTable *right = b;
	int order = strcmp(left->name.schema, right->name.schema);

	return order != 0 ? order : strcmp(left->name.name, right->name.name);
}

static int
compare_oids(const void *a, const void *b)
{
	const CopiedTable *left = a;
	const CopiedTable *right = b;

	return left->oid < right->oid ? -1 : left->oid > right->oid;
}

/*
 * Reads the list, and the tables of the target.  Columns: schema and name,
 * source OID, whether copied, whether it is a table of the target, target OID.
 */
static const char read_sql[] =
	"SELECT k.schema_name, k.table_name, k.source_oid, k.copied, false,"
	" CASE WHEN l.target_oid = l.tableoid THEN k.target_oid ELSE 0 END"
	" FROM penstock.copied k LEFT JOIN penstock.copied l"
	"  ON l.pipeline = k.pipeline AND l.table_name = ''"
	" WHERE k.pipeline = $1"
	" UNION ALL SELECT n.nspname, c.relname, 0, true, true, c.oid"
	" FROM pg_catalog.pg_class c"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN"
	"  ('pg_catalog', 'information_schema', 'penstock')"
	" AND EXISTS (SELECT FROM penstock.copied WHERE pipeline = $1)";

/* Builds the list from the result of read_sql. */
static CopiedTables *
make_list(const PGresult *result)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	CopiedTables *tables = arena_calloc(arena, 1, sizeof(CopiedTables));
	size_t rows = (size_t) PQntuples(result);

	tables->arena = arena;
	tables->by_name = arena_calloc(arena, rows, sizeof(CopiedTable));
	tables->present = arena_calloc(arena, rows, sizeof(CopiedTable));
	for (int i = 0; i < PQntuples(result); i++)
	{
		const CopiedTable table = {
			.name = {.schema = arena_strdup(arena, PQgetvalue(result, i, 0)),
					 .name = arena_strdup(arena, PQgetvalue(result, i, 1))},
			.oid = (uint32_t) strtoul(PQgetvalue(result, i, 2), NULL, 10),
			.copied = PQgetvalue(result, i, 3)[0] == 't',
			.target_oid = (uint32_t) strtoul(PQgetvalue(result, i, 5), NULL,
											 10),
		};

		if (PQgetvalue(result, i, 4)[0] == 't')
			tables->present[tables->present_count++] = table;
		else if (table.name.name[0] == '\0')
			tables->newer_may_come = table.copied;
		else
			tables->by_name[tables->count++] = table;
	}
	tables->by_oid = arena_dup(arena, tables->by_name,
							   tables->count * sizeof(CopiedTable));
	qsort(tables->by_name, tables->count, sizeof(CopiedTable), compare_names);
	qsort(tables->present, tables->present_count, sizeof(CopiedTable),
		  compare_names);
	qsort(tables->by_oid, tables->count, sizeof(CopiedTable), compare_oids);
	ASSERT(tables->count + tables->present_count <= rows);
	return tables;
}

Rc
copied_table_oids(PgConn *target, const char *pipeline, Arena *arena,
				  OidList *oids, Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "copied", &exists, err);

	*oids = (OidList){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT source_oid FROM penstock.copied"
							" WHERE pipeline = $1 AND copied",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK)
		oids->oids = arena_calloc(arena, (size_t) PQntuples(result) + 1,
								  sizeof(uint32_t));
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
		oids->oids[oids->count++] = (uint32_t) strtoul(PQgetvalue(result, i, 0),
													   NULL, 10);
	PQclear(result);
	return rc;
}

Rc
copied_tables_read(CopiedTables **tables, PgConn *target, const char *pipeline,
				   Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "copied", &exists, err);

	*tables = NULL;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, read_sql, 1, params, &result, err);
	if (rc == RC_OK && exists && PQntuples(result) > 0)
		*tables = make_list(result);
	PQclear(result);
	return rc;
}

void
copied_tables_free(CopiedTables *tables)
{
	if (tables != NULL)
		arena_free(tables->arena);
}

/* Whether the target has the table `copied` under another name than `named`. */
static bool
is_elsewhere(const CopiedTables *tables, const CopiedTable *copied,
			 const CopiedTable *named)
{
	for (size_t i = 0; i < tables->present_count; i++)
		if (tables->present[i].target_oid == copied->target_oid)
			return compare_names(&tables->present[i], named) != 0;
	return false;
}

bool
copied_tables_find(const CopiedTables *tables, uint32_t oid, bool *copied)
{
	const CopiedTable key = {.oid = oid};
	const CopiedTable *found = bsearch(&key, tables->by_oid, tables->count,
									   sizeof(CopiedTable), compare_oids);

	ASSERT(oid != 0);
	*copied = found != NULL && found->copied;
	return found != NULL;
}

/*
 * Finds an entry with the OID of the relation and another name; NULL if none.
 */
static const CopiedTable *
find_renamed(const CopiedTables *tables, const CopiedTable *relation)
{
	const CopiedTable *found = NULL;

	if (relation->oid != 0)
		found = bsearch(relation, tables->by_oid, tables->count,
						sizeof(CopiedTable), compare_oids);
	return found != NULL && compare_names(found, relation) != 0 ? found : NULL;
}

CopiedVerdict
copied_tables_judge(const CopiedTables *tables, const Relation *relation,
					const CopiedTable **table)
{
	const CopiedTable key = {
		.name = {.schema = relation->schema, .name = relation->name},
		.oid = relation->oid};
	bool present = bsearch(&key, tables->present, tables->present_count,
						   sizeof(CopiedTable), compare_names) != NULL;
	const CopiedTable *renamed = find_renamed(tables, &key);

	*table = bsearch(&key, tables->by_name, tables->count, sizeof(CopiedTable),
					 compare_names);
	if (*table != NULL && !(*table)->copied)
		return COPIED_NO;
	if (*table != NULL && ((*table)->oid == relation->oid || renamed == NULL))
		return COPIED_YES;
	if (renamed != NULL && renamed->copied && present &&
		is_elsewhere(tables, renamed, &key))
	{
		*table = renamed;
		return COPIED_SWAPPED;
	}
	if (*table != NULL)
		return COPIED_YES;
	*table = renamed;
	if (renamed != NULL && !renamed->copied)
		return COPIED_NO;
	if (renamed != NULL)
		return present ? COPIED_YES : COPIED_RENAMED;
	if (!tables->newer_may_come)
		return COPIED_NO;
	return present ? COPIED_YES : COPIED_NEWER;
}

bool
copied_tables_are_all(const CopiedTables *tables)
{
	return tables->newer_may_come;
}

Rc
copied_table_names(PgConn *target, const char *pipeline, const TableName *table,
				   bool *named, Error *err)
{
	static const char sql[] = "SELECT FROM penstock.copied WHERE pipeline = $1"
							  " AND schema_name = $2 AND table_name = $3";
	const char *params[] = {pipeline, table->schema, table->name};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "copied", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	*named = rc == RC_OK && exists && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

static bool
is_copied(const CopiedTables *tables, const CopiedTable *table)
{
	const Relation relation = {.schema = table->name.schema,
							   .name = table->name.name,
							   .oid = table->oid};
	const CopiedTable *found;
	CopiedVerdict verdict = copied_tables_judge(tables, &relation, &found);

	return verdict == COPIED_YES || verdict == COPIED_RENAMED ||
		   verdict == COPIED_SWAPPED;
}

Rc
copied_table_look(PgConn *target, const char *pipeline,
				  const CopiedTable *tables, int count, bool *copied,
				  Error *err)
{
	CopiedTables *list;
	bool all = count > 1;
	Rc rc = copied_tables_read(&list, target, pipeline, err);

	ASSERT(count > 0);
	*copied = true;
	if (rc != RC_OK || list == NULL)
		return rc;
	for (int i = 1; i < count; i++)
		all &= is_copied(list, &tables[i]);
	*copied = all || is_copied(list, &tables[0]);
	copied_tables_free(list);
	return rc;
}
