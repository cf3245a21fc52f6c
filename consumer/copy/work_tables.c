/*
 * work_tables.c
 *    Between CopyTable and what work_list.h has.
 */
#include "copy/work_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "copy/part_queue.h"
#include "net/sql.h"

static TableName
name_of(const CopyTable *table)
{
	return (TableName){.schema = table->schema, .name = table->name};
}

/* The caller frees the tables with free(). */
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

	if (table->unlogged)
		of_table.watermark = 0;
	work_list_append_mark(sql, &of_table, &name, rows);
}

/* The list has a table that the source has not, or the other way round. */
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

/*
 * The result is that of work_list_read_tables().
 *
 * What changed in an unlogged table after it was copied is in no log.  If it is
 * logged by now, it is to be copied again, for from here on it is followed.
 */
static MUST_CHECK Rc
match_table(CopyTable *table, const PGresult *result, bool *seen, bool strict,
			Error *err)
{
	int low = 0;
	int high = PQntuples(result);

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		int order = strcmp(table->schema,
						   PQgetvalue(result, middle, WORK_TABLE_SCHEMA));

		if (order == 0)
			order = strcmp(table->name,
						   PQgetvalue(result, middle, WORK_TABLE_NAME));
		if (order == 0)
		{
			seen[middle] = true;
			table->done = sql_bool(result, middle, WORK_TABLE_DONE) &&
						  (table->unlogged ||
						   !sql_bool(result, middle, WORK_TABLE_NO_POSITION));
			table->begun = sql_bool(result, middle, WORK_TABLE_BEGUN) &&
						   !table->done;
			table->rows = table->done ? strtoll(PQgetvalue(result, middle,
														   WORK_TABLE_ROWS),
												NULL, 10)
									  : 0;
			return RC_OK;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
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
	bool *seen;
	Rc rc = work_list_read_tables(target, pipeline, &result, err);

	if (rc != RC_OK)
		return rc;
	seen = arena_calloc(catalog->arena, (size_t) PQntuples(result),
						sizeof(bool));
	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
		rc = match_table(&catalog->tables[i], result, seen, strict, err);
	for (int i = 0; i < PQntuples(result) && rc == RC_OK; i++)
		if (!seen[i] && strict)
			rc = refuse_tables(PQgetvalue(result, i, WORK_TABLE_SCHEMA),
							   PQgetvalue(result, i, WORK_TABLE_NAME), false,
							   err);
	PQclear(result);
	return rc;
}

/*
 * A table that others refer to cannot be truncated: its rows are deleted, while
 * foreign keys do not fire, if the role may see to that.  Of a table that an
 * extension has filled only the user's rows may go.
 */
static void
append_empty(Buf *sql, const CopyTable *table)
{
	Buf body;

	if (table->membership == MEMBER_CONFIG)
	{
		buf_printf(sql, "DELETE FROM %s%s%s;", table->qualified,
				   table->filter != NULL ? " WHERE " : "",
				   table->filter != NULL ? table->filter : "");
		return;
	}
	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "DECLARE it regclass := ");
	buf_append_literal(&body, table->qualified);
	buf_append_string(&body,
					  "; span text := CASE WHEN (SELECT relkind FROM pg_class"
					  " WHERE oid = it) = 'p' THEN '' ELSE 'ONLY' END;"
					  " BEGIN EXECUTE format('TRUNCATE %s %s', span, it);"
					  " EXCEPTION WHEN feature_not_supported THEN"
					  " BEGIN PERFORM set_config('session_replication_role',"
					  " 'replica', true);"
					  " EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
					  " EXECUTE format('DELETE FROM %s %s', span, it); END");
	buf_append_string(sql, "DO ");
	buf_append_literal(sql, body.data);
	buf_append_char(sql, ';');
	buf_release(&body);
}

/* In one transaction. */
Rc
work_tables_empty_one(const CopyTable *table, PgConn *target,
					  const char *pipeline, Error *err)
{
	const TableName name = name_of(table);
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "BEGIN;");
	append_empty(&sql, table);
	work_list_append_undone(&sql, pipeline, &name);
	buf_append_string(&sql, " COMMIT");
	return sql_run(target, &sql, NULL, err);
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
			rc = work_tables_empty_one(table, target, pipeline, err);
		}
	}
	return rc;
}
