/*
 * raw_row.h
 *    Reads rows: first the protobuf fields, then the value of each column from
 *    them.
 *
 * The fields of a row are either a message Row or some of the fields of a
 * Change.
 */
#ifndef PENSTOCK_WIRE_RAW_ROW_H
#define PENSTOCK_WIRE_RAW_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/change.h"
#include "wire/reader.h"

/* Field numbers of the message Row. */
enum
{
	ROW_INTEGERS = 1,
	ROW_VALUES = 2,
	ROW_NULLS = 3,
	ROW_UNCHANGED = 4,
	ROW_HASH = 5,
};

/* The fields of a row, before they are assigned to columns. */
typedef struct RawRow
{
	int integer_count;
	int value_count;
	Span nulls;
	Span unchanged;
	uint64_t hash;
	int64_t integers[RELATION_COLUMNS_MAX];
	Span values[RELATION_COLUMNS_MAX];
} RawRow;

void raw_row_reset(RawRow *row);

/*
 * Adds a field, by its number in Row.  Returns false if it is not a valid field
 * of a row.
 */
bool raw_row_add_field(RawRow *row, uint32_t number, const Field *field);

/*
 * Adds all values that come next in `reader`.  A wide row has many successive
 * values, and this function saves reading each as a field of unknown kind.
 * `tag` is the tag of a value.  Returns false if a value cannot be read.
 */
bool raw_row_add_values(RawRow *row, Reader *reader, uint8_t tag);

/* Reads a message Row.  Returns false if it cannot be read. */
bool raw_row_read(RawRow *row, Span body);

/*
 * Assigns the fields to the columns of `relation`.  *built is an array with a
 * Value for each column, allocated in the arena; its bytes point into the
 * message. key_only says that the row has the columns of the replica identity
 * only, may_be_unchanged that it may have unchanged TOAST values.
 */
MUST_CHECK Rc raw_row_build(const RawRow *row, const Relation *relation,
							bool key_only, bool may_be_unchanged, Arena *arena,
							const Value **built, Error *err);

#endif /* PENSTOCK_WIRE_RAW_ROW_H */
