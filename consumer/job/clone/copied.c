/*
 * copied.c
 *    Reads the copied tables and their partitions from the source.
 */
#include "job/clone/copied.h"

#include <stdlib.h>

#include "control/copy/copied_table.h"
#include "net/sql.h"

/*
 * Appends the OIDs of the tables that were unlogged when the catalog was read,
 * even if they are logged now.
 */
static void
append_unlogged(const CopyCatalog *catalog, Buf *sql)
{
	int listed = 0;

	buf_append_string(sql, "'{");
	for (int i = 0; i < catalog->table_count; i++)
		if (catalog->tables[i].unlogged)
			buf_printf(sql, "%s%u", listed++ > 0 ? "," : "",
					   catalog->tables[i].oid);
	buf_append_string(sql, "}'::oid[]");
}

/*
 * Reads the tables of the catalog with their partitions; with a publication FOR
 * ALL TABLES, also the tables that are not copied.
 */
static MUST_CHECK Rc
read_families(const CloneSource *source, CopiedTable **tables, int *count,
			  Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*count = 0;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH RECURSIVE family (oid) AS (SELECT unnest(");
	catalog_append_tables(source->catalog, &sql);
	buf_append_string(&sql,
					  ") UNION SELECT i.inhrelid FROM family f"
					  " JOIN pg_partitioned_table p ON p.partrelid = f.oid"
					  " JOIN pg_inherits i ON i.inhparent = f.oid)"
					  " SELECT n.nspname, c.relname, c.oid,"
					  " f.oid IS NOT NULL AND c.relpersistence = 'p'"
					  " AND c.oid <> ALL (");
	append_unlogged(source->catalog, &sql);
	buf_append_string(&sql, ") FROM pg_class c"
							" JOIN pg_namespace n ON n.oid = c.relnamespace"
							" LEFT JOIN family f ON f.oid = c.oid"
							" WHERE c.relkind IN ('r', 'p')"
							" AND c.relpersistence <> 't'"
							" AND n.nspname NOT IN ('pg_catalog',"
							"  'information_schema', 'penstock')");
	if (!source->catalog->publications.all_tables)
		buf_append_string(&sql, " AND f.oid IS NOT NULL");
	rc = sql_run(source->conn, &sql, &result, err);
	if (rc == RC_OK)
	{
		*count = PQntuples(result);
		*tables = arena_calloc(arena, (size_t) *count, sizeof(CopiedTable));
	}
	for (int i = 0; i < *count; i++)
		(*tables)[i] = (CopiedTable){
			.name = {.schema = arena_strdup(arena, PQgetvalue(result, i, 0)),
					 .name = arena_strdup(arena, PQgetvalue(result, i, 1))},
			.oid = (uint32_t) strtoul(PQgetvalue(result, i, 2), NULL, 10),
			.copied = sql_bool(result, i, 3),
		};
	PQclear(result);
	return rc;
}

Rc
clone_note_copied(const CloneSource *source, PgConn *target, Arena *arena,
				  Error *err)
{
	const char *name = source->config->name;
	CopiedTable *tables = NULL;
	int count;
	Rc rc;

	ASSERT(pgconn_can_be_inside(target));
	rc = read_families(source, &tables, &count, arena, err);
	if (rc == RC_OK)
		rc = copied_table_begin(target, name,
								source->catalog->publications.all_tables, err);
	if (rc == RC_OK)
		rc = copied_table_add(target, name, tables, count, err);
	return rc;
}
