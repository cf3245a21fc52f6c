/*
 * spread_row.h
 *    Rows of a COPY with hashes in front: which node they are for, and the row
 *    without them.
 */
#ifndef PENSTOCK_COPY_ROWS_SPREAD_ROW_H
#define PENSTOCK_COPY_ROWS_SPREAD_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* How the rows of a COPY look. */
typedef struct SpreadFormat
{
	bool binary;
	int hash_count; /* columns in front that are hashes or null */
	bool is_number; /* the one in front is no hash, but the number itself */
} SpreadFormat;

typedef struct SpreadRow
{
	char *data; /* within the message that it came in */
	size_t length;
	bool is_row;   /* else it is what stands before or after all rows */
	uint64_t hash; /* of a row; or the number, UINT64_MAX if it is null */
} SpreadRow;

/*
 * Takes the next row of a message, which starts at *at.  The first message of a
 * binary COPY starts with a header.  It may write to the message, before the
 * row.  False: the message is none that COPY sends.
 */
MUST_CHECK bool spread_row_take(const SpreadFormat *format, char **at,
								size_t *left, SpreadRow *row);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_ROW_H */
