/*
 * made_definitions.c
 *    Definitions for tests.
 */
#include "support/made_definitions.h"

#include <string.h>

/* Sets a member that the kind of definition has under this name. */
static void
set_usual(DefinitionKind kind, const char *members, void *member)
{
	const DefinitionShape *shape = definition_shape(kind);

	for (int i = 0; i < shape->field_count; i++)
		if (strcmp(shape->fields[i].name, members) == 0)
			definition_set_usual(shape->fields[i].member, member);
}

static void
make_room(Arena *arena, Definition *definition)
{
	switch (definition->kind)
	{
		case DEFINITION_TABLE:
			definition->table.columns = arena_calloc(arena, MEMBERS_MAX,
													 sizeof(ColumnDefinition));
			definition->table.constraints = arena_calloc(
				arena, MEMBERS_MAX, sizeof(ConstraintDefinition));
			definition->table.indexes = arena_calloc(arena, MEMBERS_MAX,
													 sizeof(IndexDefinition));
			definition->table.parents.oids = arena_calloc(arena, MEMBERS_MAX,
														  sizeof(uint32_t));
			break;
		case DEFINITION_ENUM:
			definition->enumeration.labels = arena_calloc(arena, MEMBERS_MAX,
														  sizeof(EnumLabel));
			break;
		case DEFINITION_DOMAIN:
			definition->domain.constraints = arena_calloc(
				arena, MEMBERS_MAX, sizeof(ConstraintDefinition));
			break;
		case DEFINITION_COMPOSITE:
			definition->composite.columns = arena_calloc(
				arena, MEMBERS_MAX, sizeof(ColumnDefinition));
			break;
		case DEFINITION_NAMESPACE:
		case DEFINITION_SEQUENCE:
			break;
	}
}

Definition *
definition_made(Arena *arena, DefinitionKind kind, uint32_t oid,
				const char *name)
{
	Definition *definition = arena_calloc(arena, 1, sizeof(Definition));

	definition_set_usual(definition_shape(kind), definition);
	definition->kind = kind;
	definition->oid = oid;
	definition->schema = kind == DEFINITION_NAMESPACE ? "" : "public";
	definition->name = name;
	make_room(arena, definition);
	return definition;
}

ColumnDefinition *
column_made(Definition *definition, uint16_t attnum, const char *name,
			uint32_t type_oid, const char *type)
{
	bool of_table = definition->kind == DEFINITION_TABLE;
	ColumnDefinition *column =
		of_table ? &definition->table.columns[definition->table.column_count++]
				 : &definition->composite
						.columns[definition->composite.column_count++];

	set_usual(definition->kind, "columns", column);
	column->attnum = attnum;
	column->name = name;
	column->type_oid = type_oid;
	column->type = type;
	column->local = of_table;
	return column;
}

ConstraintDefinition *
constraint_made(Definition *definition, uint32_t oid, ConstraintKind kind,
				const char *name, const char *text)
{
	ConstraintDefinition *constraint =
		definition->kind == DEFINITION_TABLE
			? &definition->table
				   .constraints[definition->table.constraint_count++]
			: &definition->domain
				   .constraints[definition->domain.constraint_count++];

	set_usual(definition->kind, "constraints", constraint);
	constraint->oid = oid;
	constraint->kind = kind;
	constraint->name = name;
	constraint->definition = text;
	constraint->validated = true;
	constraint->local = true;
	return constraint;
}

IndexDefinition *
index_made(Definition *table, uint32_t oid, const char *name, const char *text)
{
	IndexDefinition *index = &table->table.indexes[table->table.index_count++];

	set_usual(table->kind, "indexes", index);
	index->oid = oid;
	index->schema = table->schema;
	index->name = name;
	index->definition = text;
	index->valid = true;
	return index;
}

void
label_made(Definition *type, uint32_t oid, const char *label)
{
	type->enumeration.labels[type->enumeration.label_count++] = (EnumLabel){
		.oid = oid, .label = label};
}

void
parent_made(Definition *table, uint32_t parent)
{
	table->table.parents.oids[table->table.parents.count++] = parent;
}
