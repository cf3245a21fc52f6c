/*
 * match.c
 *    Compares a catalog with the tables of a target.
 *
 * One query reads the columns of all tables.  Whether the tables have rows is
 * queried for ROWS_BATCH tables at a time, because such a query locks all of
 * its tables.
 */
#include "catalog/match.h"

#include <stdlib.h>
#include <string.h>

#include "net/sql.h"

/* Number of tables that one query locks. */
#define ROWS_BATCH 200

Rc
match_check_missing(const CopyCatalog *catalog, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	int listed = 0;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v FROM unnest(ARRAY[");
	for (int i = 0; i < catalog->relation_count; i++)
	{
		if (catalog->relations[i].member)
			continue;
		buf_append_string(&sql, listed++ > 0 ? "," : "");
		buf_append_literal(&sql, catalog->relations[i].qualified);
	}
	buf_append_string(&sql, "]::text[]) v WHERE to_regclass(v) IS NOT NULL");
	rc = sql_run(target, &sql, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG, "table %s is already on %s",
					   PQgetvalue(result, 0, 0), pgconn_label(target));
		if (PQntuples(result) > 1)
			error_detail(err, "So are %d more.", PQntuples(result) - 1);
		error_hint(
			err,
			"If database \"%s\" at %s, port %s, is the one to be filled: "
			"drop what is there, or copy into it with --data-only.",
			PQdb(pgconn_raw(target)), PQhost(pgconn_raw(target)),
			PQport(pgconn_raw(target)));
	}
	PQclear(result);
	return rc;
}

static uint32_t
number_field(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

/* Columns of the result of read_target(). */
enum
{
	TARGET_NUMBER, /* index of the table in the catalog */
	TARGET_KIND,
	TARGET_COLUMN,
	TARGET_TYPE,
	TARGET_GENERATED,
	TARGET_TYPE_NAME, /* name of the type, with its modifier */
	TARGET_READ_AS,   /* name of the type or, of a domain, of its base type;
					   * null if that is not a built-in type */
};

/* Lateral subquery: name of the type of the column a, of a domain that of its
 * base type, if it is a built-in type. */
#define READ_AS_SQL                                                            \
	"(WITH RECURSIVE d (oid, typmod) AS (SELECT a.atttypid, a.atttypmod"       \
	"  UNION ALL SELECT y.typbasetype, y.typtypmod FROM d"                     \
	"  JOIN pg_type y ON y.oid = d.oid AND y.typtype = 'd')"                   \
	" SELECT format_type(d.oid, d.typmod) AS name FROM d"                      \
	" JOIN pg_type y ON y.oid = d.oid AND y.typtype <> 'd'"                    \
	" WHERE d.oid < 10000)"

static Rc
read_target(const CopyCatalog *catalog, PgConn *target, PGresult **result,
			Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v.n - 1, c.relkind, a.attname, a.atttypid,"
							" a.attgenerated <> '',"
							" format_type(a.atttypid, a.atttypmod), b.name"
							" FROM unnest(ARRAY[");
	for (int i = 0; i < catalog->table_count; i++)
	{
		buf_append_string(&sql, i > 0 ? "," : "");
		buf_append_literal(&sql, catalog->tables[i].qualified);
	}
	buf_append_string(&sql, "]::text[]) WITH ORDINALITY v (name, n)"
							" JOIN pg_class c ON c.oid = to_regclass(v.name)"
							" LEFT JOIN pg_attribute a ON a.attrelid = c.oid"
							"  AND a.attnum > 0 AND NOT a.attisdropped"
							" LEFT JOIN LATERAL " READ_AS_SQL " b ON true"
							" ORDER BY v.n, a.attnum");
	return sql_run(target, &sql, result, err);
}

/* Returns one past the last row of the result that is about the table of
 * `row`. */
static int
rows_end(const PGresult *result, int row)
{
	uint32_t number = number_field(result, row, TARGET_NUMBER);
	int end = row + 1;

	ASSERT(row < PQntuples(result));
	while (end < PQntuples(result) &&
		   number_field(result, end, TARGET_NUMBER) == number)
		end++;
	return end;
}

static int
find_column(const PGresult *result, int row, int end, const char *name)
{
	ASSERT(row <= end && end <= PQntuples(result));
	for (; row < end; row++)
		if (strcmp(PQgetvalue(result, row, TARGET_COLUMN), name) == 0)
			return row;
	return -1;
}

/* Returns the value for CopyColumn.read_as. */
static const char *
find_read_as(Arena *arena, const CopyColumn *column, const PGresult *result,
			 int row)
{
	ASSERT(row >= 0 && row < PQntuples(result));
	if (strcmp(column->type, PQgetvalue(result, row, TARGET_TYPE_NAME)) == 0 ||
		PQgetisnull(result, row, TARGET_READ_AS))
		return NULL;
	return arena_strdup(arena, PQgetvalue(result, row, TARGET_READ_AS));
}

/* Compares the table's columns with those of the target, which are the rows
 * from `row` to before `end` of the result; sets `binary` and `read_as`. */
static Rc
match_columns(CopyTable *table, PgConn *target, const PGresult *result, int row,
			  int end, Arena *arena, Error *err)
{
	ASSERT(row < end);
	table->binary = true;
	for (int i = 0; i < table->column_count; i++)
	{
		CopyColumn *column = &table->columns[i];
		int found = find_column(result, row, end, column->name);

		if (found < 0)
			return error_set(
				err, ERR_CONFIG, "table %s on %s has no column \"%s\"",
				table->qualified, pgconn_label(target), column->name);
		if (sql_bool(result, found, TARGET_GENERATED))
			return error_set(err, ERR_CONFIG,
							 "column \"%s\" of table %s is generated on %s, "
							 "but not on the source",
							 column->name, table->qualified,
							 pgconn_label(target));
		if (!column->portable ||
			number_field(result, found, TARGET_TYPE) != column->type_oid)
			table->binary = false;
		column->read_as = find_read_as(arena, column, result, found);
	}
	return RC_OK;
}

static Rc
not_a_table(const CopyTable *table, PgConn *target, Error *err)
{
	return error_set(err, ERR_CONFIG, "%s on %s is not a table",
					 table->qualified, pgconn_label(target));
}

static Rc
missing_table(const CopyTable *table, PgConn *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "table %s is not on %s",
					  table->qualified, pgconn_label(target));

	error_hint(err, "Create it there, or leave out --data-only.");
	return rc;
}

