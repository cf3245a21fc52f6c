/*
 * value.h
 *    The value of one column of a row.
 *
 * A Value is plain data.  Its bytes are borrowed from its frame and valid as
 * long as the frame (see change.h).
 */
#ifndef PENSTOCK_MODEL_VALUE_H
#define PENSTOCK_MODEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum ValueKind
{
	VALUE_MISSING = 0, /* the row does not have the column, because the row has
						* only the replica identity */
	VALUE_NULL,
	VALUE_UNCHANGED, /* unchanged TOAST value: not in the WAL, because the
					  * update did not change it */
	VALUE_INTEGER,   /* `integer`, encoded as the column's type says */
	VALUE_BINARY,    /* `bytes`, in the type's binary format */
	VALUE_TEXT,      /* `bytes`, in the type's text format */
} ValueKind;

typedef struct Value
{
	union
	{
		int64_t integer;
		const uint8_t *bytes; /* borrowed; not NUL-terminated */
	};
	uint32_t length; /* number of `bytes` */
	uint32_t kind;   /* kind of the value, a ValueKind */
} Value;

/*
 * Appends a VALUE_INTEGER as the server prints a value of the type, with
 * DateStyle ISO and TimeZone UTC.
 */
void value_append_integer(Buf *buf, uint32_t type_oid, int64_t number);

/* Whether two values have the same kind and the same bytes. */
bool value_is_same(const Value *a, const Value *b);

#endif /* PENSTOCK_MODEL_VALUE_H */
