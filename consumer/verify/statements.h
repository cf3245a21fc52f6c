/*
 * statements.h
 *    Builds the queries of a comparison, which run on source and target.
 *
 * The results do not depend on the order of rows or columns, nor on the
 * server's version, collations or settings, as long as the session has the
 * settings of PGCONN_DATA.
 *
 * Each row's text is hashed with two different seeds, and each of the two
 * hashes is added up over all rows, exactly.  A sum is used because an
 * exclusive or would not change if two rows change in the same way.
 *
 * Rows are divided into VERIFY_RANGES ranges by the hash of their key's text.
 * If the sums of a table differ, the sums of its ranges are compared, and then
 * the rows of ranges that differ.
 */
#ifndef PENSTOCK_VERIFY_STATEMENTS_H
#define PENSTOCK_VERIFY_STATEMENTS_H

#include <stdint.h>

#include "base/buf.h"
#include "verify/table.h"

/* Number of ranges; a power of two. */
#define VERIFY_RANGES 4096

/*
 * Columns of a query for sums.  The range is 0 if ranges were not asked for.
 * The place, the index of a target, is null if the side does not determine it.
 */
enum
{
	SUMS_PLACE,
	SUMS_RANGE,
	SUMS_ROWS,
	SUMS_FIRST,
	SUMS_SECOND,
};

/*
 * Appends a query for sums, of each range if `by_range`, in the order of place
 * and range.  A range or place without rows has no row in the result; the whole
 * table always has one.
 */
void verify_append_sums(Buf *sql, const VerifyTable *table,
						const VerifySide *side, bool by_range);

/* Columns of a query for rows.  The key is there as text and as JSON. */
enum
{
	ROWS_HASH,
	ROWS_KEY,
	ROWS_JSON,
	ROWS_FIRST,
	ROWS_SECOND,
	ROWS_PLACE,
};

/*
 * Appends a query for the rows of some ranges, in the order of hash, then of
 * the bytes of key and hashes.
 */
void verify_append_rows(Buf *sql, const VerifyTable *table,
						const VerifySide *side, const int *ranges, int count);

/*
 * Columns of a query that looks rows up by their keys.  LOOKUP_KEY is the
 * number of the key, from 1.  LOOKUP_ROW is the text of the row, which is the
 * same on both sides if the row is.  The source's rows have their place, and
 * from LOOKUP_COLUMNS on the values of the columns; the target's rows have what
 * identifies them in the table, and the whole row as JSON.
 */
enum
{
	LOOKUP_KEY,
	LOOKUP_ROW,
	LOOKUP_PLACE,
	LOOKUP_COLUMNS,
	LOOKUP_TABLEOID = LOOKUP_PLACE,
	LOOKUP_CTID,
	LOOKUP_JSON,
};

/*
 * Appends a query for the rows with these keys, which are as in ROWS_JSON, in
 * the order of the keys.  The table must have a key.
 */
void verify_append_lookup(Buf *sql, const VerifyTable *table,
						  const VerifySide *side, const char *const *keys,
						  int count);

#endif /* PENSTOCK_VERIFY_STATEMENTS_H */