/* Whether we have to query if the table has rows on the target. */
static bool
is_asked_for_rows(const CopyTable *table)
{
	return table->membership != MEMBER_CONFIG && !table->done && !table->gone;
}

static Rc
has_rows(const CopyTable *table, PgConn *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "table %s on %s is not empty",
					  table->qualified, pgconn_label(target));

	ASSERT(is_asked_for_rows(table));
	error_hint(err,
			   "If database \"%s\" at %s, port %s, is the one to be filled, "
			   "empty the table first: TRUNCATE %s%s;",
			   PQdb(pgconn_raw(target)), PQhost(pgconn_raw(target)),
			   PQport(pgconn_raw(target)),
			   table->target_partitioned ? "" : "ONLY ", table->qualified);
	return rc;
}

/* Queries whether tables have rows, from table *next on for one batch, and
 * moves *next to the table after the batch. */
static Rc
match_rows_batch(CopyCatalog *catalog, int *next, PgConn *target, Error *err)
{
	CopyTable *asked[ROWS_BATCH];
	PGresult *result = NULL;
	int count = 0;
	int locks = 0;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT ");
	for (; *next < catalog->table_count && locks < ROWS_BATCH; (*next)++)
	{
		CopyTable *table = &catalog->tables[*next];

		table->skip = false;
		if (!is_asked_for_rows(table))
			continue;
		/* The query locks each partition of a partitioned table, too. */
		locks += table->target_partitioned ? ROWS_BATCH : 1;
		buf_printf(&sql, "%sEXISTS (SELECT FROM %s %s)", count > 0 ? ", " : "",
				   table->target_partitioned ? "" : "ONLY", table->qualified);
		CHECK(count < ROWS_BATCH);
		asked[count++] = table;
	}
	rc = sql_run(target, &sql, &result, err);
	for (int i = 0; rc == RC_OK && i < count; i++)
		if (sql_bool(result, 0, i))
		{
			asked[i]->skip = asked[i]->membership == MEMBER_STATIC;
			if (!asked[i]->skip)
				rc = has_rows(asked[i], target, err);
		}
	PQclear(result);
	return rc;
}

/*
 * Fails if a table on the target has rows that CREATE EXTENSION has not
 * inserted; sets `skip`.
 */
static Rc
match_rows(CopyCatalog *catalog, PgConn *target, Error *err)
{
	Rc rc = RC_OK;
	int next = 0;

	while (rc == RC_OK && next < catalog->table_count)
		rc = match_rows_batch(catalog, &next, target, err);
	return rc;
}

Rc
match_target_columns(CopyCatalog *catalog, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	int row = 0;
	Rc rc = read_target(catalog, target, &result, err);

	for (int i = 0; i < catalog->table_count && rc == RC_OK; i++)
	{
		CopyTable *table = &catalog->tables[i];
		bool found = row < PQntuples(result) &&
					 number_field(result, row, TARGET_NUMBER) == (uint32_t) i;
		const char *kind = found ? PQgetvalue(result, row, TARGET_KIND) : "";
		int end = found ? rows_end(result, row) : row;

		if (table->done || table->gone)
			table->skip = false;
		else if (!found)
			rc = missing_table(table, target, err);
		else if (strchr("rp", kind[0]) == NULL)
			rc = not_a_table(table, target, err);
		else
			rc = match_columns(table, target, result, row, end, catalog->arena,
							   err);
		table->target_partitioned = kind[0] == 'p';
		row = end;
	}
	ASSERT(rc != RC_OK || row == PQntuples(result));
	PQclear(result);
	return rc;
}

Rc
match_target(CopyCatalog *catalog, PgConn *target, Error *err)
{
	Rc rc = match_target_columns(catalog, target, err);

	return rc == RC_OK ? match_rows(catalog, target, err) : rc;
}
