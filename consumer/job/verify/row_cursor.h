/*
 * row_cursor.h
 *    The rows of a query, some at a time, as pairing.h reads them.
 */
#ifndef PENSTOCK_JOB_VERIFY_ROW_CURSOR_H
#define PENSTOCK_JOB_VERIFY_ROW_CURSOR_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"
#include "verify/pairing.h"

typedef struct RowCursor
{
	PgConn *conn;
	PGresult *batch; /* NULL: none yet */
	int row;         /* the next one of it */
	PairedRow current;
	bool ended;
} RowCursor;

/* Opens one in the session's transaction, and releases the query's buffer.  A
 * session has one at a time.  Waits. */
MUST_CHECK Rc row_cursor_open(RowCursor *cursor, PgConn *conn, Buf *query,
							  Error *err);

/* Ends it, and lets the session open another.  Accepts a zeroed one. */
MUST_CHECK Rc row_cursor_close(RowCursor *cursor, Error *err);

/* As RowReader.next; the context is the cursor. */
MUST_CHECK Rc row_cursor_next(void *context, const PairedRow **row, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_ROW_CURSOR_H */
