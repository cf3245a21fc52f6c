/*
 * statement.c
 *    Building SQL.
 *
 * A row is found by the table's key where there is one.  Where there is none it
 * is found by all columns of the old row; then several rows may be equal, and
 * exactly one of them must go: a subquery picks one, and the statement takes it
 * by its physical place, which together with the table's OID is unique also
 * when the table is partitioned.  Rows that are equal may still differ (1.0 and
 * 1.00, 0 and -0, letters of a citext): one that is the same in all respects is
 * looked for first.
 */
#include "sink/postgres/plan/statement.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* ---- SQL ---------------------------------------------------------------- */

StatementKind
statement_settled_kind(StatementKind kind)
{
	return kind == STATEMENT_SETTLE_INSERT   ? STATEMENT_INSERT
		   : kind == STATEMENT_SETTLE_UPDATE ? STATEMENT_UPDATE
		   : kind == STATEMENT_SETTLE_DELETE ? STATEMENT_DELETE
											 : kind;
}

/* Long enough for what a value is given by: $1600, or k.c1600. */
#define EXPRESSION_SIZE 16

/* The n-th value that the statement is given: a parameter, or a column of k. */
static void
append_given(Buf *sql, StatementKind kind, const TargetColumn *column, int n)
{
	bool many = statement_kind_is_many(kind);
	char expression[EXPRESSION_SIZE];

	if (kind == STATEMENT_UPDATE_RECORDS)
	{
		buf_printf(sql, "k.%s", column->name_sql);
		return;
	}
	snprintf(expression, sizeof(expression), many ? "k.c%d" : "$%d", n);
	target_column_append_value(sql, column, expression, many);
}

static void
append_unnest(Buf *sql, int count)
{
	/* Of several arrays, the name alone stands for that of pg_catalog. */
	buf_printf(sql, " FROM %sunnest(", count == 1 ? "pg_catalog." : "");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%s$%d", i > 1 ? ", " : "", i);
	buf_append_string(sql, ") AS k(");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%sc%d", i > 1 ? ", " : "", i);
	buf_append_char(sql, ')');
}

/* Rows of child tables are those tables' own. */
static const char *
only(const TargetTable *table)
{
	return table->is_partitioned ? "" : "ONLY ";
}

static void
build_insert(Buf *sql, StatementKind kind, const TargetTable *table, int n)
{
	buf_printf(sql, "INSERT INTO %s", table->name_sql);
	if (table->column_count == 0)
	{
		buf_append_string(sql, " DEFAULT VALUES");
		return;
	}
	buf_append_string(sql, " (");
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_printf(sql, ") OVERRIDING SYSTEM VALUE %s",
			   statement_kind_is_many(kind) ? "SELECT " : "VALUES (");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		append_given(sql, kind, &table->columns[i], n + i + 1);
	}
	if (statement_kind_is_many(kind))
		append_unnest(sql, table->column_count);
	else
		buf_append_char(sql, ')');
}

/* How alike a row has to be that is to be found. */
typedef enum Likeness
{
	LIKENESS_EQUAL,
	LIKENESS_SAME, /* and has the same text, where that could be another */
} Likeness;

/* That a column and a value are equal, or where that is not known for its type,
 * have the same text. */
static void
append_equal(Buf *sql, const TargetColumn *column, const char *value,
			 Likeness likeness)
{
	char *stored = xasprintf("t.%s", column->name_sql);
	bool has_equality = column->equals_sql != NULL;

	if (has_equality)
		target_column_append_equal(sql, column, stored, value);
	else
		buf_printf(sql, "%s IS DISTINCT FROM NULL", stored);
	if (!has_equality || (likeness == LIKENESS_SAME && !column->equal_is_same))
	{
		buf_append_string(sql, " AND ");
		target_column_append_same(sql, stored, value);
	}
	free(stored);
}

void
statement_append_equal(Buf *sql, const TargetColumn *column, const char *value)
{
	append_equal(sql, column, value, LIKENESS_EQUAL);
}

