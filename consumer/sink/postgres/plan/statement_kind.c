/*
 * statement_kind.c
 *    Decides which columns a statement uses.
 */
#include "sink/postgres/plan/statement_kind.h"

StatementKind
statement_settled_kind(StatementKind kind)
{
	return kind == STATEMENT_SETTLE_INSERT    ? STATEMENT_INSERT
		   : kind == STATEMENT_SETTLE_UPDATE  ? STATEMENT_UPDATE
		   : kind == STATEMENT_SETTLE_DELETE  ? STATEMENT_DELETE
		   : kind == STATEMENT_SETTLE_REPLACE ? STATEMENT_REPLACE
											  : kind;
}

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

		/* The former value of a column outside of the key is not known. */
		if (!statement_finds_by_column(table, column, &find[index]) ||
			!value_is_same(&set[index], &find[index]))
			return true;
	}
	return false;
}
