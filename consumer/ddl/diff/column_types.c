/*
 * column_types.c
 *    ALTER TABLE … ALTER COLUMN … TYPE.
 *
 * The expression with which the source computed new values is not known.  If
 * the new values are not the old ones in another form, the source has rewritten
 * the table, and sends its rows again.  So the statements here need to convert
 * values only where the form changes, and otherwise only to be accepted by the
 * server.  If nothing else is known about two types, the text of a value is
 * converted.
 */
#include "ddl/diff/column_types.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/*
 * Types that are converted to each other on assignment (catalog/pg_type.dat).
 */
typedef enum TypeFamily
{
	FAMILY_NONE,
	FAMILY_TEXT,
	FAMILY_NUMBER,
} TypeFamily;

enum
{
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_NUMERIC = 1700,
};

static TypeFamily
family_of(uint32_t type)
{
	switch (type)
	{
		case TYPE_TEXT:
		case TYPE_VARCHAR:
		case TYPE_BPCHAR:
			return FAMILY_TEXT;
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
		case TYPE_FLOAT4:
		case TYPE_FLOAT8:
		case TYPE_NUMERIC:
			return FAMILY_NUMBER;
		default:
			return FAMILY_NONE;
	}
}

static bool
is_timestamp(uint32_t type)
{
	return type == TYPE_TIMESTAMP || type == TYPE_TIMESTAMPTZ;
}

bool
column_types_equal(const ColumnDefinition *a, const ColumnDefinition *b)
{
	return a->type_oid == b->type_oid && a->typmod == b->typmod &&
		   strcmp(a->collation, b->collation) == 0;
}

/* Returns the USING clause, or "" if the conversion on assignment is enough. */
static const char *using(Draft *draft, const ColumnDefinition *from,
						 const ColumnDefinition *to)
{
	const char *name = text_quoted(draft->arena, to->name);

	if (to->generated != GENERATED_NOT || from->type_oid == to->type_oid ||
		(family_of(from->type_oid) != FAMILY_NONE &&
		 family_of(from->type_oid) == family_of(to->type_oid)))
		return "";
	if (is_timestamp(from->type_oid) && is_timestamp(to->type_oid))
		return arena_printf(draft->arena, " USING %s AT TIME ZONE 'UTC'", name);
	if (family_of(to->type_oid) == FAMILY_TEXT)
		return arena_printf(draft->arena, " USING %s::text", name);
	return arena_printf(draft->arena, " USING %s::text::%s", name, to->type);
}

/* Whether the server does not rewrite the table. */
static bool
leaves_rows(const ColumnDefinition *from, const ColumnDefinition *to)
{
	return from->type_oid != TYPE_BPCHAR && to->type_oid != TYPE_BPCHAR &&
		   family_of(from->type_oid) == FAMILY_TEXT &&
		   family_of(to->type_oid) == FAMILY_TEXT &&
		   (to->typmod < 0 ||
			(from->typmod >= 0 && from->typmod <= to->typmod));
}

/*
 * Drops defaults before a change of type, because they may not be convertible;
 * they are set again later.
 */
static void
drop_defaults(Draft *draft, const DraftFamily *family, const char *name)
{
	for (int i = 0; i < family->count; i++)
	{
		DraftObject *table = family->tables[i];
		const ColumnDefinition *column = column_named(table->now, name);

		if (column == NULL || column->generated != GENERATED_NOT ||
			column->default_expression[0] == '\0')
			continue;
		draft_alter_only(draft, table, DDL_ALTER,
						 "ALTER COLUMN %s DROP DEFAULT",
						 text_quoted(draft->arena, name));
		draft_edit_column(draft, table, name)->default_expression = "";
	}
}

static void
change_type(Draft *draft, DraftObject *table, const ColumnDefinition *from,
			const ColumnDefinition *to)
{
	DraftFamily family = draft_family(draft, table);
	const char *name = to->name;
	DdlStatement *statement;

	if (from->type_oid != to->type_oid)
		drop_defaults(draft, &family, name);
	statement = draft_alter(
		draft, table, DDL_ALTER, "ALTER COLUMN %s TYPE %s%s",
		text_quoted(draft->arena, name), column_type_text(draft, to),
		using(draft, from, to));
	statement->rewrites = !leaves_rows(from, to);
	for (int i = 0; i < family.count; i++)
	{
		ColumnDefinition *column = draft_edit_column(draft, family.tables[i],
													 name);

		if (column == NULL || (i > 0 && column->inherited == 0))
			continue;
		column->type_oid = to->type_oid;
		column->typmod = to->typmod;
		column->type = to->type;
		column->collation = to->collation;
		column->storage = "";
		column->compression = "";
	}
}

static void
change_types(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		ColumnDefinition from = table->now->table.columns[i];
		const ColumnDefinition *to = definition_column(&table->after->table,
													   from.attnum);

		if (to != NULL && !column_types_equal(&from, to))
			change_type(draft, table, &from, to);
	}
}

/* ---- Tables whose rows come anew ---- */

/*
 * Whether another table has a foreign key to the table, or to a partitioned
 * table above it.
 */
static bool
is_referred_to(const Draft *draft, const DraftObject *table)
{
	const OidList *parents = &table->now->table.parents;

	for (int i = 0; i < draft->count; i++)
	{
		const DraftObject *other = &draft->objects[i];

		if (other != table && other->kind == DEFINITION_TABLE &&
			other->now != NULL && draft_refers_to(other, table))
			return true;
	}
	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent != NULL && parent->now != NULL &&
			is_referred_to(draft, parent))
			return true;
	}
	return false;
}

/*
 * Whether the table has to be emptied before other statements: if a column was
 * added, if a column's type is changed in a way that the server may not
 * support, or if the target has already refused the statements.  A table to
 * which foreign keys refer is not emptied for a change of type, because the
 * server would check the keys again and not find the rows.
 */
static bool
wants_no_rows(const Draft *draft, const DraftObject *table)
{
	bool comes = false;
	bool changes = false;
	bool is_computed = false;

	for (int i = 0; i < table->after->table.column_count; i++)
	{
		const ColumnDefinition *after = &table->after->table.columns[i];
		const ColumnDefinition *now = definition_column(&table->now->table,
														after->attnum);

		comes = comes || now == NULL;
		if (now == NULL || column_types_equal(now, after))
			continue;
		changes = true;
		is_computed = is_computed || !leaves_rows(now, after);
	}
	return (comes || is_computed || draft->hints->was_refused) &&
		   (!changes || !is_referred_to(draft, table));
}

static void
empty(Draft *draft, DraftObject *table)
{
	DdlStatement *statement;

	if (table->now->table.partitioned ||
		!(draft_has_oid(&draft->hints->without_rows, table->oid) ||
		  (draft_rewritten(draft, table) && wants_no_rows(draft, table))))
		return;
	statement = draft_say(draft, table, DDL_ALTER, "DELETE FROM ONLY %s",
						  draft_name(draft, table));
	statement->loses_rows = true;
	statement->empties = true;
}

void
diff_column_types(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			empty(draft, draft->changed[i]);
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE) &&
			draft->changed[i]->now->table.of_type[0] == '\0')
			change_types(draft, draft->changed[i]);
}
