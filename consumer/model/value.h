/*
 * value.h
 *    One column of one row.
 *
 * A Value is plain data.  Its bytes are borrowed from the frame that it came
 * in, and live as long as that does (see change.h).
 */
#ifndef PENSTOCK_MODEL_VALUE_H
#define PENSTOCK_MODEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum ValueKind
{
	VALUE_ABSENT = 0, /* not in this row: a column that is not in a key row */
	VALUE_NULL,
	VALUE_UNCHANGED, /* not in the WAL, because the update left it alone */
	VALUE_INTEGER,   /* `integer`, as the column's type says */
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
	uint32_t length; /* of `bytes` */
	uint32_t kind;   /* a ValueKind */
} Value;

/*
 * Appends a VALUE_INTEGER as the server prints a value of that type, with
 * DateStyle ISO and TimeZone UTC.
 */
void value_append_integer(Buf *buf, uint32_t type_oid, int64_t number);

/* Whether two values are the same to the byte, or both are not there. */
bool value_is_same(const Value *a, const Value *b);

#endif /* PENSTOCK_MODEL_VALUE_H */
