/*
 * column_names.c
 *    ALTER TABLE … RENAME COLUMN, ALTER TYPE … RENAME ATTRIBUTE.
 *
 * An inherited column is renamed in the parent, together with the children's.
 * A column of a typed table is renamed with the attribute of the type.
 */
#include "ddl/diff/column_names.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

static void
rename_column(Draft *draft, DraftObject *table, const char *from,
			  const char *to)
{
	DraftFamily family = draft_family(draft, table);

	draft_alter(draft, table, DDL_RENAME, "RENAME COLUMN %s TO %s",
				text_quoted(draft->arena, from), text_quoted(draft->arena, to));
	for (int i = 0; i < family.count; i++)
	{
		const ColumnDefinition *column = column_named(family.tables[i]->now,
													  from);

		if (column != NULL && (i == 0 || column->inherited > 0))
			draft_edit_column(draft, family.tables[i], from)->name = to;
	}
}

/* Gives the column that has the name a spare name; it gets its own later. */
static void
free_column_name(Draft *draft, DraftObject *table, const char *name)
{
	DraftFamily family = draft_family(draft, table);

	for (int i = 0; i < family.count; i++)
		if (column_named(family.tables[i]->now, name) != NULL)
			rename_column(draft, family.tables[i], name,
						  draft_spare_name(draft));
}

static void
rename_columns(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		const ColumnDefinition *now = &table->now->table.columns[i];
		const ColumnDefinition *after = definition_column(&table->after->table,
														  now->attnum);

		if (after == NULL || now->inherited > 0 ||
			strcmp(now->name, after->name) == 0)
			continue;
		free_column_name(draft, table, after->name);
		rename_column(draft, table, table->now->table.columns[i].name,
					  after->name);
	}
}

void
diff_column_names(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE) &&
			draft->changed[i]->now->table.of_type[0] == '\0')
			rename_columns(draft, draft->changed[i]);
}
