/*
 * schema.h
 *    SchemaChange records, read by protobuf-c: they are rare and small.
 */
#ifndef PENSTOCK_WIRE_SCHEMA_H
#define PENSTOCK_WIRE_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "model/definition.h"
#include "wire/reader.h"

/* Reads one from its bytes; it is allocated in the arena.  What cannot be a
 * definition is refused with ERR_PROTOCOL. */
MUST_CHECK Rc schema_change_decode(Span body, Arena *arena,
								   const SchemaChange **change, Error *err);

#endif /* PENSTOCK_WIRE_SCHEMA_H */
