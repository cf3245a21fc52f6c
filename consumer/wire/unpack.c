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

bool
unpack_replica_identity(Penstock__ReplicaIdentity wire,
						ReplicaIdentity *identity)
{
	switch (wire)
	{
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_DEFAULT:
			*identity = IDENTITY_DEFAULT;
			return true;
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_NOTHING:
			*identity = IDENTITY_NOTHING;
			return true;
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_FULL:
			*identity = IDENTITY_FULL;
			return true;
		case PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_INDEX:
			*identity = IDENTITY_INDEX;
			return true;
		default:
			return false;
	}
}
