/*
 * outlet.c
 *    Chunks to one target.
 */
#include "copy/rows/outlet.h"

#include "copy/rows/exchange.h"
#include "net/writer.h"

Rc
outlet_open(Outlet *outlet, const char *conninfo, const char *label,
			const char *pipeline, SessionRights *rights, Error *err)
{
	buf_init(&outlet->chunk, JOB_CHUNK_BYTES);
	return session_open_writer(&outlet->conn, conninfo, label, pipeline, rights,
							   err);
}

void
outlet_close(Outlet *outlet)
{
	writer_close(outlet->conn);
	buf_release(&outlet->chunk);
	*outlet = (Outlet){0};
}

static MUST_CHECK Rc
send_sql(Outlet *outlet, const char *sql, Error *err)
{
	if (!PQsendQuery(pgconn_raw(outlet->conn), sql))
		return pgconn_connection_error(outlet->conn, "lost the connection to",
									   err);
	return RC_OK;
}

Rc
outlet_start(Outlet *outlet, const CopyPart *part, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(outlet->chunk.length == 0);
	outlet->pending = false;
	outlet->ended = false;
	buf_init(&sql, BUF_TEXT_MAX);
	job_append_target_sql(part, &sql);
	rc = send_sql(outlet, sql.data, err);
	buf_release(&sql);
	return rc;
}

Rc
outlet_started(Outlet *outlet, Error *err)
{
	return exchange_take_started(outlet->conn, PGRES_COPY_IN, err);
}

/* Sends on what libpq holds.  RC_AGAIN: not all of it left. */
static MUST_CHECK Rc
send_pending(Outlet *outlet, Error *err)
{
	int pending = PQflush(pgconn_raw(outlet->conn));

	if (pending < 0)
		return exchange_interrupt(outlet->conn, err);
	outlet->pending = pending > 0;
	return outlet->pending ? RC_AGAIN : RC_OK;
}

/* Gives data to libpq, which has nothing pending. */
static MUST_CHECK Rc
put_data(Outlet *outlet, const char *data, size_t length, Error *err)
{
	Rc rc = exchange_check_quiet(outlet->conn, err);

	if (rc != RC_OK)
		return rc;
	/* 0 would mean that libpq could not get memory. */
	if (PQputCopyData(pgconn_raw(outlet->conn), data, (int) length) <= 0)
		return exchange_interrupt(outlet->conn, err);
	rc = send_pending(outlet, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
outlet_flush(Outlet *outlet, Error *err)
{
	Rc rc = send_pending(outlet, err);

	if (rc != RC_OK || outlet->chunk.length == 0)
		return rc;
	rc = put_data(outlet, outlet->chunk.data, outlet->chunk.length, err);
	buf_reset(&outlet->chunk);
	return rc;
}

Rc
outlet_put(Outlet *outlet, const char *data, size_t length, size_t *taken,
		   Error *err)
{
	Buf *chunk = &outlet->chunk;

	if (*taken == 0 && chunk->length + length <= chunk->max)
	{
		buf_append(chunk, data, length);
		*taken = length;
		return RC_OK;
	}
	while (*taken < length)
	{
		size_t left = length - *taken;
		size_t piece = left < chunk->max ? left : chunk->max;
		Rc rc = outlet_flush(outlet, err);

		if (rc != RC_OK)
			return rc;
		buf_append(chunk, data + *taken, piece);
		CHECK(!chunk->overflowed);
		*taken += piece;
	}
	return RC_OK;
}

Rc
outlet_end(Outlet *outlet, Error *err)
{
	ASSERT(outlet->chunk.length == 0);
	if (PQputCopyEnd(pgconn_raw(outlet->conn), NULL) < 0)
		return pgconn_connection_error(outlet->conn, "could not send to", err);
	return RC_OK;
}

Rc
outlet_ended(Outlet *outlet, Error *err)
{
	int64_t ignored;
	Rc rc;

	if (!outlet->ended)
	{
		rc = exchange_take_ended(outlet->conn, &outlet->rows, err);
		if (rc == RC_OK)
			rc = send_sql(outlet, "COMMIT", err);
		if (rc != RC_OK)
			return rc;
		outlet->ended = true;
	}
	return exchange_take_ended(outlet->conn, &ignored, err);
}
