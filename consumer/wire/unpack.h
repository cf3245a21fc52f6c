/*
 * unpack.h
 *    Functions that all files which decode frames use.
 */
#ifndef PENSTOCK_WIRE_UNPACK_H
#define PENSTOCK_WIRE_UNPACK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/relation.h"
#include "penstock.pb-c.h"

/* Fills `err` with ERR_PROTOCOL for an invalid frame; returns RC_FAIL. */
MUST_CHECK Rc invalid(Error *err, const char *what);

/*
 * Returns an allocator with which protobuf-c allocates in an arena.  Its free
 * function does nothing: the memory is freed with the arena.
 */
ProtobufCAllocator arena_allocator(Arena *arena);

/* Converts a replica identity.  Returns false if its value is unknown. */
bool unpack_replica_identity(Penstock__ReplicaIdentity wire,
							 ReplicaIdentity *identity);

#endif /* PENSTOCK_WIRE_UNPACK_H */
