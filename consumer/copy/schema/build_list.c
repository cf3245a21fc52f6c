/*
 * build_list.c
 *    Makes the list from the statements of the dump, and from a query of the
 *    source that tells for what table each entry is and how it can be built.
 */
#include "copy/schema/build_list.h"

#include <stdlib.h>
#include <string.h>

#include "net/sql.h"

/*
 * Second half of the query, after a list of (number, class, oid) for each entry
 * of the script.  USING INDEX makes a constraint only of a B-tree index.  A
 * foreign key of or to a partitioned table cannot be added NOT VALID, or not be
 * validated completely later.
 */
static const char entries_sql[] =
	") v (n, classid, objid)"
	" LEFT JOIN pg_constraint k ON v.classid = 'pg_constraint'::regclass"
	"  AND k.oid = v.objid"
	" LEFT JOIN pg_class ic ON ic.oid = CASE WHEN k.oid IS NULL"
	"   AND v.classid = 'pg_class'::regclass THEN v.objid"
	"  WHEN k.contype IN ('p', 'u', 'x') THEN k.conindid END"
	" LEFT JOIN pg_index i ON i.indexrelid = ic.oid"
	" JOIN pg_class t ON t.oid = coalesce(k.conrelid, i.indrelid)"
	" JOIN pg_namespace n ON n.oid = t.relnamespace"
	" WHERE t.relkind IN ('r', 'p')"
	"  AND coalesce(k.contype, 'i') IN ('i', 'p', 'u', 'x', 'f')"
	" ORDER BY t.oid, 9 DESC, v.n";

/* Columns of the query's result. */
enum
{
	ENTRIES_NUMBER,
	ENTRIES_KIND,
	ENTRIES_TABLE_OID,
	ENTRIES_TABLE,
	ENTRIES_COPIED_OID,
	ENTRIES_ITEM,
	ENTRIES_CONSTRAINT,
	ENTRIES_CAN_VALIDATE,
	ENTRIES_BYTES,
	ENTRIES_INDEX_SQL,
	ENTRIES_USING_SQL,
	ENTRIES_COMMENT_SQL,
};

/* Appends the first_oids, because a table may have been replaced on the source
 * since the dump. */
static void
append_first_oids(const CopyCatalog *catalog, Buf *sql)
{
	buf_append_string(sql, "'{");
	for (int i = 0; i < catalog->table_count; i++)
		buf_printf(sql, "%s%u", i > 0 ? "," : "", catalog->tables[i].first_oid);
	buf_append_string(sql, "}'::oid[]");
}

static void
append_columns(const CopyCatalog *catalog, Buf *sql)
{
	buf_append_string(
		sql, "SELECT v.n, coalesce(k.contype, 'i'), t.oid,"
			 " format('%I.%I', n.nspname, t.relname),"
			 " (SELECT a.relid FROM (SELECT t.oid UNION ALL"
			 "   SELECT p.relid FROM pg_partition_ancestors(t.oid) p) a (relid)"
			 "  WHERE a.relid = ANY (");
	append_first_oids(catalog, sql);
	buf_append_string(
		sql,
		") LIMIT 1),"
		" format('%I.%I', n.nspname, coalesce(ic.relname, k.conname)),"
		" quote_ident(k.conname),"
		" t.relkind = 'r' AND k.convalidated AND (SELECT f.relkind = 'r'"
		"  FROM pg_class f WHERE f.oid = k.confrelid),"
		" coalesce(pg_relation_size(ic.oid), 0),"
		" CASE WHEN t.relkind = 'r' AND k.contype IN ('p', 'u') AND"
		"  ic.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')"
		"  THEN pg_get_indexdef(ic.oid) || ';' END,"
		" CASE WHEN k.contype IN ('p', 'u') THEN"
		" format('ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s"
		" USING INDEX %I%s%s;', n.nspname, t.relname, k.conname,"
		"  CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,"
		"  ic.relname,"
		"  CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,"
		"  CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END) END,"
		" 'COMMENT ON CONSTRAINT ' || quote_ident(k.conname) || ' ON ' ||"
		"  format('%I.%I', n.nspname, t.relname) || ' IS ' ||"
		"  quote_literal(obj_description(k.oid, 'pg_constraint')) || ';'"
		" FROM (VALUES ");
}

