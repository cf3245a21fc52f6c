/*
 * params.h
 *    Values of the stream as the target wants them: parameters of a
 *    statement, elements of an array, fields of COPY BINARY.
 *
 * All are in binary format, but for values and arrays of columns that can only
 * be read from text; see TargetTable.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H
#define PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/value.h"
#include "sink/postgres/plan/target_table.h"

/* An update sends a new row and the key of an old one. */
#define PARAMS_MAX (2 * RELATION_COLUMNS_MAX)

/* Large: allocate once and reset.  Values point into the frames they came
 * from, or into the arena. */
typedef struct Params
{
	int count;
	uint32_t types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX];
	int formats[PARAMS_MAX]; /* 0: text, which ends with a NUL; 1: binary */
	Arena *arena;            /* of values that had to be made */
} Params;

Params *params_new(void);
void params_free(Params *params);
void params_reset(Params *params);

/* Adds one value of a row, or a null. */
void params_add(Params *params, const TargetColumn *column, const Value *value);

/*
 * An array of many values of a column: begun in a buffer, given one after the
 * other, and added.  The buffer is borrowed.
 */
void params_begin_array(Buf *array, const TargetColumn *column, size_t count);
void params_append_element(Buf *array, const TargetColumn *column,
						   const Value *value);
void params_add_array(Params *params, const TargetColumn *column, Buf *array);

/* What an array in binary format begins with. */
void params_begin_binary_array(Buf *array, uint32_t element_type, size_t count);

/* Adds bytes that are in binary format already; borrowed. */
void params_add_bytes(Params *params, uint32_t type, const void *bytes,
					  int length);

/* Adds a number, as a bigint, or as another type that is one within. */
void params_add_int8(Params *params, int64_t number);
void params_add_number(Params *params, uint32_t type, int64_t number);

/*
 * Appends one value as COPY BINARY and arrays have it: its length, or -1 for
 * null, then its bytes.
 */
void params_append_field(Buf *buf, const TargetColumn *column,
						 const Value *value);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H */
