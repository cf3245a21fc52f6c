/*
 * work_tables.c
 *    Converts between the CopyTables of a catalog and the rows of the work
 *    list.
 */
#include "copy/rows/work_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "copy/rows/part_queue.h"
#include "net/sql.h"

static TableName
name_of(const CopyTable *table)
{
	return (TableName){.schema = table->schema, .name = table->name};
}

/* Makes WorkTables of the catalog's tables, or of those that are not done.  The
 * caller releases the array with free(). */
static WorkTable *
tables_of(const CopyCatalog *catalog, int jobs, bool undone_only, int *count)
{
	WorkTable *tables = xcalloc((size_t) catalog->table_count + 1,
								sizeof(WorkTable));

	*count = 0;
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (undone_only && (table->done || table->gone))
			continue;
		tables[(*count)++] = (WorkTable){
			.name = name_of(table),
			.bytes = table->bytes,
			.parts = part_count(table, jobs),
		};
	}
	ASSERT(*count <= catalog->table_count);
	return tables;
}

Rc
work_tables_set(PgConn *target, const char *pipeline, Lsn start_lsn,
				const CopyCatalog *catalog, Error *err)
{
	int count;
	WorkTable *tables = tables_of(catalog, 1, false, &count);
	Rc rc = work_list_set_tables(target, pipeline, start_lsn, tables, count,
								 err);

	CHECK(start_lsn != 0);
	free(tables);
	return rc;
}

Rc
work_tables_set_parts(const CopyCatalog *catalog, PgConn *target,
					  const char *pipeline, int jobs, Error *err)
{
	int count;
	WorkTable *tables = tables_of(catalog, jobs, true, &count);
	Rc rc = work_list_set_parts(target, pipeline, tables, count, err);

	free(tables);
	return rc;
}

Rc
work_tables_note(const CopyCatalog *catalog, PgConn *target,
				 const WorkMark *mark, Error *err)
{
	WorkTable *tables = xcalloc((size_t) catalog->table_count + 1,
								sizeof(WorkTable));
	int count = 0;
	Rc rc;

	ASSERT(mark->token > 0);
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (!table->done || table->noted)
			continue;
		tables[count++] = (WorkTable){
			.name = name_of(table),
			.rows = table->rows,
			.watermark = table->unlogged ? 0 : mark->watermark,
		};
	}
	rc = work_list_note_tables(target, mark, tables, count, err);
	free(tables);
	return rc;
}

Rc
work_tables_give_up(PgConn *target, const WorkMark *mark,
					const CopyTable *table, Error *err)
{
	const TableName name = name_of(table);

	return work_list_give_up(target, mark, &name, err);
}

void
work_tables_append_mark(Buf *sql, const WorkMark *mark, const CopyTable *table,
						int64_t rows)
{
	const TableName name = name_of(table);
	WorkMark of_table = *mark;

	ASSERT(!table->done);
	if (table->unlogged)
		of_table.watermark = 0;
	work_list_append_mark(sql, &of_table, &name, rows);
}

/* Error: a table is published but not in the list (`is_new`), or in the list
 * but not published. */
static MUST_CHECK Rc
refuse_tables(const char *schema, const char *name, bool is_new, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  is_new ? "table \"%s\".\"%s\" was added to what is "
							   "published since the clone began"
							 : "table \"%s\".\"%s\" is not published any more",
					  schema, name);

	error_hint(err, "Start over with --restart.");
	return rc;
}

/* A row of what work_list_read_tables() has returned. */
typedef struct NotedTable
{
	const char *schema;
	const char *name;
	int row;
	bool seen; /* whether the table is in the catalog, too */
} NotedTable;

