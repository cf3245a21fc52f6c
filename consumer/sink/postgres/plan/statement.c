/*
 * statement.c
 *    Builds SQL.
 *
 * A row is found by the table's key, if there is one.  Otherwise it is found by
 * all columns of the old row.  Then several rows may match, and exactly one of
 * them must be changed: a subquery selects one, and the statement uses its ctid
 * and tableoid, which identify a row of a partitioned table, too.  Rows that
 * are equal may still differ (1.0 and 1.00, 0 and -0, case in citext), so a row
 * with the same text is preferred.
 */
#include "sink/postgres/plan/statement.h"

#include <stdlib.h>

#include "base/xalloc.h"

static void
append_unnest(Buf *sql, int count)
{
	ASSERT(count > 0 && count <= PARAMS_MAX);
	/*
	 * unnest() with several arrays is special syntax, and must be written
	 * without the schema.
	 */
	buf_printf(sql, " FROM %sunnest(", count == 1 ? "pg_catalog." : "");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%s$%d", i > 1 ? ", " : "", i);
	buf_append_string(sql, ") AS k(");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%sc%d", i > 1 ? ", " : "", i);
	buf_append_char(sql, ')');
}

const char *
statement_only(const TargetTable *table)
{
	return table->is_partitioned ? "" : "ONLY ";
}

static void
append_column_names(Buf *sql, const TargetTable *table)
{
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
}

static void
build_insert(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;
	bool many = statement_kind_is_many(given->kind);

	ASSERT(!many || given->count == table->column_count);
	buf_printf(sql, "INSERT INTO %s", table->name_sql);
	if (table->column_count == 0)
	{
		buf_append_string(sql, " DEFAULT VALUES");
		return;
	}
	buf_append_string(sql, " (");
	append_column_names(sql, table);
	buf_printf(sql, ") OVERRIDING SYSTEM VALUE %s",
			   many ? "SELECT " : "VALUES (");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		given_append(sql, given, GIVEN_SET, i);
	}
	if (many)
		append_unnest(sql, given->count);
	else
		buf_append_char(sql, ')');
}

/* How similar a row must be to be found. */
typedef enum Likeness
{
	LIKENESS_EQUAL,
	LIKENESS_SAME, /* equal, and with the same text where equal values may
					* differ */
} Likeness;

/*
 * Appends the condition that a column and a value are equal, or have the same
 * text if the type has no known equality.
 */
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

/* Appends one condition, on a column that identifies the row. */
static void
append_condition(Buf *sql, const Given *given, int i, Likeness likeness)
{
	const TargetColumn *column = &given->table->columns[i];
	Buf value;

	/* The value is null.  (IS NULL would also be true for a row of nulls.) */
	if (!given_has(given, GIVEN_FIND, i))
	{
		buf_printf(sql, "t.%s IS NOT DISTINCT FROM NULL", column->name_sql);
		return;
	}
	buf_init(&value, BUF_TEXT_MAX);
	given_append(&value, given, GIVEN_FIND, i);
	append_equal(sql, column, value.data, likeness);
	buf_release(&value);
}

static void
append_conditions(Buf *sql, const Given *given, Likeness likeness)
{
	const TargetTable *table = given->table;
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (!statement_finds_by_column(table, column,
									   &given->find[column->source_index]))
			continue;
		buf_append_string(sql, first ? " WHERE " : " AND ");
		append_condition(sql, given, i, likeness);
		first = false;
	}

	/* Without a condition the statement would be about all rows. */
	CHECK(!first || table->key_count == 0);
}

/* Whether a row may be equal to the wanted one, and still differ. */
static bool
may_be_only_equal(const Given *given)
{
	for (int i = 0; i < given->table->column_count; i++)
	{
		const TargetColumn *column = &given->table->columns[i];

		if (given_has(given, GIVEN_FIND, i) && column->equals_sql != NULL &&
			!column->equal_is_same)
			return true;
	}
	return false;
}

/* Appends a subquery for ctid and tableoid of a matching row. */
static void
append_place(Buf *sql, const Given *given, Likeness likeness)
{
	buf_printf(sql, "SELECT t.tableoid AS tab, t.ctid AS place FROM %s%s AS t",
			   statement_only(given->table), given->table->name_sql);
	append_conditions(sql, given, likeness);
	buf_append_string(sql, " LIMIT 1");
}

/* Appends a subquery for one of the matching rows, in a table without a key. */
static void
append_one_row(Buf *sql, const Given *given)
{
	buf_append_string(sql, "WITH one AS MATERIALIZED (");
	if (may_be_only_equal(given))
	{
		/* The second part is only executed if the first returns no row. */
		buf_append_char(sql, '(');
		append_place(sql, given, LIKENESS_SAME);
		buf_append_string(sql, ") UNION ALL (");
		append_place(sql, given, LIKENESS_EQUAL);
		buf_append_string(sql, ") LIMIT 1");
	}
	else
		append_place(sql, given, LIKENESS_EQUAL);
	buf_append_string(sql, ") ");
}

static const char place_sql[] =
	" WHERE t.ctid OPERATOR(pg_catalog.=) one.place"
	" AND t.tableoid OPERATOR(pg_catalog.=) one.tab";

