/*
 * placed_column_table.c
 *    SQL on penstock.placed_column.
 */
#include "control/placed_column_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "control/schema.h"

/* Largest size in bytes of a list as text; a table needs about 20. */
#define LIST_TEXT_MAX (256 * MB)

/* Adds the tables to the list, of a result in the order of OIDs and numbers. */
static void
take_rows(const PGresult *result, PlacedColumnsList *list)
{
	PlacedColumns table = {0};

	for (int row = 0; row < PQntuples(result); row++)
	{
		uint32_t oid = (uint32_t) strtoul(PQgetvalue(result, row, 0), NULL, 10);
		long attnum = strtol(PQgetvalue(result, row, 1), NULL, 10);

		if (table.oid != oid && table.oid != 0)
			placed_columns_add(list, &table);
		if (table.oid != oid)
			table = (PlacedColumns){.oid = oid};
		CHECK(table.count < RELATION_DISTRIBUTION_MAX);
		table.attnums[table.count++] = (uint16_t) attnum;
	}
	if (table.oid != 0)
		placed_columns_add(list, &table);
}

Rc
placed_column_table_read(PgConn *target, const char *pipeline,
						 PlacedColumnsList *list, Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "placed_column", &exists, err);

	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT source_oid, attnum"
							" FROM penstock.placed_column WHERE pipeline = $1"
							" ORDER BY source_oid, number",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK)
		take_rows(result, list);
	PQclear(result);
	return rc;
}

/* Appends the list as a JSON object from OID to an array of attnums. */
static void
append_list(const PlacedColumnsList *list, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_object(&json);
	for (size_t i = 0; i < list->count; i++)
	{
		const PlacedColumns *table = &list->tables[i];
		char oid[16];

		snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
		json_key(&json, oid);
		json_begin_array(&json);
		for (int k = 0; k < table->count; k++)
			json_int(&json, table->attnums[k]);
		json_end_array(&json);
	}
	json_end_object(&json);
}

Rc
placed_column_table_add(PgConn *target, const char *pipeline,
						const PlacedColumnsList *list, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.placed_column (pipeline, source_oid, number,"
		" attnum) SELECT $1, g.key::bigint, a.ordinality - 1, a.value::bigint"
		" FROM pg_catalog.jsonb_each($2::jsonb) g,"
		" pg_catalog.jsonb_array_elements_text(g.value) WITH ORDINALITY a"
		" ON CONFLICT DO NOTHING";
	Buf text;
	Rc rc;

	buf_init(&text, LIST_TEXT_MAX);
	append_list(list, &text);
	if (text.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "more tables are placed by columns than can be noted");
	else
	{
		const char *params[] = {pipeline, text.data};

		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
								err);
	}
	buf_release(&text);
	return rc;
}

Rc
placed_column_table_forget(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = control_has(target, "placed_column", &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target,
								"DELETE FROM penstock.placed_column"
								" WHERE pipeline = $1",
								LENGTH_OF(params), params, NULL, err);
	return rc;
}