static int
compare_noted(const void *a, const void *b)
{
	const NotedTable *left = a;
	const NotedTable *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* Returns the rows sorted by name.  We sort them ourselves, by the bytes of the
 * client encoding: the server may sort in another order. */
static NotedTable *
sort_noted(const PGresult *result, Arena *arena)
{
	size_t count = (size_t) PQntuples(result);
	NotedTable *noted = arena_calloc(arena, count, sizeof(NotedTable));

	for (int i = 0; i < PQntuples(result); i++)
		noted[i] = (NotedTable){
			.schema = PQgetvalue(result, i, WORK_TABLE_SCHEMA),
			.name = PQgetvalue(result, i, WORK_TABLE_NAME),
			.row = i,
		};
	qsort(noted, count, sizeof(NotedTable), compare_noted);
	return noted;
}

/*
 * Sets a table's `done`, `begun` and `rows` from its row of the list.  A table
 * that was unlogged when it was copied, and is logged now, is not done: its
 * changes since then are not in the WAL, but from now on it is followed.
 */
static void
take_noted(CopyTable *table, const PGresult *result, int row)
{
	ASSERT(row >= 0 && row < PQntuples(result));
	table->done = sql_bool(result, row, WORK_TABLE_DONE) &&
				  (table->unlogged ||
				   !sql_bool(result, row, WORK_TABLE_NO_POSITION));
	table->begun = sql_bool(result, row, WORK_TABLE_BEGUN) && !table->done;
	table->rows = table->done
					  ? strtoll(PQgetvalue(result, row, WORK_TABLE_ROWS), NULL,
								10)
					  : 0;
}

static MUST_CHECK Rc
match_table(CopyTable *table, const PGresult *result, NotedTable *noted,
			bool strict, Error *err)
{
	const NotedTable key = {.schema = table->schema, .name = table->name};
	NotedTable *found = bsearch(&key, noted, (size_t) PQntuples(result),
								sizeof(NotedTable), compare_noted);

	if (found != NULL)
	{
		found->seen = true;
		take_noted(table, result, found->row);
		return RC_OK;
	}
	table->done = false;
	table->begun = false;
	if (!strict)
		return RC_OK;
	return refuse_tables(table->schema, table->name, true, err);
}

Rc
work_tables_match(CopyCatalog *catalog, PgConn *target, const char *pipeline,
				  bool strict, Error *err)
{
	PGresult *result = NULL;
	NotedTable *noted;
	Rc rc = work_list_read_tables(target, pipeline, &result, err);

	if (rc != RC_OK)
		return rc;
	noted = sort_noted(result, catalog->arena);
	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
		rc = match_table(&catalog->tables[i], result, noted, strict, err);
	for (int i = 0; i < PQntuples(result) && rc == RC_OK; i++)
		if (!noted[i].seen && strict)
			rc = refuse_tables(noted[i].schema, noted[i].name, false, err);
	PQclear(result);
	return rc;
}

/*
 * Sets session_replication_role, so that DELETE fires no foreign keys, if the
 * role has the privilege.  Without the privilege and with `careful`, fails if a
 * foreign key would change rows of other tables: those may be copied already,
 * and would not be copied again.
 */
#define KEEP_KEYS_QUIET_SQL                                                    \
	" BEGIN PERFORM set_config('session_replication_role', 'replica', true);"  \
	" EXCEPTION WHEN insufficient_privilege THEN"                              \
	" IF careful AND EXISTS (SELECT FROM pg_constraint"                        \
	"  WHERE contype = 'f' AND confrelid = it"                                 \
	"  AND confdeltype IN ('c', 'n', 'd')) THEN"                               \
	"  RAISE EXCEPTION 'table % cannot be emptied to be copied again: foreign" \
	" keys with ON DELETE CASCADE, SET NULL or SET DEFAULT would change rows"  \
	" of other tables', it USING ERRCODE = 'integrity_constraint_violation';"  \
	" END IF; END;"

/* integrity_constraint_violation, which KEEP_KEYS_QUIET_SQL raises. */
#define CHANGES_OTHERS_SQLSTATE "23000"

/*
 * Appends a DO statement that empties a table.  It deletes the rows of a table
 * that foreign keys refer to, because such a table cannot be truncated.  Of a
 * configuration table of an extension, it deletes only the user's rows.
 */
static void
append_empty(Buf *sql, const CopyTable *table, bool careful)
{
	Buf body;

	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "DECLARE it regclass := ");
	buf_append_literal(&body, table->qualified);
	buf_printf(&body, "; careful boolean := %s;", careful ? "true" : "false");
	if (table->membership == MEMBER_CONFIG)
	{
		buf_append_string(&body, " BEGIN" KEEP_KEYS_QUIET_SQL);
		buf_printf(&body, " DELETE FROM %s%s%s%s; END",
				   table->partitioned ? "" : "ONLY ", table->qualified,
				   table->filter != NULL ? " WHERE " : "",
				   table->filter != NULL ? table->filter : "");
	}
	else
		buf_append_string(
			&body, " span text := CASE WHEN (SELECT relkind FROM pg_class"
				   " WHERE oid = it) = 'p' THEN '' ELSE 'ONLY' END;"
				   " BEGIN EXECUTE format('TRUNCATE %s %s', span, it);"
				   " EXCEPTION WHEN feature_not_supported"
				   " THEN" KEEP_KEYS_QUIET_SQL
				   " EXECUTE format('DELETE FROM %s %s', span, it); END");
	buf_append_string(sql, "DO ");
	buf_append_literal(sql, body.data);
	buf_append_char(sql, ';');
	buf_release(&body);
}

/* Empties a table and marks it as not done, in one transaction. */
static MUST_CHECK Rc
empty_one(const CopyTable *table, bool careful, PgConn *target,
		  const char *pipeline, Error *err)
{
	const TableName name = name_of(table);
	Buf sql;
	Rc rc;

	ASSERT(pgconn_can_be_outside(target));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "BEGIN;");
	append_empty(&sql, table, careful);
	work_list_append_undone(&sql, pipeline, &name);
	buf_append_string(&sql, " COMMIT");
	rc = sql_run(target, &sql, NULL, err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, CHANGES_OTHERS_SQLSTATE) == 0)
		error_hint(err,
				   "Let a role go on that may set session_replication_role, or "
				   "copy all tables again with \"%s\".",
				   OWN_COMMAND("clone --restart"));
	return rc;
}

Rc
work_tables_empty_one(const CopyTable *table, PgConn *target,
					  const char *pipeline, Error *err)
{
	return empty_one(table, true, target, pipeline, err);
}

Rc
work_tables_empty(const CopyCatalog *catalog, PgConn *target,
				  const char *pipeline, bool done_too, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (table->begun || (table->done && done_too))
		{
			log_info("clone", "emptying table %s on %s%s", table->qualified,
					 pgconn_label(target),
					 table->begun ? ": it is to be copied again" : "");
			/* When all tables are emptied, foreign keys may change rows. */
			rc = empty_one(table, !done_too, target, pipeline, err);
		}
	}
	return rc;
}
