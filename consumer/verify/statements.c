/*
 * statements.c
 *    Builds the queries.
 *
 * The seeds are arbitrary, but different.  OFFSET 0 in a subquery keeps the
 * planner from computing the text of a row for each of its hashes.
 */
#include "verify/statements.h"

#include <stdio.h>
#include <string.h>

#include "verify/read_as.h"

#define KEY_SEED    "0"
#define FIRST_SEED  "1"
#define SECOND_SEED "2"

/*
 * Number of bits of the key's hash that select the range.  The next 20 bits,
 * SAMPLE_MASK, decide whether the row is in a sample.
 */
#define RANGE_BITS  12
#define SAMPLE_MASK "1048575"
_Static_assert(VERIFY_RANGES == 1 << RANGE_BITS, "as many as the bits say");

/*
 * Constants of catalog/hash.h in halves of 32 bits, because SQL has no unsigned
 * 64-bit integers.
 */
#define HALF         "4294967295"
#define COMBINE_HIGH "1235285213"
#define COMBINE_LOW  "367372515"

/* ---- values ------------------------------------------------------------- */

static void
append_reference(Buf *sql, const VerifyTable *table, const VerifyColumn *column)
{
	buf_printf(sql, "%s.", table->qualified);
	buf_append_identifier(sql, column->name);
}

/* Appends the source's value as the target would read it. */
static void
append_read(Buf *sql, const VerifyTable *table, const VerifyColumn *column)
{
	Buf value;

	ASSERT(column->read_as != NULL);
	buf_init(&value, BUF_TEXT_MAX);
	append_reference(&value, table, column);
	read_as_append(sql, value.data, column->read_as);
	sql->overflowed |= value.overflowed;
	buf_release(&value);
}

static void
append_value(Buf *sql, const VerifyTable *table, const VerifySide *side,
			 const VerifyColumn *column)
{
	if (side->is_source && column->read_as != NULL)
		append_read(sql, table, column);
	else
	{
		append_reference(sql, table, column);
		if (column->is_lsn && column->read_as == NULL)
			buf_append_string(sql, " - '0/0'::pg_catalog.pg_lsn");
	}
}

/* Appends the text of a row: of all columns, or of the key's columns. */
static void
append_text(Buf *sql, const VerifyTable *table, const VerifySide *side,
			bool of_key)
{
	const char *separator = "";

	if (table->recoded)
		buf_append_string(sql, "encode(convert_to(");
	buf_append_string(sql, "ROW(");
	for (int i = 0; i < table->column_count; i++)
	{
		if (of_key && table->has_key && !table->columns[i].is_key)
			continue;
		buf_append_string(sql, separator);
		append_value(sql, table, side, &table->columns[i]);
		separator = ", ";
	}
	buf_append_string(sql, ")::text");
	if (table->recoded)
		buf_append_string(sql, ", 'UTF8'), 'hex')");
	buf_append_string(sql, " COLLATE \"C\"");
}

static void
append_key_hash(Buf *sql, const VerifyTable *table, const VerifySide *side)
{
	buf_append_string(sql, "hashtextextended(");
	append_text(sql, table, side, true);
	buf_append_string(sql, ", " KEY_SEED ")");
}

/* Appends the JSON of a row's key, which is shown to people. */
static void
append_json(Buf *sql, const VerifyTable *table, const VerifySide *side)
{
	const char *separator = "";

	if (!table->has_key)
	{
		buf_append_string(sql, "to_json(");
		append_text(sql, table, side, true);
		buf_append_char(sql, ')');
		return;
	}
	buf_append_string(sql, "json_build_object(");
	for (int i = 0; i < table->column_count; i++)
	{
		if (!table->columns[i].is_key)
			continue;
		buf_append_string(sql, separator);
		buf_append_literal(sql, table->columns[i].name);
		buf_append_string(sql, ", ");
		append_reference(sql, table, &table->columns[i]);
		separator = ", ";
	}
	buf_append_char(sql, ')');
}

/* ---- places ------------------------------------------------------------- */

/*
 * Appends subqueries that combine the hash of one more column with the hash of
 * the columns before it, which is kept in two halves.
 */
