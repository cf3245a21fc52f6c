/*
 * columns.c
 *    Reads from pg_depend which columns depend on a sequence.
 */
#include "sequence/columns.h"

#include <inttypes.h>
#include <stdlib.h>

#include "net/sql.h"

/*
 * First part of the query for columns that sequences feed; the array of OIDs of
 * the sequences follows.  Result columns: index of the sequence, table, column,
 * whether its type is numeric.
 */
static const char fed_sql[] =
	"WITH fed (seq, rel, att) AS ("
	" SELECT d.objid, d.refobjid, d.refobjsubid::smallint FROM pg_depend d"
	" WHERE d.classid = 'pg_class'::regclass"
	" AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"
	" AND d.deptype IN ('a', 'i')"
	" UNION SELECT d.refobjid, a.adrelid, a.adnum"
	" FROM pg_depend d JOIN pg_attrdef a"
	" ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
	" WHERE d.refclassid = 'pg_class'::regclass"
	" UNION SELECT d.refobjid, a.attrelid, a.attnum"
	" FROM pg_depend d JOIN pg_attribute a"
	" ON d.classid = 'pg_type'::regclass AND a.atttypid = d.objid"
	" WHERE d.refclassid = 'pg_class'::regclass AND NOT a.attisdropped)"
	" SELECT v.i - 1, format('%I.%I', n.nspname, r.relname),"
	" quote_ident(a.attname), t.typcategory = 'N'"
	" FROM fed f JOIN pg_class r ON r.oid = f.rel AND r.relkind IN ('r', 'p')"
	" JOIN pg_namespace n ON n.oid = r.relnamespace"
	" JOIN pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.att"
	" JOIN pg_type t ON t.oid = a.atttypid"
	" JOIN unnest(";

/* Second part of the query, after the OIDs. */
static const char fed_of_list_sql[] =
	") WITH ORDINALITY v (oid, i) ON v.oid = f.seq"
	" WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN fed p"
	"  ON p.rel = i.inhparent AND p.seq = f.seq JOIN pg_attribute b"
	"  ON b.attrelid = p.rel AND b.attnum = p.att"
	"  WHERE i.inhrelid = f.rel AND b.attname = a.attname)"
	" ORDER BY 1, 2, 3";

static void
append_oids(Buf *sql, const SequenceList *list)
{
	buf_append_string(sql, "'{");
	for (int i = 0; i < list->count; i++)
		buf_printf(sql, "%s%u", i > 0 ? "," : "", list->items[i].oid);
	buf_append_string(sql, "}'::oid[]");
}

Rc
sequence_columns_find(const SequenceList *list, PgConn *conn,
					  SequenceColumn **columns, int *count, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*count = 0;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, fed_sql);
	append_oids(&sql, list);
	buf_append_string(&sql, fed_of_list_sql);
	rc = sql_run(conn, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	*count = PQntuples(result);
	*columns = arena_calloc(list->arena, (size_t) *count,
							sizeof(SequenceColumn));
	for (int i = 0; i < *count; i++)
		(*columns)[i] = (SequenceColumn){
			.item = (int) strtol(PQgetvalue(result, i, 0), NULL, 10),
			.table = arena_strdup(list->arena, PQgetvalue(result, i, 1)),
			.column = arena_strdup(list->arena, PQgetvalue(result, i, 2)),
			.is_number = sql_bool(result, i, 3),
		};
	PQclear(result);
	return RC_OK;
}

Rc
sequence_column_read(const SequenceItem *item, const SequenceColumn *column,
					 uint64_t left, PgConn *conn, bool *found, int64_t *value,
					 Error *err)
{
	const SequenceRange *range = &item->definition;
	int64_t farthest = sequence_before_end(range, left);
	bool up = range->increment > 0;
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT %s(%s(%s)::numeric)::bigint FROM %s",
			   up ? "ceil" : "floor", up ? "max" : "min", column->column,
			   column->table);
	buf_printf(
		&sql, " WHERE %s BETWEEN %" PRId64 "::bigint AND %" PRId64 "::bigint",
		column->column, up ? range->min : farthest, up ? farthest : range->max);
	rc = sql_run(conn, &sql, &result, err);
	*found = rc == RC_OK && !PQgetisnull(result, 0, 0);
	if (*found)
		*value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rc;
}
