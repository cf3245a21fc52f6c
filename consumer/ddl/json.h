/*
 * json.h
 *    Definitions as JSON, to be kept in a table and read by people.
 *
 * A definition is one object:
 *
 *     {"kind": "table", "oid": 16385, "schema": "public", "name": "item",
 *      "columns": [{"attnum": 1, "name": "id", "type_oid": 23, …}, …], …}
 *
 * `kind` is schema, table, sequence, enum, domain or composite.  The other
 * members are called as the fields in model/definition.h are, and are left out
 * where they are what they usually are (definition_set_usual()): empty, false,
 * 0, and -1 of typmod and statistics.  Enums are words.
 *
 * What is read has to be a definition and nothing else.  A member that is not
 * known is refused, and not left out: whoever works from a definition of which
 * a part is missing would undo that part.
 *
 * Text is taken to be UTF-8, and bytes that are none are replaced
 * (base/json.h).
 */
#ifndef PENSTOCK_DDL_JSON_H
#define PENSTOCK_DDL_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "model/definition.h"

/* Longest text of a definition that is read. */
#define DDL_JSON_BYTES_MAX (64 * MB)

/* Writes it as the next value. */
void ddl_json_append(Json *json, const Definition *definition);

/*
 * Reads one definition from the text, which need not end in a NUL.  It is
 * allocated in the arena and points at nothing of the text.  RC_FAIL with
 * ERR_CONFIG names the object, as far as it is known, and the member that
 * cannot be read.
 */
MUST_CHECK Rc ddl_json_read(const char *text, size_t length, Arena *arena,
							const Definition **definition, Error *err);

#endif /* PENSTOCK_DDL_JSON_H */