static void
append_combined(Buf *sql, int number)
{
	char high[64] = "0::bigint";
	char low[64] = "0::bigint";

	ASSERT(number >= 1);
	if (number > 1)
	{
		snprintf(high, sizeof(high), "h%d.penstock_high", number - 1);
		snprintf(low, sizeof(low), "h%d.penstock_low", number - 1);
	}
	buf_printf(sql,
			   " CROSS JOIN LATERAL (SELECT (h.penstock_%d & " HALF
			   ") + " COMBINE_LOW " + ((%s >> 7) | ((%s & 127) << 25))"
			   " OFFSET 0) s%d (penstock_sum)",
			   number, low, high, number);
	buf_printf(sql,
			   " CROSS JOIN LATERAL (SELECT"
			   " CASE WHEN h.penstock_%d IS NULL THEN %s"
			   " ELSE %s # ((((h.penstock_%d >> 32) & " HALF ") + " COMBINE_HIGH
			   " + ((%s & 1023) << 22) + (%s >> 7)"
			   " + (s%d.penstock_sum >> 32)) & " HALF ") END,",
			   number, high, high, number, low, high, number);
	buf_printf(sql,
			   " CASE WHEN h.penstock_%d IS NULL THEN %s"
			   " ELSE %s # (s%d.penstock_sum & " HALF ") END"
			   " OFFSET 0) h%d (penstock_high, penstock_low)",
			   number, low, low, number, number);
}

static void
append_from(Buf *sql, const VerifyTable *table, const VerifySide *side)
{
	buf_printf(sql, " FROM %s%s", side->partitioned ? "" : "ONLY ",
			   table->qualified);
	if (side->place_sql == NULL || side->node_count == 0)
		return;
	buf_printf(sql, " CROSS JOIN LATERAL (SELECT %s OFFSET 0) h (",
			   side->place_sql);
	for (int i = 1; i <= side->place_count; i++)
		buf_printf(sql, "%spenstock_%d", i > 1 ? ", " : "", i);
	buf_append_char(sql, ')');
	for (int i = 1; i <= side->place_count; i++)
		append_combined(sql, i);
}

/* Appends the index of the target on which a row belongs. */
static void
append_place(Buf *sql, const VerifySide *side)
{
	int n = side->place_count;

	ASSERT(side->place_sql == NULL || side->node_count == 0 || n > 0);
	if (side->place_sql == NULL)
		buf_append_string(sql, "NULL::bigint");
	else if (side->node_count == 0)
		buf_append_string(sql, side->place_sql);
	else
		buf_printf(sql,
				   "((h%d.penstock_high %% %d) * (4294967296 %% %d)"
				   " + h%d.penstock_low) %% %d",
				   n, side->node_count, side->node_count, n, side->node_count);
}

/* ---- queries ------------------------------------------------------------ */

static void
append_where(Buf *sql, const VerifyTable *table, const VerifySide *side)
{
	const char *word = " WHERE ";

	ASSERT(table->sample_percent >= 0 && table->sample_percent <= 100);
	if (side->filter != NULL)
	{
		buf_printf(sql, "%s(%s)", word, side->filter);
		word = " AND ";
	}
	if (table->sample_percent == 0)
		return;
	buf_printf(sql, "%s((", word);
	append_key_hash(sql, table, side);
	buf_printf(sql,
			   " >> %d) & " SAMPLE_MASK ") * 100 < %d::bigint * "
			   "(" SAMPLE_MASK " + 1)",
			   RANGE_BITS, table->sample_percent);
}

void
verify_append_sums(Buf *sql, const VerifyTable *table, const VerifySide *side,
				   bool by_range)
{
	bool grouped = by_range || side->place_sql != NULL;

	buf_append_string(sql, "SELECT ");
	buf_append_string(sql, grouped ? "s.p, s.r" : "NULL, 0");
	buf_append_string(sql,
					  ", count(*),"
					  " coalesce(sum(hashtextextended(s.x, " FIRST_SEED
					  ")), 0), coalesce(sum(hashtextextended(s.x, " SECOND_SEED
					  ")), 0) FROM (SELECT ");
	append_place(sql, side);
	buf_append_string(sql, " AS p, ");
	if (by_range)
	{
		append_key_hash(sql, table, side);
		buf_printf(sql, " & %d", VERIFY_RANGES - 1);
	}
	else
		buf_append_char(sql, '0');
	buf_append_string(sql, " AS r, ");
	append_text(sql, table, side, false);
	buf_append_string(sql, " AS x");
	append_from(sql, table, side);
	append_where(sql, table, side);
	buf_append_string(sql, " OFFSET 0) s");
	if (grouped)
		buf_append_string(sql, " GROUP BY s.p, s.r ORDER BY s.p, s.r");
}