/* One condition of a WHERE; takes the next given value unless it is null. */
static void
append_condition(Buf *sql, StatementKind kind, const TargetColumn *column,
				 const Value *value, Likeness likeness, int *n)
{
	Buf given;

	/* IS NULL would be true of a row of nulls as well. */
	if (value->kind == VALUE_NULL && !statement_kind_is_many(kind))
	{
		buf_printf(sql, "t.%s IS NOT DISTINCT FROM NULL", column->name_sql);
		return;
	}
	buf_init(&given, BUF_TEXT_MAX);
	append_given(&given, kind, column, ++*n);
	append_equal(sql, column, given.data, likeness);
	buf_release(&given);
}

static void
append_conditions(Buf *sql, StatementKind kind, const TargetTable *table,
				  const Value *find, Likeness likeness, int *n)
{
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (!statement_finds_by_column(table, column, value))
			continue;
		buf_append_string(sql, first ? " WHERE " : " AND ");
		append_condition(sql, kind, column, value, likeness, n);
		first = false;
	}
}

/* Whether a row may be equal to this one and not be the same. */
static bool
may_be_only_equal(const TargetTable *table, const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL && column->equals_sql != NULL &&
			!column->equal_is_same)
			return true;
	}
	return false;
}

/* Its place, if there is one. */
static void
append_place(Buf *sql, const TargetTable *table, const Value *find,
			 Likeness likeness, int *n)
{
	buf_printf(sql, "SELECT t.tableoid AS tab, t.ctid AS place FROM %s%s AS t",
			   only(table), table->name_sql);
	append_conditions(sql, STATEMENT_DELETE, table, find, likeness, n);
	buf_append_string(sql, " LIMIT 1");
}

/* Without a key: one of the rows that are equal, by its place. */
static void
append_one_row(Buf *sql, const TargetTable *table, const Value *find, int *n)
{
	int first = *n;

	buf_append_string(sql, "WITH one AS MATERIALIZED (");
	if (may_be_only_equal(table, find))
	{
		/* The second part is not looked at if the first has one. */
		buf_append_char(sql, '(');
		append_place(sql, table, find, LIKENESS_SAME, n);
		buf_append_string(sql, ") UNION ALL (");
		*n = first;
		append_place(sql, table, find, LIKENESS_EQUAL, n);
		buf_append_string(sql, ") LIMIT 1");
	}
	else
		append_place(sql, table, find, LIKENESS_EQUAL, n);
	buf_append_string(sql, ") ");
}

static const char place_sql[] =
	" WHERE t.ctid OPERATOR(pg_catalog.=) one.place"
	" AND t.tableoid OPERATOR(pg_catalog.=) one.tab";

bool
statement_sets(StatementKind kind, const TargetColumn *column, const Value *set)
{
	if (column->key &&
		(kind == STATEMENT_UPDATE_MANY || kind == STATEMENT_UPDATE_RECORDS))
		return false;
	if (kind == STATEMENT_REPLACE)
		return set[column->source_index].kind != VALUE_UNCHANGED;
	return statement_sets_column(column, &set[column->source_index]);
}

static void
append_settings(Buf *sql, StatementKind kind, const TargetTable *table,
				const Value *set, int *n)
{
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (!statement_sets(kind, column, set))
			continue;
		buf_printf(sql, "%s%s = ", first ? "" : ", ", column->name_sql);
		append_given(sql, kind, column, ++*n);
		first = false;
	}

	/* Nothing to set: the row must be there all the same. */
	for (int i = 0; first && i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (column->identity_always)
			continue;
		buf_printf(sql, "%s = t.%s", column->name_sql, column->name_sql);
		first = false;
	}
}

static void
build_update(Buf *sql, const TargetTable *table, const Value *set,
			 const Value *find, int n)
{
	if (table->key_count == 0)
		append_one_row(sql, table, find, &n);
	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE, table, set, &n);
	if (table->key_count == 0)
		buf_printf(sql, " FROM one%s", place_sql);
	else
		append_conditions(sql, STATEMENT_UPDATE, table, find, LIKENESS_EQUAL,
						  &n);
}

