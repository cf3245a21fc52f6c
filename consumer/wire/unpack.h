/*
 * unpack.h
 *    What everything that takes frames apart has in common.
 */
#ifndef PENSTOCK_WIRE_UNPACK_H
#define PENSTOCK_WIRE_UNPACK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/relation.h"
#include "penstock.pb-c.h"

/* Says that a frame is not one: ERR_PROTOCOL, and RC_FAIL. */
MUST_CHECK Rc invalid(Error *err, const char *what);

/* Lets protobuf-c take memory from an arena; what it frees goes with that. */
ProtobufCAllocator arena_allocator(Arena *arena);

/* What identifies a row of a table; false if it is none of the known values. */
bool unpack_replica_identity(Penstock__ReplicaIdentity wire,
							 ReplicaIdentity *identity);

#endif /* PENSTOCK_WIRE_UNPACK_H */
