/*
 * tables.c
 *    Reads and prints penstock.table_state.
 */
#include "cmd/status/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"
#include "base/xalloc.h"
#include "net/sql.h"
#include "source/slot.h"

static Rc
read_slot(TableStatus *table, PgConn *source, const char *slot, Error *err)
{
	SlotInfo info = {0};
	Rc rc;

	table->kept = true;
	if (source == NULL)
		return RC_OK;
	rc = slot_read(source, slot, &info, err);
	table->lost = rc == RC_OK && (!info.exists || info.lost);
	return rc;
}

/* Sets the position of the table's contents; 0 while its copy is incomplete. */
static void
read_position(TableStatus *table, const PGresult *result, int row)
{
	int column = PQgetisnull(result, row, TABLE_LIST_CAUGHT_UP)
					 ? TABLE_LIST_WATERMARK
					 : TABLE_LIST_CAUGHT_UP;

	if (!lsn_parse(PQgetvalue(result, row, column), &table->position))
		table->position = 0;
}

static bool
table_is_copying(const TableStatus *table)
{
	return strcmp(table->state, table_state_name(TABLE_COPYING)) == 0;
}

/*
 * Finds out whether a copy was interrupted: a running copy has its slot on the
 * source.
 */
static Rc
read_copying(TableStatus *table, PgConn *source, const char *slot, Error *err)
{
	SlotInfo info = {0};
	Rc rc = slot_read(source, slot, &info, err);

	table->interrupted = rc == RC_OK && !info.exists;
	return rc;
}

/*
 * Reads the number of rows that a running copy has copied.  Servers report it
 * from version 14 on, to roles that may see other sessions.
 */
static Rc
read_rows(TableStatus *table, PgConn *target, Error *err)
{
	static const char sql[] =
		"SELECT sum(p.tuples_processed) FROM pg_stat_progress_copy p"
		" JOIN pg_stat_activity a USING (pid)"
		" WHERE a.application_name LIKE 'penstock table%'"
		" AND p.datname = current_database() AND p.relid = to_regclass($1)";
	const char *const params[] = {table->name};
	PGresult *result = NULL;
	Rc rc;

	table->rows = -1;
	if (pgconn_server_version_num(target) < PROGRESS_COPY_VERSION_NUM)
		return RC_OK;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK && !PQgetisnull(result, 0, 0))
		table->rows = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rc;
}

static Rc
fill(TableStatus *table, PgConn *source, const PGresult *result, int row,
	 Error *err)
{
	Buf name;

	table->schema_name = xstrdup(PQgetvalue(result, row, TABLE_LIST_SCHEMA));
	table->table_name = xstrdup(PQgetvalue(result, row, TABLE_LIST_NAME));
	table->state = xstrdup(PQgetvalue(result, row, TABLE_LIST_STATE));
	buf_init(&name, BUF_TEXT_MAX);
	sql_append_qualified(&name, table->schema_name, table->table_name);
	table->name = xstrdup(name.data);
	buf_release(&name);
	read_position(table, result, row);
	if (source != NULL && table_is_copying(table) &&
		!PQgetisnull(result, row, TABLE_LIST_SLOT))
		return read_copying(table, source,
							PQgetvalue(result, row, TABLE_LIST_SLOT), err);
	if (PQgetisnull(result, row, TABLE_LIST_CAUGHT_UP))
		return RC_OK;
	return read_slot(table, source, PQgetvalue(result, row, TABLE_LIST_SLOT),
					 err);
}

Rc
status_tables_read(TableStatusList *list, PgConn *target, PgConn *source,
				   const char *pipeline, Error *err)
{
	PGresult *result = NULL;
	Rc rc = table_states_list(target, pipeline, &result, err);
	int count = rc == RC_OK && result != NULL ? PQntuples(result) : 0;

	status_tables_release(list);
	if (count > STATUS_TABLES_MAX)
		count = STATUS_TABLES_MAX;
	if (count > 0)
		list->tables = xcalloc((size_t) count, sizeof(TableStatus));
	for (int i = 0; i < count && rc == RC_OK; i++)
		if (strcmp(PQgetvalue(result, i, TABLE_LIST_STATE),
				   table_state_name(TABLE_READY)) != 0)
		{
			TableStatus *table = &list->tables[list->count++];

			rc = fill(table, source, result, i, err);
			if (rc == RC_OK)
				rc = read_rows(table, target, err);
		}
	PQclear(result);
	return rc;
}

void
status_tables_release(TableStatusList *list)
{
	for (int i = 0; i < list->count; i++)
	{
		free(list->tables[i].name);
		free(list->tables[i].schema_name);
		free(list->tables[i].table_name);
		free(list->tables[i].state);
	}
	free(list->tables);
	*list = (TableStatusList){0};
}

static Lsn
lag_bytes(const TableStatus *table, Lsn source_lsn)
{
	return source_lsn > table->position ? source_lsn - table->position : 0;
}

void
status_tables_print(FILE *out, const TableStatusList *list, const char *target,
					Lsn source_lsn)
{
	if (list->count > 0)
		fprintf(out, "\ntables that are not followed on %s\n", target);
	for (int i = 0; i < list->count; i++)
	{
		const TableStatus *table = &list->tables[i];

		fprintf(out, "  %s: %s", table->name, table->state);
		if (table->rows >= 0)
			fprintf(out, ", %" PRId64 " rows so far", table->rows);
		if (table->position != 0)
			fprintf(out, ", as of " LSN_FORMAT, LSN_ARGS(table->position));
		if (table->interrupted)
			fprintf(out, ", interrupted: start it again with \"%s\"",
					OWN_COMMAND_TABLE("resync", table->schema_name,
									  table->table_name));
		if (table->lost)
			fprintf(
				out,
				", and the changes since are lost: copy it anew with \"%s\"",
				OWN_COMMAND_TABLE("resync", table->schema_name,
								  table->table_name));
		else if (table->kept && source_lsn != 0)
			fprintf(out, ", with the changes since, %" PRIu64 " kB of WAL",
					lag_bytes(table, source_lsn) / 1024);
		fprintf(out, "\n");
	}
}

static void
add_table(const TableStatus *table, Json *json, Lsn source_lsn)
{
	char position[LSN_TEXT_SIZE];

	snprintf(position, sizeof(position), LSN_FORMAT, LSN_ARGS(table->position));
	json_begin_object(json);
	json_member_string(json, "schema", table->schema_name);
	json_member_string(json, "name", table->table_name);
	json_member_string(json, "state", table->state);
	json_key(json, "rows");
	if (table->rows >= 0)
		json_int(json, table->rows);
	else
		json_nothing(json);
	json_member_string(json, "position",
					   table->position != 0 ? position : NULL);
	json_key(json, "lag_bytes");
	if (table->position != 0 && source_lsn != 0)
		json_int(json, (int64_t) lag_bytes(table, source_lsn));
	else
		json_nothing(json);
	json_member_bool(json, "kept", table->kept && !table->lost);
	json_end_object(json);
}

void
status_tables_json(const TableStatusList *list, Json *json, Lsn source_lsn)
{
	json_begin_array(json);
	for (int i = 0; i < list->count; i++)
		add_table(&list->tables[i], json, source_lsn);
	json_end_array(json);
}