static void
build_delete(Buf *sql, const TargetTable *table, const Value *find, int n)
{
	if (table->key_count == 0)
		append_one_row(sql, table, find, &n);
	buf_printf(sql, "DELETE FROM %s%s AS t", only(table), table->name_sql);
	if (table->key_count == 0)
		buf_printf(sql, " USING one%s", place_sql);
	else
		append_conditions(sql, STATEMENT_DELETE, table, find, LIKENESS_EQUAL,
						  &n);
}

/* How many parameters the row that is to be found gives. */
static int
count_find_params(const TargetTable *table, const Value *find)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL)
			count++;
	}
	return count;
}

bool
statement_needs_replace(const TargetTable *table, const Value *set,
						const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		int index = column->source_index;

		if (!column->identity_always || set[index].kind == VALUE_UNCHANGED)
			continue;

		/* Beside the key, nobody knows what it was before. */
		if (!statement_finds_by_column(table, column, &find[index]) ||
			!value_is_same(&set[index], &find[index]))
			return true;
	}
	return false;
}

/* What is not known keeps the value that the row had. */
static void
build_replace(Buf *sql, const TargetTable *table, const Value *set,
			  const Value *find)
{
	int n = count_find_params(table, find);

	buf_append_string(sql, "WITH gone AS (");
	build_delete(sql, table, find, 0);
	buf_printf(sql, " RETURNING t.*) INSERT INTO %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", %s", table->extra_names_sql[i]);
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		buf_append_string(sql, i > 0 ? ", " : "");
		if (set[column->source_index].kind == VALUE_UNCHANGED)
			buf_printf(sql, "gone.%s", column->name_sql);
		else
			append_given(sql, STATEMENT_REPLACE, column, ++n);
	}
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", gone.%s", table->extra_names_sql[i]);
	buf_append_string(sql, " FROM gone");
}

static void
build_fetch(Buf *sql, const TargetTable *table, const Value *row,
			const Value *find)
{
	bool first = true;
	int n = 0;

	buf_append_string(sql, "SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		char *stored;

		if (!statement_fetches_column(&table->columns[i], row))
			continue;
		buf_append_string(sql, first ? "" : ", ");
		stored = xasprintf("t.%s", table->columns[i].name_sql);
		target_column_append_fetched(sql, &table->columns[i], stored);
		free(stored);
		first = false;
	}
	buf_printf(sql, " FROM %s%s AS t", only(table), table->name_sql);
	append_conditions(sql, STATEMENT_FETCH, table, find, LIKENESS_EQUAL, &n);
}

static int
count_set(const TargetTable *table, const Value *set)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
		count += statement_sets(STATEMENT_UPDATE_MANY, &table->columns[i], set)
					 ? 1
					 : 0;
	return count;
}

static void
build_update_many(Buf *sql, const TargetTable *table, const Value *set)
{
	int n = 0;

	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE_MANY, table, set, &n);
	append_unnest(sql, count_set(table, set) + table->key_count);
	append_conditions(sql, STATEMENT_UPDATE_MANY, table, set, LIKENESS_EQUAL,
					  &n);
}

static void
build_update_records(Buf *sql, const TargetTable *table, const Value *set)
{
	int n = 0;

	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE_RECORDS, table, set, &n);
	buf_append_string(sql, " FROM pg_catalog.unnest($1) AS k");
	append_conditions(sql, STATEMENT_UPDATE_RECORDS, table, set, LIKENESS_EQUAL,
					  &n);
}

static void
build_delete_many(Buf *sql, const TargetTable *table, const Value *find)
{
	int n = 0;

	buf_printf(sql, "DELETE FROM %s%s AS t USING (SELECT *", only(table),
			   table->name_sql);
	append_unnest(sql, table->key_count);
	buf_append_string(sql, ") AS k");
	append_conditions(sql, STATEMENT_DELETE_MANY, table, find, LIKENESS_EQUAL,
					  &n);
}

