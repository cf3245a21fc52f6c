/*
 * row_cursor.h
 *    Reads the rows of a query with an SQL cursor, in batches, as a RowReader
 *    of verify/pairing.h.
 */
#ifndef PENSTOCK_JOB_VERIFY_ROW_CURSOR_H
#define PENSTOCK_JOB_VERIFY_ROW_CURSOR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"
#include "verify/pairing.h"

typedef struct RowCursor
{
	PgConn *conn;
	int64_t deadline_us; /* monotonic time until which rows may be fetched */
	PGresult *batch; /* the last batch of rows; NULL: none was fetched yet */
	int row;         /* index of the next row in the batch */
	PairedRow current;
	bool ended; /* whether the query has no more rows */
} RowCursor;

/* Declares a cursor for a query in the session's transaction, and releases
 * `query`.  A session can have one cursor at a time.  Blocks. */
MUST_CHECK Rc row_cursor_open(RowCursor *cursor, PgConn *conn,
							  int64_t deadline_us, Buf *query, Error *err);

/* Closes the cursor; blocks.  Accepts a zeroed RowCursor. */
MUST_CHECK Rc row_cursor_close(RowCursor *cursor, Error *err);

/* RowReader.next; `context` is the RowCursor. */
MUST_CHECK Rc row_cursor_next(void *context, const PairedRow **row, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_ROW_CURSOR_H */
