/*
 * unpack.h
 *    What everything that takes frames apart has in common.
 */
#ifndef PENSTOCK_WIRE_UNPACK_H
#define PENSTOCK_WIRE_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/error.h"

/* Says that a frame is not one: ERR_PROTOCOL, and RC_FAIL. */
MUST_CHECK Rc invalid(Error *err, const char *what);

/* Lets protobuf-c take memory from an arena; what it frees goes with that. */
ProtobufCAllocator arena_allocator(Arena *arena);

#endif /* PENSTOCK_WIRE_UNPACK_H */
