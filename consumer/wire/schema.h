/*
 * schema.h
 *    Reads SchemaChange records, with protobuf-c because they are rare and
 *    small.
 */
#ifndef PENSTOCK_WIRE_SCHEMA_H
#define PENSTOCK_WIRE_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "model/definition.h"
#include "wire/reader.h"

/* Largest size of a SchemaChange in bytes; code that composes statements of
 * definitions relies on it. */
#define SCHEMA_CHANGE_BYTES_MAX (64 * MB)

/*
 * Reads a SchemaChange from its bytes; the result is allocated in the arena.
 * Fails with ERR_PROTOCOL if the content cannot be the definition of an object,
 * and with ERR_LIMIT if it is too long.
 */
MUST_CHECK Rc schema_change_decode(Span body, Arena *arena,
								   const SchemaChange **change, Error *err);

#endif /* PENSTOCK_WIRE_SCHEMA_H */
