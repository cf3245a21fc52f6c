/*
 * stride.c
 *    Divides the target's increments by the stride.
 */
#include "ddl/stride.h"

#include "base/arena.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * Whether the target's increment has the stride; a sequence that cycles never
 * has.
 */
static bool
has_stride(const SequenceDefinition *target, const SequenceDefinition *source,
		   int stride)
{
	int64_t increment;

	return !source->cycle &&
		   !__builtin_mul_overflow(source->increment, (int64_t) stride,
								   &increment) &&
		   target->increment == increment;
}

void
ddl_undo_stride(DefinitionSet *target, const DefinitionSet *source, int stride)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);

	for (size_t i = 0; stride > 0 && i < definition_set_count(source); i++)
	{
		const Definition *like = definition_set_at(source, i);
		const Definition *found = definition_set_find(
			target, definition_catalog(like->kind), like->oid);
		Definition *own;

		if (like->kind != DEFINITION_SEQUENCE || found == NULL ||
			found->kind != DEFINITION_SEQUENCE ||
			!has_stride(&found->sequence, &like->sequence, stride))
			continue;
		own = definition_copy(found, arena);
		own->sequence.increment = like->sequence.increment;
		definition_set_put(target, own);
		arena_reset(arena);
	}
	arena_free(arena);
}
