/*
 * definitions.c
 *    Fills definitions with the table of their fields.
 */
#include "support/definitions.h"

#include <string.h>

const DefinitionKind definition_kinds[6] = {
	DEFINITION_NAMESPACE, DEFINITION_TABLE,  DEFINITION_SEQUENCE,
	DEFINITION_ENUM,      DEFINITION_DOMAIN, DEFINITION_COMPOSITE,
};

static void
put(void *record, size_t offset, const void *value, size_t size)
{
	memcpy((char *) record + offset, value, size);
}

static void fill(const DefinitionShape *shape, void *record, Arena *arena);

static void
fill_members(const DefinitionField *field, void *record, Arena *arena)
{
	char *members = arena_calloc(arena, 2, field->member->size);

	definition_set_members(field, record, members, 2);
	fill(field->member, members, arena);
	fill(field->member, members + field->member->size, arena);
}

static void
fill_field(const DefinitionField *field, void *record, Arena *arena)
{
	const char *text = arena_printf(arena, "of %s", field->name);
	const char *both[] = {text, "another"};
	uint32_t oids[] = {16384, 16385};
	StringList strings = {2, arena_dup(arena, both, sizeof(both))};
	OidList list = {2, arena_dup(arena, oids, sizeof(oids))};
	bool yes = true;
	uint16_t small = 7;
	int32_t number = 70000;
	int64_t large = INT64_C(7) << 40;
	int word = 1;

	switch (field->type)
	{
		case FIELD_TEXT:
		case FIELD_TEXT_OR_NULL:
			return put(record, field->offset, &text, sizeof(text));
		case FIELD_BOOL:
			return put(record, field->offset, &yes, sizeof(yes));
		case FIELD_UINT16:
			return put(record, field->offset, &small, sizeof(small));
		case FIELD_UINT32:
		case FIELD_INT32:
			return put(record, field->offset, &number, sizeof(number));
		case FIELD_INT64:
			return put(record, field->offset, &large, sizeof(large));
		case FIELD_WORD:
			return put(record, field->offset, &word, sizeof(word));
		case FIELD_STRINGS:
			return put(record, field->offset, &strings, sizeof(strings));
		case FIELD_OIDS:
			return put(record, field->offset, &list, sizeof(list));
		case FIELD_MEMBERS:
			return fill_members(field, record, arena);
	}
}

static void
fill(const DefinitionShape *shape, void *record, Arena *arena)
{
	for (int i = 0; i < shape->field_count; i++)
		fill_field(&shape->fields[i], record, arena);
}

static ColumnDefinition
possible_column(ColumnDefinition column, int index)
{
	column.attnum = (uint16_t) (index + 3);
	column.storage = "e";
	column.compression = "l";
	column.statistics = 10000;
	return column;
}

/* Some fields cannot have just any value. */
static void
make_possible(Definition *definition)
{
	definition->schema = definition->kind == DEFINITION_NAMESPACE ? "" : "of a";
	if (definition->kind == DEFINITION_TABLE)
	{
		TableDefinition *table = &definition->table;

		table->parents.count = 1;
		for (int i = 0; i < table->column_count; i++)
			table->columns[i] = possible_column(table->columns[i], i);
	}
	if (definition->kind == DEFINITION_COMPOSITE)
		for (int i = 0; i < definition->composite.column_count; i++)
			definition->composite.columns[i] = possible_column(
				definition->composite.columns[i], i);
	if (definition->kind == DEFINITION_SEQUENCE)
	{
		definition->sequence.type = "bigint";
		definition->sequence.owner_attnum = 7;
	}
}

Definition *
definition_filled(DefinitionKind kind, Arena *arena)
{
	Definition *definition = arena_calloc(arena, 1, sizeof(Definition));

	definition->kind = kind;
	fill(definition_shape(kind), definition, arena);
	make_possible(definition);
	return definition;
}

const DefinitionShape *
definition_member_shape(const Definition *definition, const char *array)
{
	const DefinitionShape *shape = definition_shape(definition->kind);

	for (int i = 0; i < shape->field_count; i++)
		if (strcmp(shape->fields[i].name, array) == 0)
			return shape->fields[i].member;
	return NULL;
}
