/*
 * rename_schemas.c
 *    Finds the former and new name of a schema by its OID.
 */
#include "ddl/rename_schemas.h"

#include <string.h>

#define ARENA_BLOCK_BYTES (4 * KB)

/* Returns the new name of the schema that had this name, or NULL. */
static const char *
name_after(const DefinitionSet *before, const DefinitionSet *after,
		   const char *name)
{
	for (size_t i = 0; i < definition_set_count(before); i++)
	{
		const Definition *schema = definition_set_at(before, i);
		const Definition *now;

		if (schema->kind != DEFINITION_NAMESPACE ||
			strcmp(schema->name, name) != 0)
			continue;
		now = definition_set_find(after, DEFINITION_IN_NAMESPACE, schema->oid);
		return now != NULL ? now->name : name;
	}
	return name;
}

static bool
is_any_renamed(const DefinitionSet *before, const DefinitionSet *after)
{
	for (size_t i = 0; i < definition_set_count(before); i++)
	{
		const Definition *schema = definition_set_at(before, i);

		if (schema->kind == DEFINITION_NAMESPACE &&
			strcmp(name_after(before, after, schema->name), schema->name) != 0)
			return true;
	}
	return false;
}

/* Replaces a definition by a copy with the schema's new name. */
static void
rename_member(const DefinitionSet *before, DefinitionSet *after,
			  const Definition *definition)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Definition *renamed = definition_copy(definition, arena);

	renamed->schema = name_after(before, after, definition->schema);
	for (int i = 0;
		 renamed->kind == DEFINITION_TABLE && i < renamed->table.index_count;
		 i++)
		renamed->table.indexes[i].schema = name_after(
			before, after, renamed->table.indexes[i].schema);
	definition_set_put(after, renamed);
	arena_free(arena);
}

void
ddl_rename_schemas(const DefinitionSet *before, DefinitionSet *after)
{
	if (!is_any_renamed(before, after))
		return;
	for (size_t i = 0; i < definition_set_count(before); i++)
	{
		const Definition *was = definition_set_at(before, i);
		const Definition *is = definition_set_find(
			after, definition_catalog(was->kind), was->oid);

		if (was->kind != DEFINITION_NAMESPACE && is != NULL &&
			definition_equal(was, is))
			rename_member(before, after, was);
	}
}
