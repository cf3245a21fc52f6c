/*
 * value.h
 *		Writes one Datum as one value of the stream.
 *
 * How the values of a column are written is decided once, when its relation is
 * looked up (penstock_value_init), and then followed for every row: no catalog
 * is consulted while rows are written, except by a type's own output function.
 *
 * A column has one of the three encodings of penstock.proto.  Within them, a
 * kind says what the code does; the common types are written without a
 * function call through fmgr.
 */
#ifndef PENSTOCK_VALUE_H
#define PENSTOCK_VALUE_H

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "session/session.h"

/* Numbers as in penstock.proto. */
typedef enum PenstockEncoding
{
	PENSTOCK_ENCODING_INTEGER = 1,
	PENSTOCK_ENCODING_BINARY = 2,
	PENSTOCK_ENCODING_TEXT = 3,
} PenstockEncoding;

typedef enum PenstockValueKind
{
	/* Sent as numbers: encoding integer. */
	PENSTOCK_VALUE_BOOL,
	PENSTOCK_VALUE_INT2,
	PENSTOCK_VALUE_INT4,
	PENSTOCK_VALUE_INT8,
	PENSTOCK_VALUE_OID,

	/* Sent as they are stored. */
	PENSTOCK_VALUE_CHARACTERS, /* varlena, in the server's encoding */
	PENSTOCK_VALUE_BYTES,      /* varlena */
	PENSTOCK_VALUE_NAME,
	PENSTOCK_VALUE_UUID,

	/* Sent in network byte order, stored in the machine's. */
	PENSTOCK_VALUE_FLOAT4,
	PENSTOCK_VALUE_FLOAT8,

	/* Sent as the type's send function or output function writes them. */
	PENSTOCK_VALUE_SEND,
	PENSTOCK_VALUE_OUTPUT,
} PenstockValueKind;

typedef struct PenstockValueWriter
{
	PenstockValueKind kind;
	PenstockEncoding encoding;
	FmgrInfo function;   /* only for the last two kinds */
	bool obeys_settings; /* its output may depend on settings */
	bool has_labels;     /* there may be labels of enums in it; see labels.h */
	bool has_rows;       /* there may be rows in it; see components.h */
	Oid type;            /* only of those that functions write */

	/* For messages: the column's name, and its table's, schema and all. */
	const char *column;
	const char *table;
} PenstockValueWriter;

/*
 * Decides how values of a type are written and sets everything in *writer but
 * the names.  With `binary` false every value is to be text.  What is looked
 * up is allocated in the current memory context, which must live as long as
 * the writer.
 */
extern void penstock_value_init(PenstockValueWriter *writer, Oid type,
								bool binary);

/* The number that stands for a value of encoding integer. */
static inline int64
penstock_value_integer(const PenstockValueWriter *writer, Datum value)
{
	switch (writer->kind)
	{
		case PENSTOCK_VALUE_INT4:
			return DatumGetInt32(value);
		case PENSTOCK_VALUE_INT8:
			return DatumGetInt64(value);
		case PENSTOCK_VALUE_INT2:
			return DatumGetInt16(value);
		case PENSTOCK_VALUE_BOOL:
			return DatumGetBool(value);
		case PENSTOCK_VALUE_OID:
			return DatumGetObjectId(value);
		case PENSTOCK_VALUE_CHARACTERS:
		case PENSTOCK_VALUE_BYTES:
		case PENSTOCK_VALUE_NAME:
		case PENSTOCK_VALUE_UUID:
		case PENSTOCK_VALUE_FLOAT4:
		case PENSTOCK_VALUE_FLOAT8:
		case PENSTOCK_VALUE_SEND:
		case PENSTOCK_VALUE_OUTPUT:
			break;
	}
	pg_unreachable();
}

/*
 * Appends a value of one of the other two encodings to buf, as a field of the
 * given number.  May allocate in the current memory context.  Raises an error
 * that names table and column if there is no room for it.
 */
extern void penstock_value_append(PenstockSession *session,
								  const PenstockValueWriter *writer,
								  StringInfo buf, int field, Datum value);

/*
 * Puts the settings into force that output functions depend on; see value.c.
 * Needed only by what calls such functions, or quotes names, by other means.
 */
extern void penstock_value_apply_settings(PenstockSession *session);

/* Says that a frame has become too large to hold a row of this table. */
extern void penstock_value_raise_too_large(const char *table,
										   const char *column)
	__attribute__((noreturn));

#endif /* PENSTOCK_VALUE_H */
