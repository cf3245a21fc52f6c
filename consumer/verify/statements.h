/*
 * statements.h
 *    What is asked of both sides of a comparison.
 *
 * The answers do not depend on the order of rows or columns, on the server's
 * version, its collations or its settings, as long as the session has those
 * that PGCONN_DATA gives it.
 *
 * Of each row's text two hashes are made, which are not derived from each
 * other, and added up exactly: a sum, unlike an exclusive or, also changes when
 * two rows change in the same way.  Rows are told apart by the hash of their
 * key's text, in VERIFY_RANGES ranges, in one of which each row is.  Where the
 * sums of a table differ those of its ranges are asked for, and where these
 * differ the rows in them.
 */
#ifndef PENSTOCK_VERIFY_STATEMENTS_H
#define PENSTOCK_VERIFY_STATEMENTS_H

#include <stdint.h>

#include "base/buf.h"
#include "verify/table.h"

/* A power of two. */
#define VERIFY_RANGES 4096

/* Columns of the sums.  The range is 0 where it was not asked for; the number
 * of the target is null where a side does not say it. */
enum
{
	SUMS_PLACE,
	SUMS_RANGE,
	SUMS_ROWS,
	SUMS_FIRST,
	SUMS_SECOND,
};

/*
 * Appends a query for the sums, of each range if `by_range`; in the order of
 * their first two columns.  Nothing for what has no rows, unless it is all.
 */
void verify_append_sums(Buf *sql, const VerifyTable *table,
						const VerifySide *side, bool by_range);

/* Columns of the rows; the key is in JSON, too. */
enum
{
	ROWS_HASH,
	ROWS_KEY,
	ROWS_JSON,
	ROWS_FIRST,
	ROWS_SECOND,
	ROWS_PLACE,
};

/* Appends a query for the rows of these ranges, by hash and then by the bytes
 * of key and sums. */
void verify_append_rows(Buf *sql, const VerifyTable *table,
						const VerifySide *side, const int *ranges, int count);

#endif /* PENSTOCK_VERIFY_STATEMENTS_H */
