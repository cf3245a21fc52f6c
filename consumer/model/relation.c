/*
 * relation.c
 *    References to relations.
 */
#include "model/relation.h"

#define RELATION_ARENA_BYTES ((size_t) 1024)

Relation *
relation_new(int column_count)
{
	Arena *arena = arena_new(RELATION_ARENA_BYTES);
	Relation *relation = arena_calloc(arena, 1, sizeof(Relation));

	ASSERT(column_count >= 0 && column_count <= RELATION_COLUMNS_MAX);
	relation->arena = arena;
	relation->references = 1;
	relation->column_count = column_count;
	relation->columns = arena_calloc(arena, (size_t) column_count,
									 sizeof(RelationColumn));
	return relation;
}

Relation *
relation_ref(Relation *relation)
{
	relation->references++;
	return relation;
}

void
relation_unref(Relation *relation)
{
	if (relation == NULL)
		return;
	ASSERT(relation->references > 0);
	if (--relation->references == 0)
		arena_free(relation->arena);
}

void
relation_append_name(const Relation *relation, Buf *buf)
{
	buf_append_identifier(buf, relation->schema);
	buf_append_char(buf, '.');
	buf_append_identifier(buf, relation->name);
}