static void
append_settings(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (!statement_sets(given->kind, column, given->set))
			continue;
		buf_printf(sql, "%s%s = ", first ? "" : ", ", column->name_sql);
		given_append(sql, given, GIVEN_SET, i);
		first = false;
	}

	/*
	 * Nothing to set: an update of a column to itself checks that the row
	 * exists.
	 */
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
begin_update(Buf *sql, const Given *given)
{
	buf_printf(sql, "UPDATE %s%s AS t SET ", statement_only(given->table),
			   given->table->name_sql);
	append_settings(sql, given);
}

static void
build_update(Buf *sql, const Given *given)
{
	if (given->table->key_count == 0)
		append_one_row(sql, given);
	begin_update(sql, given);
	if (given->table->key_count == 0)
		buf_printf(sql, " FROM one%s", place_sql);
	else
		append_conditions(sql, given, LIKENESS_EQUAL);
}

static void
build_delete(Buf *sql, const Given *given)
{
	if (given->table->key_count == 0)
		append_one_row(sql, given);
	buf_printf(sql, "DELETE FROM %s%s AS t", statement_only(given->table),
			   given->table->name_sql);
	if (given->table->key_count == 0)
		buf_printf(sql, " USING one%s", place_sql);
	else
		append_conditions(sql, given, LIKENESS_EQUAL);
}

void
statement_append_gone(Buf *sql, const Given *given)
{
	buf_append_string(sql, "gone AS (");
	build_delete(sql, given);
	buf_append_string(sql, " RETURNING t.*)");
}

/* Columns without a new value keep the old row's value. */
void
statement_append_insert_of_gone(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;

	buf_printf(sql, "INSERT INTO %s (", table->name_sql);
	append_column_names(sql, table);
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", %s", table->extra_names_sql[i]);
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		if (given_has(given, GIVEN_SET, i))
			given_append(sql, given, GIVEN_SET, i);
		else
			buf_printf(sql, "gone.%s", table->columns[i].name_sql);
	}
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", gone.%s", table->extra_names_sql[i]);
	buf_append_string(sql, " FROM gone");
}

static void
build_replace(Buf *sql, const Given *given)
{
	buf_append_string(sql, "WITH ");
	statement_append_gone(sql, given);
	buf_append_char(sql, ' ');
	statement_append_insert_of_gone(sql, given);
}

static void
build_fetch(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;
	bool first = true;

	buf_append_string(sql, "SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		char *stored;

		if (!statement_fetches_column(&table->columns[i], given->set))
			continue;
		buf_append_string(sql, first ? "" : ", ");
		stored = xasprintf("t.%s", table->columns[i].name_sql);
		target_column_append_fetched(sql, &table->columns[i], stored);
		free(stored);
		first = false;
	}
	buf_printf(sql, " FROM %s%s AS t", statement_only(table), table->name_sql);
	append_conditions(sql, given, LIKENESS_EQUAL);
}

static void
build_update_many(Buf *sql, const Given *given)
{
	ASSERT(given->table->key_count > 0);
	begin_update(sql, given);
	append_unnest(sql, given->count);
	append_conditions(sql, given, LIKENESS_EQUAL);
}

static void
build_update_records(Buf *sql, const Given *given)
{
	ASSERT(given->table->key_count > 0);
	begin_update(sql, given);
	buf_append_string(sql, " FROM pg_catalog.unnest($1) AS k");
	append_conditions(sql, given, LIKENESS_EQUAL);
}

static void
build_delete_many(Buf *sql, const Given *given)
{
	ASSERT(given->table->key_count > 0);
	buf_printf(sql, "DELETE FROM %s%s AS t USING (SELECT *",
			   statement_only(given->table), given->table->name_sql);
	append_unnest(sql, given->count);
	buf_append_string(sql, ") AS k");
	append_conditions(sql, given, LIKENESS_EQUAL);
}

void
statement_build(Buf *sql, const Given *given)
{
	switch (given->kind)
	{
		case STATEMENT_INSERT:
		case STATEMENT_INSERT_MANY:
			build_insert(sql, given);
			return;
		case STATEMENT_REPLACE:
			build_replace(sql, given);
			return;
		case STATEMENT_UPDATE:
			build_update(sql, given);
			return;
		case STATEMENT_DELETE:
			build_delete(sql, given);
			return;
		case STATEMENT_FETCH:
			build_fetch(sql, given);
			return;
		case STATEMENT_UPDATE_MANY:
			build_update_many(sql, given);
			return;
		case STATEMENT_UPDATE_RECORDS:
			build_update_records(sql, given);
			return;
		case STATEMENT_DELETE_MANY:
			build_delete_many(sql, given);
			return;
		case STATEMENT_SETTLE_INSERT:
		case STATEMENT_SETTLE_UPDATE:
		case STATEMENT_SETTLE_DELETE:
		case STATEMENT_SETTLE_REPLACE:
			CHECK(false); /* built by settle.h */
			return;
	}
}

void
statement_add_params(Params *params, const Statement *statement,
					 const TargetTable *table, const Value *set,
					 const Value *find)
{
	given_add_params(params, statement->params, statement->param_count, table,
					 set, find);
}