void
statement_build(Buf *sql, StatementKind kind, const TargetTable *table,
				const Value *set, const Value *find, int n)
{
	ASSERT(n == 0 || kind == STATEMENT_INSERT || kind == STATEMENT_UPDATE ||
		   kind == STATEMENT_DELETE);
	switch (kind)
	{
		case STATEMENT_INSERT:
		case STATEMENT_INSERT_MANY:
			build_insert(sql, kind, table, n);
			return;
		case STATEMENT_REPLACE:
			build_replace(sql, table, set, find);
			return;
		case STATEMENT_UPDATE:
			build_update(sql, table, set, find, n);
			return;
		case STATEMENT_DELETE:
			build_delete(sql, table, find, n);
			return;
		case STATEMENT_FETCH:
			build_fetch(sql, table, set, find);
			return;
		case STATEMENT_UPDATE_MANY:
			build_update_many(sql, table, set);
			return;
		case STATEMENT_UPDATE_RECORDS:
			build_update_records(sql, table, set);
			return;
		case STATEMENT_DELETE_MANY:
			build_delete_many(sql, table, find);
			return;
		case STATEMENT_SETTLE_INSERT:
		case STATEMENT_SETTLE_UPDATE:
		case STATEMENT_SETTLE_DELETE:
			CHECK(false); /* settle.h builds them */
			return;
	}
}

/* How many the row of new values gives. */
static int
count_set_params(StatementKind kind, const TargetTable *table, const Value *set)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
		if (kind == STATEMENT_INSERT ||
			statement_sets(kind, &table->columns[i], set))
			count++;
	return count;
}

int
statement_count_params(StatementKind kind, const TargetTable *table,
					   const Value *set, const Value *find)
{
	int count = 0;

	if (kind != STATEMENT_DELETE)
		count += count_set_params(kind, table, set);
	if (kind != STATEMENT_INSERT)
		count += count_find_params(table, find);
	return count;
}

bool
statement_append_given(Buf *sql, StatementKind kind, const TargetTable *table,
					   const Value *set, const Value *find, bool of_find,
					   int column)
{
	/* Without a key what finds the row comes first; see append_one_row(). */
	bool find_first = table->key_count == 0;
	int n = 0;

	if (of_find && kind == STATEMENT_UPDATE && !find_first)
		n = count_set_params(kind, table, set);
	if (!of_find && kind == STATEMENT_UPDATE && find_first)
		n = count_find_params(table, find);
	for (int i = 0; i <= column; i++)
	{
		const TargetColumn *at = &table->columns[i];
		const Value *value = of_find ? &find[at->source_index]
									 : &set[at->source_index];
		bool given = of_find ? statement_finds_by_column(table, at, value) &&
								   value->kind != VALUE_NULL
							 : kind == STATEMENT_INSERT ||
								   statement_sets(kind, at, set);

		n += given ? 1 : 0;
		if (i < column)
			continue;
		if (given)
			append_given(sql, kind, at, n);
		else if (of_find && value->kind == VALUE_NULL)
			buf_append_string(sql, "NULL");
		else
			return false;
	}
	return true;
}

void
statement_append_conditions(Buf *sql, StatementKind kind,
							const TargetTable *table, const Value *find, int n)
{
	append_conditions(sql, kind, table, find, LIKENESS_EQUAL, &n);
}

/* ---- parameters --------------------------------------------------------- */

static void
add_find_params(Params *params, const TargetTable *table, const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL)
			params_add(params, column, value);
	}
}

static void
add_set_params(Params *params, StatementKind kind, const TargetTable *table,
			   const Value *set)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (kind == STATEMENT_INSERT || statement_sets(kind, column, set))
			params_add(params, column, &set[column->source_index]);
	}
}

void
statement_add_params(Params *params, StatementKind kind,
					 const TargetTable *table, const Value *set,
					 const Value *find)
{
	bool find_first;

	ASSERT(!statement_kind_is_many(kind));
	kind = kind == STATEMENT_FETCH ? STATEMENT_DELETE
								   : statement_settled_kind(kind);

	/* Where a part before the statement finds the row, that comes first. */
	find_first = table->key_count == 0 || kind == STATEMENT_REPLACE;
	if (kind != STATEMENT_INSERT && find_first)
		add_find_params(params, table, find);
	if (kind != STATEMENT_DELETE)
		add_set_params(params, kind, table, set);
	if (kind != STATEMENT_INSERT && !find_first)
		add_find_params(params, table, find);
}