static Rc
read_entries(const Script *script, const CopyCatalog *catalog, PgConn *source,
			 PGresult **result, Error *err)
{
	Buf sql;

	/* VALUES needs one row at least: the first one is no entry. */
	buf_init(&sql, SCRIPT_BYTES_MAX);
	append_columns(catalog, &sql);
	buf_append_string(&sql, "(-1, 0::oid, 0::oid)");
	for (int i = 0; i < script->count; i++)
		buf_printf(&sql, ", (%d, %u, %u)", i, script->entries[i].class_oid,
				   script->entries[i].oid);
	buf_append_string(&sql, entries_sql);
	return sql_run(source, &sql, result, err);
}

static const char *
field(const PGresult *result, int row, int column, Arena *arena)
{
	return PQgetisnull(result, row, column)
			   ? NULL
			   : arena_strdup(arena, PQgetvalue(result, row, column));
}

/* Returns an ADD CONSTRAINT statement with NOT VALID before its semicolon. */
static const char *
not_valid(const char *statement, Arena *arena)
{
	size_t length = strlen(statement);

	ASSERT(length > 0 && statement[length - 1] == ';');
	return arena_printf(arena, "%.*s NOT VALID;", (int) length - 1, statement);
}

static void
fill_key(BuildForeignKey *key, const ScriptEntry *entry, const PGresult *result,
		 int row, Arena *arena)
{
	key->table = field(result, row, ENTRIES_TABLE, arena);
	key->name = field(result, row, ENTRIES_CONSTRAINT, arena);
	key->comment = field(result, row, ENTRIES_COMMENT_SQL, arena);
	key->object = (ObjectId){.class_oid = entry->class_oid, .oid = entry->oid};
	key->add = entry->first;
	if (!sql_bool(result, row, ENTRIES_CAN_VALIDATE))
		return;
	key->add = not_valid(entry->first, arena);
	ASSERT(key->table != NULL && key->name != NULL);
	key->validate = arena_printf(arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s",
								 key->table, key->name);
}

/*
 * Fills an item.  CREATE INDEX is its `build` statement; statements that make
 * the index the replica identity, or that to CLUSTER by, are `finish`
 * statements.  If the query returned a CREATE INDEX and a USING INDEX statement
 * for a constraint, these are used in place of the one from the script.  For
 * any other constraint, the script's statement is a `finish` statement.
 */
static void
fill_item(BuildItem *item, const ScriptEntry *entry, const PGresult *result,
		  int row, Arena *arena)
{
	const char *index = field(result, row, ENTRIES_INDEX_SQL, arena);
	const char *finish = "";

	item->name = field(result, row, ENTRIES_ITEM, arena);
	item->bytes = strtoll(PQgetvalue(result, row, ENTRIES_BYTES), NULL, 10);
	if (PQgetvalue(result, row, ENTRIES_KIND)[0] == 'i')
		index = entry->first;
	else if (index != NULL)
		finish = field(result, row, ENTRIES_USING_SQL, arena);
	else
		finish = arena_printf(arena, "%s%s", entry->tablespace, entry->first);
	if (index != NULL)
		item->build = arena_printf(arena, "%s%s", entry->tablespace, index);
	item->finish = arena_printf(arena, "%s%s", finish, entry->rest);
	if (item->finish[0] == '\0')
		item->finish = NULL;
}

/* Returns the table of a row of the result: the last table of the list, or a
 * new one. */
static BuildTable *
table_of(BuildList *list, const PGresult *result, int row, Arena *arena)
{
	const char *qualified = PQgetvalue(result, row, ENTRIES_TABLE);
	BuildTable *table = NULL;

	ASSERT(row >= 0 && row < PQntuples(result));
	if (list->table_count > 0)
		table = &list->tables[list->table_count - 1];
	if (table != NULL && strcmp(table->qualified, qualified) == 0)
		return table;
	table = &list->tables[list->table_count++];
	table->qualified = arena_strdup(arena, qualified);
	table->copied_oid = (uint32_t) strtoul(
		PQgetvalue(result, row, ENTRIES_COPIED_OID), NULL, 10);
	table->items = &list->items[list->item_count];
	return table;
}

/* Adds the statements of the script's entries that are no objects of their own:
 * they attach indexes of partitions. */
static void
fill_attaches(BuildList *list, const Script *script, Arena *arena)
{
	list->attaches = arena_calloc(arena, (size_t) script->count,
								  sizeof(char *));
	for (int i = 0; i < script->count; i++)
		if (script->entries[i].class_oid == 0)
			list->attaches[list->attach_count++] = script->entries[i].first;
}

