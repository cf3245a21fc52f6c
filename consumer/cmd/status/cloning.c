/*
 * cloning.c
 *    Reads the work list of a clone, and prints its tables.
 */
#include "cmd/status/cloning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/status/amount.h"
#include "control/copy/work_list.h"
#include "net/sql.h"

static int64_t
number(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static void
take_rows(Cloning *cloning, const PGresult *result, Arena *arena)
{
	cloning->count = PQntuples(result);
	cloning->tables = arena_calloc(arena, (size_t) cloning->count,
								   sizeof(CloningTable));
	for (int i = 0; i < cloning->count; i++)
		cloning->tables[i] = (CloningTable){
			.schema_name = arena_strdup(
				arena, PQgetvalue(result, i, WORK_SEEN_SCHEMA)),
			.table_name = arena_strdup(arena,
									   PQgetvalue(result, i, WORK_SEEN_NAME)),
			.state = arena_strdup(arena,
								  PQgetvalue(result, i, WORK_SEEN_STATE)),
			.rows = number(result, i, WORK_SEEN_ROWS),
			.source_bytes = number(result, i, WORK_SEEN_BYTES),
		};
	if (cloning->count == 0)
		return;
	cloning->rows = number(result, 0, WORK_SEEN_ROWS_ALL);
	cloning->bytes_total = number(result, 0, WORK_SEEN_BYTES_ALL);
	cloning->bytes_done = number(result, 0, WORK_SEEN_BYTES_DONE);
}

Rc
cloning_read(Cloning *cloning, PgConn *target, const char *pipeline,
			 Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Rc rc = work_list_look(target, pipeline, CLONING_TABLES_MAX, &result, err);

	*cloning = (Cloning){0};
	if (rc == RC_OK)
		take_rows(cloning, result, arena);
	PQclear(result);
	return rc;
}

int
cloning_percent(const Cloning *cloning)
{
	if (cloning->bytes_total <= 0)
		return 0;
	return (int) (100.0 * (double) cloning->bytes_done /
				  (double) cloning->bytes_total);
}

void
cloning_print(FILE *out, const Cloning *cloning, const char *target)
{
	int count = cloning->count < CLONING_LINES_MAX ? cloning->count
												   : CLONING_LINES_MAX;

	if (count > 0)
		fprintf(out, "\ntables of the clone on %s\n", target);
	for (int i = 0; i < count; i++)
	{
		const CloningTable *table = &cloning->tables[i];
		char text[AMOUNT_TEXT_SIZE];
		Buf name;

		buf_init(&name, BUF_TEXT_MAX);
		sql_append_qualified(&name, table->schema_name, table->table_name);
		fprintf(out, "  %s: %s, %" PRId64 " rows, %s on the source\n",
				name.data, table->state, table->rows,
				amount_bytes((uint64_t) table->source_bytes, text));
		buf_release(&name);
	}
	if (cloning->count > count)
		fprintf(out, "  and smaller ones: --json has them\n");
}

void
cloning_json(const Cloning *cloning, Json *json)
{
	json_begin_array(json);
	for (int i = 0; i < cloning->count; i++)
	{
		const CloningTable *table = &cloning->tables[i];

		json_begin_object(json);
		json_member_string(json, "schema", table->schema_name);
		json_member_string(json, "name", table->table_name);
		json_member_string(json, "state", table->state);
		json_member_int(json, "rows", table->rows);
		json_member_int(json, "source_bytes", table->source_bytes);
		json_end_object(json);
	}
	json_end_array(json);
}
