/*
 * json.h
 *    Converts definitions to JSON, which is stored in a table and read by
 *    people, and back.
 *
 * A definition is one object:
 *
 *     {"kind": "table", "oid": 16385, "schema": "public", "name": "item",
 *      "columns": [{"attnum": 1, "name": "id", "type_oid": 23, …}, …], …}
 *
 * `kind` is schema, table, sequence, enum, domain or composite.  The other
 * members have the names of the fields in model/definition.h.  They are left
 * out if they have their usual value (definition_set_usual()): empty, false, 0,
 * or -1 for typmod and statistics.  Enums are words.
 *
 * Input must be exactly a definition.  An unknown member is an error and not
 * ignored, because a command that works with an incomplete definition would
 * undo the part that is missing.
 *
 * Text is assumed to be UTF-8; invalid bytes are replaced (base/json.h).
 */
#ifndef PENSTOCK_DDL_JSON_H
#define PENSTOCK_DDL_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "model/definition.h"

/* Largest size of a definition's text that can be read, in bytes. */
#define DDL_JSON_BYTES_MAX (64 * MB)

/* Appends a definition as the next value. */
void ddl_json_append(Json *json, const Definition *definition);

/*
 * Reads one definition from a text, which need not be terminated by a zero.
 * The definition is allocated in the arena, with copies of its strings.
 * RC_FAIL with ERR_CONFIG; the message has the object, as far as it is known,
 * and the member that is wrong.
 */
MUST_CHECK Rc ddl_json_read(const char *text, size_t length, Arena *arena,
							const Definition **definition, Error *err);

#endif /* PENSTOCK_DDL_JSON_H */
