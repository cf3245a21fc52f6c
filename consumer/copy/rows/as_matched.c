/*
 * as_matched.c
 *    A statement that compares the types of columns.
 *
 * It runs under the search_path of users, so all names have their schema.
 */
#include "copy/rows/as_matched.h"

#include <inttypes.h>

/* Appends the rows of VALUES: the names and types of the source's columns. */
static void
append_columns(Buf *body, const CopyTable *table)
{
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(body, i > 0 ? ", (" : "(");
		buf_append_literal(body, table->columns[i].name);
		buf_printf(body, "::pg_catalog.name, %" PRIu32 "::pg_catalog.oid)",
				   table->columns[i].type_oid);
	}
}

void
as_matched_append_check(Buf *sql, const CopyTable *table)
{
	Buf body;

	if (!table->binary || table->column_count == 0)
		return;
	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "DECLARE it pg_catalog.text := ");
	buf_append_literal(&body, table->qualified);
	buf_append_string(&body, "; BEGIN IF EXISTS (SELECT FROM (VALUES ");
	append_columns(&body, table);
	buf_append_string(
		&body,
		") w (name, type) WHERE NOT EXISTS (SELECT"
		" FROM pg_catalog.pg_attribute a WHERE a.attrelid"
		" OPERATOR(pg_catalog.=) pg_catalog.to_regclass(it)"
		" AND a.attname OPERATOR(pg_catalog.=) w.name"
		" AND a.atttypid OPERATOR(pg_catalog.=) w.type)) THEN"
		" RAISE EXCEPTION 'columns of table % were altered since they were"
		" compared with the source', it USING ERRCODE = '40001', HINT ="
		" 'What is begun again compares them again.'; END IF; END");
	buf_append_string(sql, "DO ");
	CHECK(!body.overflowed);
	buf_append_literal(sql, body.data);
	buf_append_string(sql, "; ");
	buf_release(&body);
}
