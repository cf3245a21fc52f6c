/*
 * row_cursor.c
 *    DECLARE, FETCH and CLOSE.
 */
#include "job/verify/row_cursor.h"

#include <stdlib.h>

#include "job/verify/deadline.h"
#include "net/sql.h"
#include "verify/statements.h"

#define BATCH_ROWS "1000"

Rc
row_cursor_open(RowCursor *cursor, PgConn *conn, int64_t deadline_us,
				Buf *query, Error *err)
{
	Buf sql;

	*cursor = (RowCursor){.conn = conn, .deadline_us = deadline_us};
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "DECLARE penstock_rows NO SCROLL CURSOR FOR %s",
			   query->data);
	sql.overflowed |= query->overflowed;
	buf_release(query);
	return sql_run(conn, &sql, NULL, err);
}

Rc
row_cursor_close(RowCursor *cursor, Error *err)
{
	PgConn *conn = cursor->conn;

	PQclear(cursor->batch);
	*cursor = (RowCursor){0};
	return conn == NULL ? RC_OK
						: pgconn_exec(conn, "CLOSE penstock_rows", NULL, err);
}

static MUST_CHECK Rc
fetch(RowCursor *cursor, Error *err)
{
	Buf sql;
	Rc rc;

	PQclear(cursor->batch);
	cursor->batch = NULL;
	cursor->row = 0;
	rc = deadline_check(cursor->deadline_us, err);
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	deadline_append(&sql, cursor->deadline_us);
	buf_append_string(&sql, "FETCH FORWARD " BATCH_ROWS " FROM penstock_rows");
	rc = sql_run(cursor->conn, &sql, &cursor->batch, err);
	cursor->ended = rc == RC_OK && PQntuples(cursor->batch) == 0;
	return rc;
}

Rc
row_cursor_next(void *context, const PairedRow **row, Error *err)
{
	RowCursor *cursor = context;
	const PGresult *batch;
	int n;
	Rc rc = RC_OK;

	if (!cursor->ended &&
		(cursor->batch == NULL || cursor->row == PQntuples(cursor->batch)))
		rc = fetch(cursor, err);
	*row = NULL;
	if (rc != RC_OK || cursor->ended)
		return rc;
	batch = cursor->batch;
	n = cursor->row++;
	cursor->current = (PairedRow){
		.hash = strtoll(PQgetvalue(batch, n, ROWS_HASH), NULL, 10),
		.key = PQgetvalue(batch, n, ROWS_KEY),
		.json = PQgetvalue(batch, n, ROWS_JSON),
		.first = PQgetvalue(batch, n, ROWS_FIRST),
		.second = PQgetvalue(batch, n, ROWS_SECOND),
		.place = PQgetisnull(batch, n, ROWS_PLACE)
					 ? PLACE_ANY
					 : (int) strtol(PQgetvalue(batch, n, ROWS_PLACE), NULL, 10),
	};
	*row = &cursor->current;
	return RC_OK;
}
