/*
 * params.h
 *    Converts values of the stream to parameters of a statement, elements of an
 *    array, and fields of COPY BINARY.
 *
 * The binary format is used, except for values and arrays of columns that can
 * only be read from text (TargetTable).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H
#define PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/value.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Largest number of parameters: an update has a new row, and the key of an old
 * one.
 */
#define PARAMS_MAX (2 * RELATION_COLUMNS_MAX)

/*
 * The parameters of a statement.  The struct is large: allocate one, and reset
 * it.  Values point into their frames or into the arena.
 */
typedef struct Params
{
	int count;
	uint32_t types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX];
	int formats[PARAMS_MAX]; /* 0: text, terminated by a zero; 1: binary */
	Arena *arena;            /* has converted values */
} Params;

Params *params_new(void);
void params_free(Params *params);
void params_reset(Params *params);

/* Adds one value of a row, or a null. */
void params_add(Params *params, const TargetColumn *column, const Value *value);

/*
 * Build an array of values of a column in a buffer, and add it.  The buffer is
 * borrowed until the parameters are reset.
 */
void params_begin_array(Buf *array, const TargetColumn *column, size_t count);
void params_append_element(Buf *array, const TargetColumn *column,
						   const Value *value);
void params_add_array(Params *params, const TargetColumn *column, Buf *array);

/* Begins an array in binary format. */
void params_begin_binary_array(Buf *array, uint32_t element_type, size_t count);

/* Adds a value that is in binary format already; borrowed. */
void params_add_bytes(Params *params, uint32_t type, const void *bytes,
					  int length);

/* Add a number as a bigint, or as another type with the same binary format. */
void params_add_int8(Params *params, int64_t number);
void params_add_number(Params *params, uint32_t type, int64_t number);

/*
 * Appends one value as in COPY BINARY and arrays: its length, or -1 for null,
 * then its bytes.
 */
void params_append_field(Buf *buf, const TargetColumn *column,
						 const Value *value);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_PARAMS_H */
