/*
 * given.c
 *    Lists parameters, and takes their values from rows.
 */
#include "sink/postgres/plan/given.h"

#include <stdio.h>

/* Bytes for the expression of a value: $1600, or k.c1600. */
#define EXPRESSION_SIZE 16

/* ---- the list ----------------------------------------------------------- */

static bool
takes_new_value(const Given *given, const TargetColumn *column)
{
	return given->kind == STATEMENT_INSERT ||
		   given->kind == STATEMENT_INSERT_MANY ||
		   statement_sets(given->kind, column, given->set);
}

/*
 * Whether a column identifies the row and becomes a parameter.  Without a key,
 * the SQL itself says which columns are null (statement.c).
 */
static bool
takes_to_find(const Given *given, const TargetColumn *column)
{
	const Value *value = &given->find[column->source_index];

	return statement_finds_by_column(given->table, column, value) &&
		   (column->key || value->kind != VALUE_NULL);
}

static void
list_columns(Given *given, GivenRole role)
{
	for (int i = 0; i < given->table->column_count; i++)
	{
		const TargetColumn *column = &given->table->columns[i];
		bool takes = role == GIVEN_SET ? takes_new_value(given, column)
									   : takes_to_find(given, column);

		given->places[role][i] = 0;
		if (!takes)
			continue;
		ASSERT(given->count < PARAMS_MAX);
		given->params[given->count++] = (GivenParam){.column = (uint16_t) i,
													 .role = (uint8_t) role};
		given->places[role][i] = (uint16_t) given->count;
	}
}

static bool
has_new_values(StatementKind kind)
{
	return kind != STATEMENT_DELETE && kind != STATEMENT_DELETE_MANY &&
		   kind != STATEMENT_FETCH;
}

static bool
finds_a_row(StatementKind kind)
{
	return kind != STATEMENT_INSERT && kind != STATEMENT_INSERT_MANY;
}

void
given_init(Given *given, StatementKind kind, const TargetTable *table,
		   const Value *set, const Value *find, int before)
{
	bool find_first;

	ASSERT(table->column_count <= RELATION_COLUMNS_MAX);
	ASSERT(before >= 0);
	kind = statement_settled_kind(kind);
	find_first = table->key_count == 0 || kind == STATEMENT_REPLACE;
	given->kind = kind;
	given->table = table;
	given->set = set;
	given->find = find;
	given->before = before;
	given->count = 0;
	if (kind == STATEMENT_UPDATE_RECORDS)
		return;
	ASSERT(set != NULL || !has_new_values(kind) || table->column_count == 0);
	ASSERT(find != NULL || !finds_a_row(kind) || table->column_count == 0);
	if (finds_a_row(kind) && find_first)
		list_columns(given, GIVEN_FIND);
	if (has_new_values(kind))
		list_columns(given, GIVEN_SET);
	if (finds_a_row(kind) && !find_first)
		list_columns(given, GIVEN_FIND);
}

/* ---- its use ------------------------------------------------------------ */

bool
given_has(const Given *given, GivenRole role, int column)
{
	ASSERT(column < given->table->column_count);
	ASSERT(column >= 0);
	if (given->kind == STATEMENT_UPDATE_RECORDS)
		return true;
	if (role == GIVEN_SET ? !has_new_values(given->kind)
						  : !finds_a_row(given->kind))
		return false;
	return given->places[role][column] > 0;
}

void
given_append(Buf *sql, const Given *given, GivenRole role, int column)
{
	const TargetColumn *at = &given->table->columns[column];
	bool many = statement_kind_is_many(given->kind);
	char expression[EXPRESSION_SIZE];

	ASSERT(given_has(given, role, column));
	ASSERT(column >= 0 && column < given->table->column_count);
	if (given->kind == STATEMENT_UPDATE_RECORDS)
	{
		buf_printf(sql, "k.%s", at->name_sql);
		return;
	}
	snprintf(expression, sizeof(expression), many ? "k.c%d" : "$%d",
			 given->before + given->places[role][column]);
	target_column_append_value(sql, at, expression, many);
}

void
given_add_params(Params *params, const GivenParam *list, int count,
				 const TargetTable *table, const Value *set, const Value *find)
{
	for (int i = 0; i < count; i++)
	{
		const TargetColumn *column = &table->columns[list[i].column];
		const Value *row = list[i].role == GIVEN_SET ? set : find;

		ASSERT(list[i].column < table->column_count && row != NULL);
		params_add(params, column, &row[column->source_index]);
	}
}
