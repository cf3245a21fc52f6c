/*
 * columns.c
 *    Queries on columns and their types.
 */
#include "federate/columns.h"

#include <string.h>

#include "net/sql.h"

/* The WITH clause before each query: see columns_ask(). */
static const char columns_head_sql[] =
	"WITH columns AS ("
	" SELECT w.place - 1 AS place, a.*, b.oid AS base, b.typmod AS base_typmod"
	" FROM unnest(";
static const char columns_tail_sql[] =
	") WITH ORDINALITY w (oid, place)"
	" JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0"
	"  AND NOT a.attisdropped"
	" JOIN LATERAL (WITH RECURSIVE d (oid, typmod) AS ("
	"  SELECT a.atttypid, a.atttypmod UNION ALL"
	"  SELECT y.typbasetype, y.typtypmod FROM d"
	"  JOIN pg_type y ON y.oid = d.oid AND y.typtype = 'd')"
	"  SELECT d.oid, d.typmod FROM d JOIN pg_type y ON y.oid = d.oid"
	"  AND y.typtype <> 'd') b ON true)";

/* Query for the columns as CREATE TABLE needs them: see ColumnsField. */
static const char definitions_sql[] =
	" SELECT place, attname, format('%s%s', format_type(base, base_typmod),"
	"  CASE WHEN attcollation <> y.typcollation"
	"   THEN format(' COLLATE %I.%I', n.nspname, c.collname) ELSE '' END),"
	" attnotnull"
	" FROM columns JOIN pg_type y ON y.oid = base"
	" LEFT JOIN pg_collation c ON c.oid = attcollation"
	" LEFT JOIN pg_namespace n ON n.oid = c.collnamespace"
	" ORDER BY place, attnum";

Rc
columns_ask(PGresult **result, PgConn *conn, const char *oids,
			const char *query, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, columns_head_sql);
	buf_append_string(&sql, oids);
	buf_append_string(&sql, columns_tail_sql);
	buf_append_string(&sql, query);
	return sql_run(conn, &sql, result, err);
}

Rc
columns_read(PGresult **columns, PgConn *conn, const char *oids, Error *err)
{
	return columns_ask(columns, conn, oids, definitions_sql, err);
}

int
columns_find(const PGresult *columns, ColumnRange range, const char *name)
{
	for (int row = range.first; row < range.end; row++)
		if (strcmp(PQgetvalue(columns, row, COLUMNS_NAME), name) == 0)
			return row;
	return -1;
}

void
columns_append(Buf *sql, const PGresult *columns, int row)
{
	buf_append_identifier(sql, PQgetvalue(columns, row, COLUMNS_NAME));
	buf_printf(sql, " %s%s", PQgetvalue(columns, row, COLUMNS_TYPE),
			   sql_bool(columns, row, COLUMNS_NOT_NULL) ? " NOT NULL" : "");
}

void
columns_append_list(Buf *sql, const PGresult *columns, ColumnRange range)
{
	for (int row = range.first; row < range.end; row++)
	{
		buf_append_string(sql, row > range.first ? ", " : "");
		columns_append(sql, columns, row);
	}
}
