/*
 * receiver.c
 *    Sends COPY data in chunks to one target.
 */
#include "copy/rows/receiver.h"

#include "copy/rows/as_matched.h"
#include "copy/rows/exchange.h"
#include "net/writer.h"

Rc
receiver_open(Receiver *receiver, const char *conninfo, const char *label,
			  const char *pipeline, SessionRights *rights, Error *err)
{
	buf_init(&receiver->chunk, COPIER_CHUNK_BYTES);
	return session_open_writer(&receiver->conn, conninfo, label, pipeline,
							   rights, err);
}

void
receiver_close(Receiver *receiver)
{
	writer_close(receiver->conn);
	buf_release(&receiver->chunk);
	*receiver = (Receiver){0};
}

static MUST_CHECK Rc
send_sql(Receiver *receiver, const char *sql, Error *err)
{
	if (!PQsendQuery(pgconn_raw(receiver->conn), sql))
		return pgconn_connection_error(receiver->conn, "lost the connection to",
									   err);
	return RC_OK;
}

Rc
receiver_start(Receiver *receiver, const CopyPart *part, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(receiver->chunk.length == 0);
	ASSERT(part->table != NULL);
	receiver->pending = false;
	receiver->ended = false;
	receiver->table = part->table;
	buf_init(&sql, BUF_TEXT_MAX);
	copier_append_target_sql(part, &sql);
	rc = send_sql(receiver, sql.data, err);
	buf_release(&sql);
	return rc;
}

Rc
receiver_started(Receiver *receiver, Error *err)
{
	return exchange_take_started(receiver->conn, PGRES_COPY_IN, err);
}

/* Has libpq send its buffer as far as the socket has room.  Returns RC_AGAIN if
 * some of the buffer is left. */
static MUST_CHECK Rc
send_pending(Receiver *receiver, Error *err)
{
	int pending = PQflush(pgconn_raw(receiver->conn));

	if (pending < 0)
		return exchange_interrupt(receiver->conn, err);
	receiver->pending = pending > 0;
	return receiver->pending ? RC_AGAIN : RC_OK;
}

/* Passes data to libpq, whose buffer must be empty. */
static MUST_CHECK Rc
put_data(Receiver *receiver, const char *data, size_t length, Error *err)
{
	Rc rc = exchange_check_quiet(receiver->conn, err);

	ASSERT(!receiver->pending && length > 0);
	if (rc != RC_OK)
		return rc;
	/* PQputCopyData() returns 0 if libpq could not allocate memory. */
	if (PQputCopyData(pgconn_raw(receiver->conn), data, (int) length) <= 0)
		return exchange_interrupt(receiver->conn, err);
	rc = send_pending(receiver, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
receiver_flush(Receiver *receiver, Error *err)
{
	Rc rc = send_pending(receiver, err);

	if (rc != RC_OK || receiver->chunk.length == 0)
		return rc;
	rc = put_data(receiver, receiver->chunk.data, receiver->chunk.length, err);
	buf_reset(&receiver->chunk);
	return rc;
}

Rc
receiver_put(Receiver *receiver, const char *data, size_t length, size_t *taken,
			 Error *err)
{
	Buf *chunk = &receiver->chunk;

	ASSERT(*taken <= length);
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
		Rc rc = receiver_flush(receiver, err);

		if (rc != RC_OK)
			return rc;
		buf_append(chunk, data + *taken, piece);
		CHECK(!chunk->overflowed);
		*taken += piece;
		ASSERT(*taken <= length);
	}
	return RC_OK;
}

Rc
receiver_end(Receiver *receiver, Error *err)
{
	ASSERT(receiver->chunk.length == 0);
	if (PQputCopyEnd(pgconn_raw(receiver->conn), NULL) < 0)
		return pgconn_connection_error(receiver->conn, "could not send to",
									   err);
	return RC_OK;
}

/* Sends the statements that compare the columns once more, and commit. */
static MUST_CHECK Rc
send_commit(Receiver *receiver, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(receiver->table != NULL);
	buf_init(&sql, BUF_TEXT_MAX);
	as_matched_append_check(&sql, receiver->table);
	buf_append_string(&sql, "COMMIT");
	rc = send_sql(receiver, sql.data, err);
	buf_release(&sql);
	return rc;
}

Rc
receiver_ended(Receiver *receiver, Error *err)
{
	int64_t ignored;
	Rc rc;

	ASSERT(receiver->chunk.length == 0);
	if (!receiver->ended)
	{
		rc = pgconn_take_ended(receiver->conn, &receiver->rows, err);
		if (rc == RC_OK)
			rc = send_commit(receiver, err);
		if (rc != RC_OK)
			return rc;
		receiver->ended = true;
	}
	return pgconn_take_ended(receiver->conn, &ignored, err);
}