void
verify_append_rows(Buf *sql, const VerifyTable *table, const VerifySide *side,
				   const int *ranges, int count)
{
	ASSERT(count > 0);
	buf_append_string(sql, "SELECT ");
	append_key_hash(sql, table, side);
	buf_append_string(sql, ", ");
	append_text(sql, table, side, true);
	buf_append_string(sql, ", ");
	append_json(sql, table, side);
	buf_append_string(sql, ", hashtextextended(");
	append_text(sql, table, side, false);
	buf_append_string(sql, ", " FIRST_SEED "), hashtextextended(");
	append_text(sql, table, side, false);
	buf_append_string(sql, ", " SECOND_SEED "), ");
	append_place(sql, side);
	append_from(sql, table, side);
	append_where(sql, table, side);
	buf_append_string(sql, side->filter != NULL || table->sample_percent > 0
							   ? " AND "
							   : " WHERE ");
	append_key_hash(sql, table, side);
	buf_printf(sql, " & %d = ANY ('{", VERIFY_RANGES - 1);
	for (int i = 0; i < count; i++)
	{
		ASSERT(ranges[i] >= 0 && ranges[i] < VERIFY_RANGES);
		buf_printf(sql, "%s%d", i > 0 ? "," : "", ranges[i]);
	}
	buf_append_string(sql, "}'::bigint[]) ORDER BY 1, 2, 4, 5");
}

/* Appends the columns of the key, each by the function. */
static void
append_key_columns(Buf *sql, const VerifyTable *table, const char *separator,
				   void (*append)(Buf *sql, const VerifyTable *table,
								  const VerifyColumn *column, int number))
{
	int number = 0;

	ASSERT(table->has_key);
	for (int i = 0; i < table->column_count; i++)
	{
		if (!table->columns[i].is_key)
			continue;
		buf_append_string(sql, number > 0 ? separator : "");
		append(sql, table, &table->columns[i], ++number);
	}
}

static void
append_name(Buf *sql, const VerifyTable *table UNUSED,
			const VerifyColumn *column, int number UNUSED)
{
	buf_append_identifier(sql, column->name);
}

static void
append_definition(Buf *sql, const VerifyTable *table UNUSED,
				  const VerifyColumn *column, int number UNUSED)
{
	ASSERT(column->type != NULL);
	buf_append_identifier(sql, column->name);
	buf_printf(sql, " %s", column->type);
}

static void
append_renamed(Buf *sql, const VerifyTable *table UNUSED,
			   const VerifyColumn *column, int number)
{
	buf_append_string(sql, "r.");
	buf_append_identifier(sql, column->name);
	buf_printf(sql, " AS penstock_%d", number);
}

static void
append_equal(Buf *sql, const VerifyTable *table, const VerifyColumn *column,
			 int number)
{
	append_reference(sql, table, column);
	buf_printf(sql, " = k.penstock_%d", number);
}

/* Appends the keys as a table k, whose columns have names of our own, because a
 * filter uses the names of the columns without a table. */
static void
append_join_keys(Buf *sql, const VerifyTable *table, const char *const *keys,
				 int count)
{
	Buf array;

	ASSERT(count > 0);
	buf_init(&array, sql->max);
	for (int i = 0; i < count; i++)
		buf_printf(&array, "%s%s", i > 0 ? "," : "[", keys[i]);
	buf_append_char(&array, ']');
	buf_append_string(sql, " JOIN (SELECT r.penstock_n, ");
	append_key_columns(sql, table, ", ", append_renamed);
	buf_append_string(sql, " FROM ROWS FROM (json_to_recordset(");
	buf_append_literal(sql, array.data);
	buf_append_string(sql, ") AS (");
	append_key_columns(sql, table, ", ", append_definition);
	buf_append_string(sql, ")) WITH ORDINALITY r (");
	append_key_columns(sql, table, ", ", append_name);
	buf_append_string(sql, ", penstock_n)) k ON ");
	append_key_columns(sql, table, " AND ", append_equal);
	sql->overflowed |= array.overflowed;
	buf_release(&array);
}

void
verify_append_lookup(Buf *sql, const VerifyTable *table, const VerifySide *side,
					 const char *const *keys, int count)
{
	ASSERT(table->has_key);
	buf_append_string(sql, "SELECT k.penstock_n, ");
	append_text(sql, table, side, false);
	buf_append_string(sql, ", ");
	if (side->is_source)
		append_place(sql, side);
	else
		buf_printf(sql, "%s.tableoid, %s.ctid, to_jsonb(%s.*)",
				   table->qualified, table->qualified, table->qualified);
	for (int i = 0; i < table->column_count && side->is_source; i++)
	{
		buf_append_string(sql, ", ");
		append_reference(sql, table, &table->columns[i]);
	}
	append_from(sql, table, side);
	append_join_keys(sql, table, keys, count);
	append_where(sql, table, side);
	buf_append_string(sql, " ORDER BY 1");
}
