/*
 * spread_row.h
 *    Splits rows of COPY data in which columns that we have added, with hashes
 *    or a number, come before the table's columns: into the hash, which says
 *    what node the row is for, and the row without the added columns.
 */
#ifndef PENSTOCK_COPY_ROWS_SPREAD_ROW_H
#define PENSTOCK_COPY_ROWS_SPREAD_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Format of the rows of a COPY. */
typedef struct SpreadFormat
{
	bool binary;    /* whether the format is binary; else text */
	int hash_count; /* number of added columns: each is a hash or null */
	bool is_number; /* whether the added column is no hash, but the number of
					 * the target */
} SpreadFormat;

typedef struct SpreadRow
{
	char *data; /* the row, without added columns; points into the message */
	size_t length;
	bool is_row;   /* whether `data` is a row; else the header or the trailer */
	uint64_t hash; /* distribution hash of the row; or the number of its target,
					* UINT64_MAX if that is null */
} SpreadRow;

/*
 * Takes the next row of a message of COPY data, of which *left bytes at *at
 * remain, and moves both beyond the row.  The header, with which the first
 * message of a binary COPY begins, and the trailer are taken in the same way,
 * with is_row false.  Overwrites bytes of the message before the row.  Returns
 * false if the data is not valid.
 */
MUST_CHECK bool spread_row_take(const SpreadFormat *format, char **at,
								size_t *left, SpreadRow *row);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_ROW_H */
