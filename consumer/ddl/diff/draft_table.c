/*
 * draft_table.c
 *    Edits definitions of tables in a draft.
 */
#include "ddl/diff/draft_table.h"

#include <string.h>

#include "ddl/diff/text.h"

static void
make_room(Draft *draft, DraftFamily *family)
{
	int capacity = family->capacity > 0 ? 2 * family->capacity : 8;
	DraftObject **larger = arena_calloc(draft->arena, (size_t) capacity,
										sizeof(DraftObject *));

	for (int i = 0; i < family->count; i++)
		larger[i] = family->tables[i];
	family->tables = larger;
	family->capacity = capacity;
}

/* A table that inherits on several ways is appended once. */
static void
append_family(Draft *draft, DraftFamily *family, DraftObject *table)
{
	if (table->visited)
		return;
	table->visited = true;
	if (family->count == family->capacity)
		make_room(draft, family);
	family->tables[family->count++] = table;
	for (int i = 0; i < table->child_count; i++)
		append_family(draft, family, table->children[i]);
}

DraftFamily
draft_family(Draft *draft, DraftObject *table)
{
	DraftFamily family = {.count = 0};

	ASSERT(table->kind == DEFINITION_TABLE && table->now != NULL);
	ASSERT(!table->visited);
	append_family(draft, &family, table);
	for (int i = 0; i < family.count; i++)
		family.tables[i]->visited = false;
	return family;
}

const ColumnDefinition *
column_named(const Definition *table, const char *name)
{
	for (int i = 0; i < table->table.column_count; i++)
		if (strcmp(table->table.columns[i].name, name) == 0)
			return &table->table.columns[i];
	return NULL;
}

ColumnDefinition *
draft_edit_column(Draft *draft, DraftObject *table, const char *name)
{
	TableDefinition *own = &draft_edit(draft, table)->table;

	for (int i = 0; i < own->column_count; i++)
		if (strcmp(own->columns[i].name, name) == 0)
			return &own->columns[i];
	return NULL;
}

void
draft_add_column(Draft *draft, DraftObject *table,
				 const ColumnDefinition *column)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	ColumnDefinition *more = arena_calloc(
		draft->arena, (size_t) own->column_count + 1, sizeof(more[0]));
	int at = 0;

	for (; at < own->column_count && own->columns[at].attnum < column->attnum;
		 at++)
		more[at] = own->columns[at];
	more[at] = *column;
	for (int i = at; i < own->column_count; i++)
		more[i + 1] = own->columns[i];
	own->columns = more;
	own->column_count++;
}

void
draft_remove_column(Draft *draft, DraftObject *table, const char *name)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	int kept = 0;

	for (int i = 0; i < own->column_count; i++)
		if (strcmp(own->columns[i].name, name) != 0)
			own->columns[kept++] = own->columns[i];
	own->column_count = kept;
}

const ConstraintDefinition *
constraint_of(const Definition *table, uint32_t oid)
{
	for (int i = 0; i < table->table.constraint_count; i++)
		if (table->table.constraints[i].oid == oid)
			return &table->table.constraints[i];
	return NULL;
}

const ConstraintDefinition *
constraint_named(const Definition *table, const char *name)
{
	for (int i = 0; i < table->table.constraint_count; i++)
		if (strcmp(table->table.constraints[i].name, name) == 0)
			return &table->table.constraints[i];
	return NULL;
}

ConstraintDefinition *
draft_edit_constraint(Draft *draft, DraftObject *table, uint32_t oid)
{
	TableDefinition *own = &draft_edit(draft, table)->table;

	for (int i = 0; i < own->constraint_count; i++)
		if (own->constraints[i].oid == oid)
			return &own->constraints[i];
	return NULL;
}

void
draft_add_constraint(Draft *draft, DraftObject *table,
					 const ConstraintDefinition *constraint)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	ConstraintDefinition *more = arena_calloc(
		draft->arena, (size_t) own->constraint_count + 1, sizeof(more[0]));

	for (int i = 0; i < own->constraint_count; i++)
		more[i] = own->constraints[i];
	more[own->constraint_count++] = *constraint;
	own->constraints = more;
}

/* Whether the constraint is not inherited by children. */
static bool
is_not_inherited(const ConstraintDefinition *constraint)
{
	return constraint->kind != CONSTRAINT_CHECK ||
		   text_find_word(constraint->definition, "NO INHERIT") != NULL;
}

void
draft_inherit_check(Draft *draft, DraftObject *table,
					const ConstraintDefinition *constraint)
{
	const ConstraintDefinition *known;
	const ConstraintDefinition *after = NULL;
	ConstraintDefinition copy = *constraint;

	if (is_not_inherited(constraint))
		return;
	known = constraint_named(table->now, constraint->name);
	if (known != NULL)
	{
		draft_edit_constraint(draft, table, known->oid)->inherited++;
		return;
	}
	if (table->after != NULL)
		after = constraint_named(table->after, constraint->name);
	copy.oid = after != NULL ? after->oid : 0;
	copy.local = false;
	copy.inherited = 1;
	draft_add_constraint(draft, table, &copy);
}

void
draft_remove_constraint(Draft *draft, DraftObject *table, uint32_t oid)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	int kept = 0;

	for (int i = 0; i < own->constraint_count; i++)
		if (own->constraints[i].oid != oid)
			own->constraints[kept++] = own->constraints[i];
	own->constraint_count = kept;
}

const IndexDefinition *
index_of(const Definition *table, uint32_t oid)
{
	for (int i = 0; i < table->table.index_count; i++)
		if (table->table.indexes[i].oid == oid)
			return &table->table.indexes[i];
	return NULL;
}

IndexDefinition *
draft_edit_index(Draft *draft, DraftObject *table, uint32_t oid)
{
	TableDefinition *own = &draft_edit(draft, table)->table;

	for (int i = 0; i < own->index_count; i++)
		if (own->indexes[i].oid == oid)
			return &own->indexes[i];
	return NULL;
}

void
draft_add_index(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	IndexDefinition *more = arena_calloc(
		draft->arena, (size_t) own->index_count + 1, sizeof(more[0]));

	for (int i = 0; i < own->index_count; i++)
		more[i] = own->indexes[i];
	more[own->index_count++] = *index;
	own->indexes = more;
}

void
draft_remove_index(Draft *draft, DraftObject *table, uint32_t oid)
{
	TableDefinition *own = &draft_edit(draft, table)->table;
	int kept = 0;

	for (int i = 0; i < own->index_count; i++)
		if (own->indexes[i].oid != oid)
			own->indexes[kept++] = own->indexes[i];
	own->index_count = kept;
}

bool
draft_refers_to(const DraftObject *table, const DraftObject *other)
{
	for (int i = 0; i < table->now->table.constraint_count; i++)
		if (table->now->table.constraints[i].kind == CONSTRAINT_FOREIGN_KEY &&
			table->now->table.constraints[i].referenced_table == other->oid)
			return true;
	return false;
}
