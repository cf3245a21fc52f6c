/*
 * adopt.c
 *    Finds the sequence of a column by its name.
 */
#include "ddl/adopt.h"

#include <string.h>

/*
 * Largest length of a name that the server makes of the names of a table and a
 * column; it truncates the longer one (makeObjectName() in the server).
 */
#define NAME_BYTES_MAX 63

static bool
has_sequence(const DefinitionSet *set, uint32_t table, uint16_t attnum)
{
	for (size_t i = 0; i < definition_set_count(set); i++)
	{
		const Definition *definition = definition_set_at(set, i);

		if (definition->kind == DEFINITION_SEQUENCE &&
			definition->sequence.owner_table == table &&
			definition->sequence.owner_attnum == attnum)
			return true;
	}
	return false;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Whether a name is TABLE_COLUMN_seq, possibly with a number after it.  The
 * server may have truncated table and column; the name shows to how many bytes.
 */
static bool
is_named_after(const char *name, const char *table, const char *column)
{
	size_t table_bytes = strlen(table);
	size_t column_bytes = strlen(column);
	size_t same = 0;

	if (strlen(table) + strlen(column) + strlen("__seq") <= NAME_BYTES_MAX)
		return strncmp(name, table, table_bytes) == 0 &&
			   name[table_bytes] == '_' &&
			   strncmp(name + table_bytes + 1, column, column_bytes) == 0 &&
			   strncmp(name + table_bytes + 1 + column_bytes, "_seq", 4) == 0;
	while (same < table_bytes && name[same] == table[same])
		same++;
	return same >= least(table_bytes, NAME_BYTES_MAX / 4) && name[same] == '_';
}

static const Definition *
find_sequence(const DefinitionSet *before, const DefinitionSet *after,
			  const Definition *table, const char *column)
{
	for (size_t i = 0; i < definition_set_count(after); i++)
	{
		const Definition *definition = definition_set_at(after, i);

		if (definition->kind == DEFINITION_SEQUENCE &&
			definition->sequence.owner_table == 0 &&
			strcmp(definition->schema, table->schema) == 0 &&
			definition_set_find(before, DEFINITION_IN_CLASS, definition->oid) ==
				NULL &&
			is_named_after(definition->name, table->name, column))
			return definition;
	}
	return NULL;
}

static void
adopt(const DefinitionSet *before, DefinitionSet *after,
	  const Definition *table, const ColumnDefinition *column)
{
	const Definition *sequence;
	Definition owned;

	if (column->identity == IDENTITY_COLUMN_NOT ||
		has_sequence(after, table->oid, column->attnum))
		return;
	sequence = find_sequence(before, after, table, column->name);
	if (sequence == NULL)
		return;
	owned = *sequence;
	owned.sequence.owner_table = table->oid;
	owned.sequence.owner_attnum = column->attnum;
	owned.sequence.identity = true;
	definition_set_put(after, &owned);
}

void
ddl_adopt_sequences(const DefinitionSet *before, DefinitionSet *after,
					uint32_t table)
{
	const Definition *definition = definition_set_find(
		after, DEFINITION_IN_CLASS, table);

	if (definition == NULL || definition->kind != DEFINITION_TABLE)
		return;
	for (int i = 0; i < definition->table.column_count; i++)
		adopt(before, after, definition, &definition->table.columns[i]);
}
