/*
 * unpack.c
 *    See unpack.h.
 */
#include "wire/unpack.h"

Rc
invalid(Error *err, const char *what)
{
	Rc rc = error_set(err, ERR_PROTOCOL, "invalid frame from source: %s", what);

	error_hint(err, "Check that the plugin on the source and this program are "
					"of versions that go together.");
	return rc;
}

static void *
allocate_in_arena(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void
free_in_arena(void *arena UNUSED, void *pointer UNUSED)
{
}

ProtobufCAllocator
arena_allocator(Arena *arena)
{
	return (ProtobufCAllocator){allocate_in_arena, free_in_arena, arena};
}
