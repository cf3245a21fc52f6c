/*
 * raw_row.h
 *    The fields of a row, which are in a message of their own or among those of
 *    a Change, and how they meet the columns of their table.
 */
#ifndef PENSTOCK_WIRE_RAW_ROW_H
#define PENSTOCK_WIRE_RAW_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/change.h"
#include "wire/reader.h"

/* Field numbers of Row. */
enum
{
	ROW_INTEGERS = 1,
	ROW_VALUES = 2,
	ROW_NULLS = 3,
	ROW_UNCHANGED = 4,
	ROW_HASH = 5,
};

/* The fields of a row as they were found, before they meet their columns. */
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

/* Takes a field, by its number in Row; false if it is none. */
bool raw_row_add_field(RawRow *row, uint32_t number, const Field *field);

/*
 * Values come one after the other, many in a wide row: takes those that come
 * next, without asking for each what kind of field it is.  The tag is what each
 * starts with.  False if one cannot be read.
 */
bool raw_row_add_values(RawRow *row, Reader *reader, uint8_t tag);

/* Reads a row that is a message of its own; false if that cannot be read. */
bool raw_row_read(RawRow *row, Span body);

/*
 * Lets the fields meet their columns.  The values are in the arena and point to
 * where the fields do.
 */
MUST_CHECK Rc raw_row_build(const RawRow *row, const Relation *relation,
							bool key_only, bool may_be_unchanged, Arena *arena,
							const Value **built, Error *err);

#endif /* PENSTOCK_WIRE_RAW_ROW_H */