static void
fill_list(BuildList *list, const Script *script, const PGresult *result,
		  Arena *arena)
{
	size_t rows = (size_t) PQntuples(result);

	list->tables = arena_calloc(arena, rows, sizeof(BuildTable));
	list->items = arena_calloc(arena, rows, sizeof(BuildItem));
	list->keys = arena_calloc(arena, rows, sizeof(BuildForeignKey));
	list->taken.objects = arena_calloc(arena, rows, sizeof(ObjectId));
	for (int row = 0; row < (int) rows; row++)
	{
		long n = strtol(PQgetvalue(result, row, ENTRIES_NUMBER), NULL, 10);
		const ScriptEntry *entry = &script->entries[n];
		BuildTable *table;

		CHECK(n >= 0 && n < script->count);
		list->taken.objects[list->taken.count++] = (ObjectId){
			.class_oid = entry->class_oid,
			.oid = entry->oid,
		};
		if (PQgetvalue(result, row, ENTRIES_KIND)[0] == 'f')
		{
			fill_key(&list->keys[list->key_count++], entry, result, row, arena);
			continue;
		}
		table = table_of(list, result, row, arena);
		fill_item(&table->items[table->item_count++], entry, result, row,
				  arena);
		list->item_count++;
	}
	object_set_sort(&list->taken);
	fill_attaches(list, script, arena);
}

Rc
build_list_read(BuildList *list, const Script *script,
				const CopyCatalog *catalog, PgConn *source, Arena *arena,
				Error *err)
{
	PGresult *result = NULL;
	Rc rc = read_entries(script, catalog, source, &result, err);

	*list = (BuildList){0};
	if (rc == RC_OK)
		fill_list(list, script, result, arena);
	PQclear(result);
	return rc;
}

/*
 * Queries the items whose index exists on the target.  Columns: number of the
 * item, whether a constraint uses the index.
 */
static MUST_CHECK Rc
find_items(const BuildList *list, PgConn *target, PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, SCRIPT_BYTES_MAX);
	buf_append_string(&sql, "SELECT v.n, EXISTS ("
							"SELECT FROM pg_constraint k WHERE k.conindid ="
							" to_regclass(v.name)"
							" AND k.contype IN ('p', 'u', 'x'))"
							" FROM (VALUES (-1, NULL)");
	for (int i = 0; i < list->item_count; i++)
	{
		buf_printf(&sql, ", (%d, ", i);
		buf_append_literal(&sql, list->items[i].name);
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, ") v (n, name)"
							" WHERE to_regclass(v.name) IS NOT NULL");
	return sql_run(target, &sql, result, err);
}

/* Queries the foreign keys that exist on the target.  Columns: number of the
 * key, whether it is valid. */
static MUST_CHECK Rc
find_keys(const BuildList *list, PgConn *target, PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, SCRIPT_BYTES_MAX);
	buf_append_string(&sql, "SELECT v.n, k.convalidated"
							" FROM (VALUES (-1, NULL, NULL)");
	for (int i = 0; i < list->key_count; i++)
	{
		buf_printf(&sql, ", (%d, ", i);
		buf_append_literal(&sql, list->keys[i].table);
		buf_append_string(&sql, ", ");
		buf_append_literal(&sql, list->keys[i].name);
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, ") v (n, relation, name) JOIN pg_constraint k"
							" ON k.conrelid = to_regclass(v.relation)"
							" AND quote_ident(k.conname) = v.name"
							" AND k.contype = 'f'");
	return sql_run(target, &sql, result, err);
}

static int
number_of(const PGresult *result, int row)
{
	return (int) strtol(PQgetvalue(result, row, 0), NULL, 10);
}

/*
 * All `finish` statements of a table are run in one transaction, so where the
 * constraint exists, none of its statements is missing.  The `finish`
 * statements of an index without a constraint can be run a second time.
 */
Rc
build_list_leave_out(BuildList *list, PgConn *target, Error *err)
{
	PGresult *items = NULL;
	PGresult *keys = NULL;
	Rc rc = find_items(list, target, &items, err);

	if (rc == RC_OK)
		rc = find_keys(list, target, &keys, err);
	for (int row = 0; rc == RC_OK && row < PQntuples(items); row++)
	{
		BuildItem *item = &list->items[number_of(items, row)];

		ASSERT(item >= list->items && item < list->items + list->item_count);
		item->build = NULL;
		if (sql_bool(items, row, 1))
			item->finish = NULL;
	}
	for (int row = 0; rc == RC_OK && row < PQntuples(keys); row++)
	{
		BuildForeignKey *key = &list->keys[number_of(keys, row)];

		ASSERT(key >= list->keys && key < list->keys + list->key_count);
		key->add = NULL;
		if (sql_bool(keys, row, 1))
			key->validate = NULL;
	}
	PQclear(items);
	PQclear(keys);
	return rc;
}
