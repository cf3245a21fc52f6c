/*
 * draft_sequence.c
 *    Finds sequences by their owners and names.
 */
#include "ddl/diff/draft_sequence.h"

#include <string.h>

#include "model/identifier.h"

DraftObject *
draft_identity_sequence(const Draft *draft, uint32_t table, uint16_t attnum,
						bool after)
{
	for (int i = 0; i < draft->count; i++)
	{
		DraftObject *object = &draft->objects[i];
		const Definition *definition = after ? object->after : object->now;

		if (definition != NULL && definition->kind == DEFINITION_SEQUENCE &&
			definition->sequence.identity &&
			definition->sequence.owner_table == table &&
			definition->sequence.owner_attnum == attnum)
			return object;
	}
	return NULL;
}

/* Parses the name in nextval('schema.name'::regclass). */
static bool
read_sequence(const char *expression, char *schema, char *name)
{
	static const char call[] = "nextval('";
	const char *at = strstr(expression, call);

	if (at == NULL)
		return false;
	at = identifier_read(at + strlen(call), schema);
	return at != NULL && *at == '.' && identifier_read(at + 1, name) != NULL;
}

DraftObject *
draft_sequence_used(const Draft *draft, const char *expression)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];

	if (!read_sequence(expression, schema, name))
		return NULL;
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (object->kind == DEFINITION_SEQUENCE && object->now != NULL &&
			strcmp(object->now->schema, schema) == 0 &&
			strcmp(object->now->name, name) == 0)
			return object;
	}
	return NULL;
}

bool
draft_may_use_dropped(const Draft *draft, const char *expression)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];

	if (!read_sequence(expression, schema, name) ||
		draft_sequence_used(draft, expression) != NULL)
		return false;
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_goes(draft->changed[i], DEFINITION_SEQUENCE))
			return true;
	return false;
}

bool
draft_sequence_is_to_come(const Draft *draft, const char *expression)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];

	if (!read_sequence(expression, schema, name))
		return false;
	for (int i = 0; i < draft->changed_count; i++)
	{
		const DraftObject *object = draft->changed[i];

		if (draft_comes(object, DEFINITION_SEQUENCE) &&
			strcmp(object->after->schema, schema) == 0 &&
			strcmp(object->after->name, name) == 0)
			return true;
	}
	return false;
}

void
draft_drop_owned(Draft *draft, uint32_t table, uint16_t attnum)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (object->kind == DEFINITION_SEQUENCE && object->now != NULL &&
			object->now->sequence.owner_table == table &&
			object->now->sequence.owner_attnum == attnum)
			draft_drop(draft, object);
	}
}
