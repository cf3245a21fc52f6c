/*
 * add_columns.c
 *    ALTER TABLE … ADD COLUMN.
 *
 * On the source, rows that are older than a column may have a value in it that
 * its default does not return any more, such as the time at which the column
 * was added.  The column is added with this value as its default, which is then
 * replaced by the column's own default.
 *
 * If older rows have no such value, the column was added without a default, and
 * got one afterwards: they are null.  Or the table was rewritten, and its rows
 * are sent again.  In both cases the column gets its default afterwards here,
 * too, unless it is NOT NULL: then there are no such rows, or they are sent
 * again.
 */
#include "ddl/diff/add_columns.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/draft_sequence.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/*
 * Returns the value of the column in rows that are older than the column; NULL:
 * none.
 */
static const char *
missing_value(Draft *draft, DraftObject *table, const char *name)
{
	DraftFamily family = draft_family(draft, table);

	for (int i = 0; i < family.count; i++)
	{
		const ColumnDefinition *column = NULL;

		if (family.tables[i]->after != NULL)
			column = column_named(family.tables[i]->after, name);
		if (column != NULL && column->missing_value != NULL)
			return column->missing_value;
	}
	return NULL;
}

/* Whether a default is the constant `value`, as a number or in quotes. */
static bool
is_constant(Draft *draft, const char *expression, const char *value)
{
	const char *literal = text_literal(draft->arena, value);
	size_t length = strlen(literal);

	if (strcmp(expression, value) == 0)
		return strspn(value, "0123456789.") == strlen(value) &&
			   value[0] != '\0';
	return strncmp(expression, literal, length) == 0 &&
		   strncmp(expression + length, "::", 2) == 0 &&
		   strchr(expression + length, '\'') == NULL;
}

/*
 * Updates the draft's children of a table that got a column: each child
 * inherits the column.
 */
static void
spread_column(Draft *draft, DraftObject *table, const ColumnDefinition *column)
{
	for (int i = 0; i < table->child_count; i++)
	{
		DraftObject *child = table->children[i];
		ColumnDefinition *known = draft_edit_column(draft, child, column->name);
		const ColumnDefinition *after = child->after == NULL
											? NULL
											: column_named(child->after,
														   column->name);
		ColumnDefinition copy = *column;

		if (known != NULL)
			known->inherited++;
		if (known != NULL || after == NULL)
			continue;
		copy.attnum = after->attnum;
		copy.local = false;
		copy.inherited = 1;
		copy.identity = IDENTITY_COLUMN_NOT;
		draft_add_column(draft, child, &copy);
		spread_column(draft, child, &copy);
	}
}

static void
add_column(Draft *draft, DraftObject *table, const ColumnDefinition *after)
{
	const char *missing = missing_value(draft, table, after->name);
	ColumnDefinition column = *after;
	DdlStatement *statement;

	column.local = true;
	column.inherited = 0;
	column.storage = "";
	column.compression = "";
	column.statistics = -1;
	column.options = (StringList){.count = 0};
	if (missing != NULL && column.generated == GENERATED_NOT &&
		!is_constant(draft, column.default_expression, missing))
		column.default_expression = arena_printf(
			draft->arena, "%s::%s", text_literal(draft->arena, missing),
			column.type);
	if (missing == NULL && !column.not_null &&
		column.generated == GENERATED_NOT)
		column.default_expression = "";
	if (draft_sequence_is_to_come(draft, column.default_expression))
		column.default_expression = "";
	statement = draft_alter(draft, table, DDL_CREATE, "ADD COLUMN %s",
							column_text(draft, table, &column));
	statement->rewrites = column.generated == GENERATED_STORED ||
						  column.identity != IDENTITY_COLUMN_NOT ||
						  draft_rewritten(draft, table);
	draft_add_column(draft, table, &column);
	spread_column(draft, table, &column);
}

/*
 * Returns the round in which a column is added: first those that a table
 * declares although a parent will have them, so that they count as its own;
 * last those that are computed from others.
 */
static int
round_of(const ColumnDefinition *column)
{
	if (column->generated != GENERATED_NOT)
		return 2;
	return column->local && column->inherited > 0 ? 0 : 1;
}

static void
add_columns(Draft *draft, DraftObject *table, int round)
{
	for (int i = 0; i < table->after->table.column_count; i++)
	{
		const ColumnDefinition *column = &table->after->table.columns[i];

		if (round_of(column) == round &&
			definition_column(&table->now->table, column->attnum) == NULL)
			add_column(draft, table, column);
	}
}

static void
add_in_rounds(Draft *draft, int first, int last)
{
	for (int round = first; round <= last; round++)
		for (int i = 0; i < draft->changed_count; i++)
			if (draft_stays(draft->changed[i], DEFINITION_TABLE))
				add_columns(draft, draft->changed[i], round);
}

void
diff_add_own_columns(Draft *draft)
{
	add_in_rounds(draft, 0, 0);
}

void
diff_add_columns(Draft *draft)
{
	add_in_rounds(draft, 1, 2);
}
