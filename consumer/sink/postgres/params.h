/*
 * params.h
 *    Values of the stream as the target wants them: parameters of a
 *    statement, elements of an array, fields of COPY BINARY.
 *
 * All are in binary format (see TargetTable for what that means per column).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PARAMS_H
#define PENSTOCK_SINK_POSTGRES_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/value.h"
#include "net/pgconn.h"
#include "sink/postgres/target_table.h"

/* An update sends a new row and the key of an old one. */
#define PARAMS_MAX (2 * RELATION_COLUMNS_MAX)

/* Large: allocate once and reset.  Values point into the frames they came
 * from, or into the arena. */
typedef struct Params
{
	int count;
	Oid types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX];
	int formats[PARAMS_MAX]; /* all binary */
	Arena *arena;            /* of values that had to be made */
} Params;

Params *params_new(void);
void params_free(Params *params);
void params_reset(Params *params);

/* Adds one value of a row, or a null. */
void params_add(Params *params, const TargetColumn *column, const Value *value);

/* Adds bytes that are in binary format already; borrowed. */
void params_add_bytes(Params *params, Oid type, const void *bytes, int length);

/* Adds a number, as a bigint, or as another type that is one within. */
void params_add_int8(Params *params, int64_t number);
void params_add_number(Params *params, Oid type, int64_t number);

/*
 * Appends one value as COPY BINARY and arrays have it: its length, or -1 for
 * null, then its bytes.
 */
void params_append_field(Buf *buf, const TargetColumn *column,
						 const Value *value);

#endif /* PENSTOCK_SINK_POSTGRES_PARAMS_H */
