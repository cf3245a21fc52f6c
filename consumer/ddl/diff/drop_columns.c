/*
 * drop_columns.c
 *    ALTER TABLE … DROP EXPRESSION, DROP IDENTITY, DROP DEFAULT, DROP COLUMN.
 */
#include "ddl/diff/drop_columns.h"

#include <string.h>

#include "ddl/diff/draft_sequence.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

static const ColumnDefinition *
column_after(const DraftObject *table, const ColumnDefinition *column)
{
	return definition_column(&table->after->table, column->attnum);
}

/* ---- Expressions ---- */

static void
drop_expression(Draft *draft, DraftObject *table, const char *name)
{
	DraftFamily family = draft_family(draft, table);

	draft_alter(draft, table, DDL_ALTER, "ALTER COLUMN %s DROP EXPRESSION",
				text_quoted(draft->arena, name));
	for (int i = 0; i < family.count; i++)
	{
		ColumnDefinition *column = draft_edit_column(draft, family.tables[i],
													 name);

		if (column == NULL || (i > 0 && column->inherited == 0))
			continue;
		column->generated = GENERATED_NOT;
		column->default_expression = "";
	}
}

static void
drop_expressions(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		const ColumnDefinition *column = &table->now->table.columns[i];
		const ColumnDefinition *after = column_after(table, column);

		if (column->generated != GENERATED_NOT && after != NULL &&
			after->generated == GENERATED_NOT)
			drop_expression(draft, table, column->name);
	}
}

/* ---- Identities ---- */

static void
drop_identity(Draft *draft, DraftObject *table, const ColumnDefinition *column)
{
	const char *name = column->name;
	DraftObject *sequence = draft_identity_sequence(draft, table->oid,
													column->attnum, false);

	draft_alter(draft, table, DDL_ALTER,
				"ALTER COLUMN %s DROP IDENTITY IF EXISTS",
				text_quoted(draft->arena, name));
	draft_edit_column(draft, table, name)->identity = IDENTITY_COLUMN_NOT;
	if (sequence != NULL)
		draft_drop(draft, sequence);
}

static void
drop_identities(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		const ColumnDefinition *column = &table->now->table.columns[i];
		const ColumnDefinition *after = column_after(table, column);

		if (column->identity == IDENTITY_COLUMN_NOT || after == NULL)
			continue;
		if (after->identity == IDENTITY_COLUMN_NOT ||
			draft_identity_sequence(draft, table->oid, column->attnum, false) !=
				draft_identity_sequence(draft, table->oid, column->attnum,
										true))
			drop_identity(draft, table, column);
	}
}

/* ---- Defaults ---- */

/* Whether the default prevents dropping a sequence. */
static bool
keeps_sequence(const Draft *draft, const DraftObject *table,
			   const ColumnDefinition *column)
{
	const DraftObject *sequence;
	const ColumnDefinition *after = table->after != NULL
										? column_after(table, column)
										: NULL;
	bool column_stays = after != NULL;

	if (column->generated != GENERATED_NOT)
		return false;
	sequence = draft_sequence_used(draft, column->default_expression);
	if (sequence == NULL)
		return column_stays &&
			   strcmp(after->default_expression, column->default_expression) !=
				   0 &&
			   draft_may_use_dropped(draft, column->default_expression);
	return sequence != NULL && sequence->after == NULL &&
		   (column_stays || sequence->now->sequence.owner_table != table->oid);
}

static void
drop_defaults(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		const ColumnDefinition *column = &table->now->table.columns[i];

		if (!keeps_sequence(draft, table, column))
			continue;
		draft_alter_only(draft, table, DDL_ALTER,
						 "ALTER COLUMN %s DROP DEFAULT",
						 text_quoted(draft->arena, column->name));
		draft_edit_column(draft, table, column->name)->default_expression = "";
	}
}

/* ---- Columns ---- */

/*
 * Whether a child keeps the column, which dropping it in the table would drop,
 * too.
 */
static bool
children_keep(const DraftObject *table, const char *name)
{
	if (table->now->table.partitioned)
		return false;
	for (int i = 0; i < table->child_count; i++)
	{
		const DraftObject *child = table->children[i];
		const ColumnDefinition *column = column_named(child->now, name);

		if (column != NULL && column->inherited == 1 && !column->local &&
			child->after != NULL && column_after(child, column) != NULL)
			return true;
	}
	return false;
}

/*
 * Updates the draft after a column was dropped: children inherit it from one
 * parent less, and lose it if they do not declare it.
 */
static void
forget_column(Draft *draft, DraftObject *table, const char *name,
			  uint16_t attnum, bool only)
{
	for (int i = 0; i < table->child_count; i++)
	{
		DraftObject *child = table->children[i];
		ColumnDefinition *column = draft_edit_column(draft, child, name);

		if (column == NULL || column->inherited == 0)
			continue;
		column->inherited--;
		column->local = column->local || (only && column->inherited == 0);
		if (column->inherited == 0 && !column->local)
			forget_column(draft, child, name, column->attnum, false);
	}
	draft_drop_owned(draft, table->oid, attnum);
	draft_remove_column(draft, table, name);
}

static void
drop_column(Draft *draft, DraftObject *table, const ColumnDefinition *column)
{
	bool only = children_keep(table, column->name);
	DdlStatement *statement = draft_say(
		draft, table, DDL_DROP, "ALTER TABLE %s%s DROP COLUMN IF EXISTS %s",
		only ? "ONLY " : "", draft_name(draft, table),
		text_quoted(draft->arena, column->name));

	statement->loses_rows = true;
	forget_column(draft, table, column->name, column->attnum, only);
}

/*
 * Drops columns, except those of typed tables, which are dropped with the
 * type's attributes.
 */
static void
drop_columns(Draft *draft, DraftObject *table, bool generated)
{
	if (table->now->table.of_type[0] != '\0')
		return;
	for (int i = table->now->table.column_count - 1; i >= 0; i--)
	{
		const ColumnDefinition *column = &table->now->table.columns[i];

		if ((column->generated != GENERATED_NOT) == generated &&
			column->inherited == 0 && column_after(table, column) == NULL)
			drop_column(draft, table, column);
	}
}

void
diff_drop_columns(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *table = draft->changed[i];

		if (table->kind != DEFINITION_TABLE || table->now == NULL)
			continue;
		drop_defaults(draft, table);
		if (table->after == NULL)
			continue;
		drop_expressions(draft, table);
		drop_identities(draft, table);
	}
	for (int generated = 1; generated >= 0; generated--)
		for (int i = 0; i < draft->changed_count; i++)
			if (draft_stays(draft->changed[i], DEFINITION_TABLE))
				drop_columns(draft, draft->changed[i], generated == 1);
}
