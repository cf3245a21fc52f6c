/*
 * composites.c
 *    CREATE TYPE … AS, ALTER TYPE … ATTRIBUTE.
 */
#include "ddl/diff/composites.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/column_types.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"
#include "model/identifier.h"

void
create_composite(Draft *draft, DraftObject *type)
{
	const CompositeDefinition *after = &type->after->composite;
	Buf buf;

	ASSERT(draft_comes(type, DEFINITION_COMPOSITE));
	buf_init(&buf, TEXT_BYTES_MAX);
	for (int i = 0; i < after->column_count; i++)
	{
		buf_append_string(&buf, i > 0 ? ", " : "");
		buf_append_identifier(&buf, after->columns[i].name);
		buf_printf(&buf, " %s", column_type_text(draft, &after->columns[i]));
	}
	draft_say(draft, type, DDL_TYPE, "CREATE TYPE %s AS (%s)",
			  draft_name(draft, type), text_taken(draft->arena, &buf));
	draft_create(draft, type, type->after);
}

static const ColumnDefinition *
find_attribute(const CompositeDefinition *type, uint16_t attnum)
{
	for (int i = 0; i < type->column_count; i++)
		if (type->columns[i].attnum == attnum)
			return &type->columns[i];
	return NULL;
}

/* ---- Tables of the type ---- */

static bool
is_of(const DraftObject *table, const Definition *type)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	const char *rest;

	if (table->kind != DEFINITION_TABLE || table->now == NULL ||
		table->now->table.of_type[0] == '\0')
		return false;
	/* In the new state, of_type has the type's new name. */
	rest = identifier_read(table->now->table.of_type, schema);
	return rest != NULL && *rest == '.' &&
		   identifier_read(rest + 1, name) != NULL &&
		   strcmp(schema, type->schema) == 0 && strcmp(name, type->name) == 0;
}

typedef void (*TableStep)(Draft *draft, DraftObject *table, const char *name,
						  const ColumnDefinition *after);

/*
 * Calls `step` for each typed table of the type, and for tables that inherit
 * from it.
 */
static void
each_table(Draft *draft, const DraftObject *type, const char *name,
		   const ColumnDefinition *after, TableStep step)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftFamily family;

		if (!is_of(draft->changed[i], type->now))
			continue;
		family = draft_family(draft, draft->changed[i]);
		for (int k = 0; k < family.count; k++)
			step(draft, family.tables[k], name, after);
	}
}

static void
forget_column(Draft *draft, DraftObject *table, const char *name,
			  const ColumnDefinition *after UNUSED)
{
	draft_remove_column(draft, table, name);
}

static void
rename_column(Draft *draft, DraftObject *table, const char *name,
			  const ColumnDefinition *after)
{
	ColumnDefinition *column = draft_edit_column(draft, table, name);

	if (column != NULL)
		column->name = after->name;
}

static void
change_column(Draft *draft, DraftObject *table, const char *name,
			  const ColumnDefinition *after)
{
	ColumnDefinition *column = draft_edit_column(draft, table, name);

	if (column == NULL)
		return;
	column->type_oid = after->type_oid;
	column->typmod = after->typmod;
	column->type = after->type;
	column->collation = after->collation;
}

static void
get_column(Draft *draft, DraftObject *table, const char *name,
		   const ColumnDefinition *after)
{
	const ColumnDefinition *own = NULL;
	ColumnDefinition column = *after;

	if (table->after != NULL)
		own = column_named(table->after, name);
	if (own == NULL || column_named(table->now, name) != NULL)
		return;
	column.attnum = own->attnum;
	column.local = own->local;
	column.inherited = own->inherited;
	column.statistics = -1;
	draft_add_column(draft, table, &column);
}

/* ---- Altering ---- */

void
diff_drop_attributes(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *type = draft->changed[i];
		CompositeDefinition *own;
		int kept = 0;

		if (!draft_stays(type, DEFINITION_COMPOSITE))
			continue;
		own = &draft_edit(draft, type)->composite;
		for (int k = 0; k < own->column_count; k++)
		{
			const char *name = own->columns[k].name;

			if (find_attribute(&type->after->composite,
							   own->columns[k].attnum) != NULL)
			{
				own->columns[kept++] = own->columns[k];
				continue;
			}
			draft_say(draft, type, DDL_TYPE,
					  "ALTER TYPE %s DROP ATTRIBUTE IF EXISTS %s CASCADE",
					  draft_name(draft, type), text_quoted(draft->arena, name))
				->loses_rows = true;
			each_table(draft, type, name, NULL, forget_column);
		}
		own->column_count = kept;
	}
}

static void
rename_attribute(Draft *draft, DraftObject *type, ColumnDefinition *attribute,
				 const char *name)
{
	ColumnDefinition after = *attribute;

	after.name = name;
	draft_say(draft, type, DDL_RENAME,
			  "ALTER TYPE %s RENAME ATTRIBUTE %s TO %s CASCADE",
			  draft_name(draft, type),
			  text_quoted(draft->arena, attribute->name),
			  text_quoted(draft->arena, name));
	each_table(draft, type, attribute->name, &after, rename_column);
	attribute->name = name;
}

static void
rename_attributes(Draft *draft, DraftObject *type)
{
	CompositeDefinition *own = &draft_edit(draft, type)->composite;

	for (int i = 0; i < own->column_count; i++)
	{
		const ColumnDefinition *after = find_attribute(&type->after->composite,
													   own->columns[i].attnum);

		if (after == NULL || strcmp(own->columns[i].name, after->name) == 0)
			continue;
		for (int k = 0; k < own->column_count; k++)
			if (strcmp(own->columns[k].name, after->name) == 0)
				rename_attribute(draft, type, &own->columns[k],
								 draft_spare_name(draft));
		rename_attribute(draft, type, &own->columns[i], after->name);
	}
}

static void
change_attributes(Draft *draft, const DraftObject *type)
{
	const CompositeDefinition *after = &type->after->composite;

	for (int i = 0; i < after->column_count; i++)
	{
		const ColumnDefinition *attribute = &after->columns[i];
		const ColumnDefinition *now = find_attribute(&type->now->composite,
													 attribute->attnum);
		const char *text = arena_printf(
			draft->arena, "%s %s", text_quoted(draft->arena, attribute->name),
			now == NULL ? column_type_text(draft, attribute)
						: arena_printf(draft->arena, "TYPE %s",
									   column_type_text(draft, attribute)));

		if (now != NULL && column_types_equal(now, attribute))
			continue;
		draft_say(draft, type, DDL_TYPE,
				  "ALTER TYPE %s %s ATTRIBUTE %s CASCADE",
				  draft_name(draft, type), now == NULL ? "ADD" : "ALTER", text);
		each_table(draft, type, attribute->name, attribute,
				   now == NULL ? get_column : change_column);
	}
}

void
alter_composite(Draft *draft, DraftObject *type)
{
	ASSERT(draft_stays(type, DEFINITION_COMPOSITE));
	rename_attributes(draft, type);
	change_attributes(draft, type);
}
