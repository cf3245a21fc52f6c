/*
 * stream.c
 *    The copy-both protocol of a walsender.
 */
#include "source/stream.h"

#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/own_command.h"
#include "base/xalloc.h"

/* 'w', start of the data, end of the log, time of sending. */
#define DATA_HEADER_BYTES (1 + 8 + 8 + 8)

/* 'k', end of the log, time of sending, whether an answer is wanted. */
#define KEEPALIVE_BYTES (1 + 8 + 8 + 1)

/*
 * The most that the server keeps in memory of transactions before it sends the
 * largest in pieces.  It collects that much and then sends it in one go; so
 * while it collects, whoever applies has to have enough of the last piece left
 * to be at work.  Servers have 64 MB, in which nobody would have much left.
 */
#define STREAMING_WORK_MEM_KB 16384

/* Positions are told this often at most, unless the server asks. */
#define FEEDBACK_PAUSE_MIN_MS 100

/* Reports in the time after which the server takes us for dead. */
#define FEEDBACK_REPORTS_PER_TIMEOUT 4

/* How long the server may take to hear our last words. */
#define END_WAIT_MS_MAX 300

/* How long it may take until it has taken them. */
#define END_SEND_MS_MAX 500

struct Stream
{
	PgConn *conn;
	StreamPositions positions;
	StreamPositions reported;
	bool report_wanted;     /* the server asked for it */
	bool flush_pending;     /* libpq has bytes that the socket did not take */
	int64_t reported_at_us; /* when positions were last sent */
	int64_t interval_us;    /* between reports when nothing moves */
	Error loss; /* why nothing more comes, behind what has; none: it may */
};

static void
append_option(Buf *sql, const char *name, const char *value)
{
	buf_printf(sql, "%s\"%s\" '", sql->data[sql->length - 1] == '(' ? "" : ", ",
			   name);
	for (const char *c = value; *c != '\0'; c++)
	{
		if (*c == '\'')
			buf_append_char(sql, '\'');
		buf_append_char(sql, *c);
	}
	buf_append_char(sql, '\'');
}

static void
build_start_command(Buf *sql, const StreamOptions *options)
{
	char version[16];

	snprintf(version, sizeof(version), "%d", options->proto_version);
	buf_printf(sql, "START_REPLICATION SLOT \"%s\" LOGICAL " LSN_FORMAT " (",
			   options->slot, LSN_ARGS(options->start_lsn));
	append_option(sql, "proto_version", version);
	append_option(sql, "publications", options->publications);
	append_option(sql, "origin", options->origin);
	if (options->bundle)
		append_option(sql, "bundle", "true");
	if (options->messages)
		append_option(sql, "messages", "true");
	if (!options->binary)
		append_option(sql, "binary", "false");
	if (options->skip_missing)
		append_option(sql, "skip_missing", "true");
	if (options->streaming)
		append_option(sql, "streaming", "true");
	if (options->distribution != NULL)
		append_option(sql, "distribution", options->distribution);
	if (options->leave_out != NULL)
		append_option(sql, "leave_out", options->leave_out);
	if (options->compression != NULL)
		append_option(sql, "compression", options->compression);
	buf_append_char(sql, ')');
}

static void
explain_start_failure(const StreamOptions *options, Error *err)
{
	if (strcmp(err->sqlstate, "55006") == 0) /* object_in_use */
		error_hint(err, "Another consumer reads from it, or the server has not "
						"noticed yet that it is gone.");
	else if (strcmp(err->sqlstate, "42704") == 0) /* undefined_object */
		error_hint(err, "\"%s\" creates the slot.", OWN_COMMAND("clone"));
	error_context(err, "starting to stream from slot \"%s\"", options->slot);
}

/*
 * The server drops a client that it has not heard from for wal_sender_timeout;
 * say something several times as often.
 */
static MUST_CHECK Rc
read_feedback_interval(Stream *stream, Error *err)
{
	PGresult *result = NULL;
	int64_t timeout_ms;
	int64_t interval_ms = STREAM_FEEDBACK_INTERVAL_MS;
	Rc rc = pgconn_exec(stream->conn,
						"SELECT setting FROM pg_catalog.pg_settings"
						" WHERE name = 'wal_sender_timeout'",
						&result, err);

	if (rc != RC_OK)
		return rc;
	timeout_ms = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	if (timeout_ms > 0 &&
		timeout_ms / FEEDBACK_REPORTS_PER_TIMEOUT < interval_ms)
		interval_ms = timeout_ms / FEEDBACK_REPORTS_PER_TIMEOUT;
	stream->interval_us = interval_ms * 1000;
	return RC_OK;
}

/* Has transactions in progress come in pieces that are not too large. */
static MUST_CHECK Rc
limit_work_mem(Stream *stream, Error *err)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
			 "SELECT pg_catalog.set_config(name, '%d', false)"
			 " FROM pg_catalog.pg_settings"
			 " WHERE name = 'logical_decoding_work_mem'"
			 " AND setting::pg_catalog.int8 > %d",
			 STREAMING_WORK_MEM_KB, STREAMING_WORK_MEM_KB);
	return pgconn_exec(stream->conn, sql, NULL, err);
}

static MUST_CHECK Rc
start_streaming(Stream *stream, const StreamOptions *options, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	build_start_command(&sql, options);
	rc = pgconn_exec(stream->conn, sql.data, &result, err);
	buf_release(&sql);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		explain_start_failure(options, err);
	if (rc == RC_OK && PQresultStatus(result) != PGRES_COPY_BOTH)
		rc = error_set(err, ERR_PROTOCOL,
					   "source did not start to stream from slot \"%s\"",
					   options->slot);
	PQclear(result);
	return rc;
}

/* For interrupt_set_background().  What fails here fails in stream_work() as
 * well. */
static void
keep_alive(void *stream)
{
	Error ignored = {0};

	if (stream_work(stream, clock_monotonic_us(), &ignored) == RC_FAIL)
		error_reset(&ignored);
}

Rc
stream_open(Stream **stream, PgConn *replication, const StreamOptions *options,
			Error *err)
{
	Stream *opened = xcalloc(1, sizeof(Stream));
	Rc rc;

	opened->conn = replication;
	rc = read_feedback_interval(opened, err);
	if (rc == RC_OK && options->streaming)
		rc = limit_work_mem(opened, err);
	if (rc == RC_OK)
		rc = start_streaming(opened, options, err);
	if (rc != RC_OK)
	{
		stream_close(opened);
		return rc;
	}
	interrupt_set_background(keep_alive, opened);
	*stream = opened;
	return RC_OK;
}

void
stream_close(Stream *stream)
{
	if (stream == NULL)
		return;
	interrupt_set_background(NULL, NULL);
	pgconn_close(stream->conn);
	error_reset(&stream->loss);
	free(stream);
}

static uint64_t
read_uint64(const char *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return be64toh(number);
}

/* Takes one copy message apart; takes ownership of its memory. */
static MUST_CHECK Rc
parse_message(Stream *stream, char *copy, int length, StreamMessage *message,
			  Error *err)
{
	*message = (StreamMessage){0};
	if (length >= DATA_HEADER_BYTES && copy[0] == 'w')
	{
		message->kind = STREAM_DATA;
		message->memory = copy;
		message->memory_free = PQfreemem;
		message->data = (const uint8_t *) copy + DATA_HEADER_BYTES;
		message->length = (size_t) length - DATA_HEADER_BYTES;
		return RC_OK;
	}
	if (length >= KEEPALIVE_BYTES && copy[0] == 'k')
	{
		message->kind = STREAM_KEEPALIVE;
		message->lsn = read_uint64(copy + 1);
		message->reply_requested = copy[KEEPALIVE_BYTES - 1] != 0;
		if (message->reply_requested)
			stream->report_wanted = true;
		PQfreemem(copy);
		return RC_OK;
	}
	PQfreemem(copy);
	return error_set(err, ERR_PROTOCOL,
					 "unexpected message of %d bytes in the stream from source",
					 length);
}

/* The server ended the stream: finds out why. */
static MUST_CHECK Rc
finish_stream(Stream *stream, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_get_result(stream->conn, &result, err);

	if (rc != RC_OK)
		return rc;
	rc = pgconn_check_result(stream->conn, result, err);
	PQclear(result);
	return rc == RC_OK ? RC_END : rc;
}

/* Takes what is in the socket.  If the connection is lost, what came before
 * that is to be handed out first. */
static MUST_CHECK Rc
take_input(Stream *stream)
{
	if (PQconsumeInput(pgconn_raw(stream->conn)))
		return RC_OK;
	return pgconn_connection_error(stream->conn, "lost the connection to",
								   &stream->loss);
}

Rc
stream_receive(Stream *stream, StreamMessage *message, Error *err)
{
	PGconn *pg = pgconn_raw(stream->conn);
	bool consumed = false;

	for (;;)
	{
		char *copy = NULL;
		int length = PQgetCopyData(pg, &copy, 1);

		if (length > 0)
			return parse_message(stream, copy, length, message, err);
		if (length == -1)
			return finish_stream(stream, err);
		if (length < -1)
			return pgconn_connection_error(stream->conn,
										   "lost the connection to", err);
		if (stream->loss.code != ERR_NONE)
		{
			error_take(err, &stream->loss);
			return RC_FAIL;
		}
		if (consumed)
			return RC_AGAIN;
		consumed = take_input(stream) == RC_OK;
	}
}

void
stream_set_positions(Stream *stream, const StreamPositions *positions)
{
	CHECK(positions->durable >= stream->positions.durable);
	CHECK(positions->durable <= positions->received);
	stream->positions = *positions;
}

/* 'r', received, flushed, applied, time, no answer wanted. */
static MUST_CHECK Rc
send_positions(Stream *stream, Error *err)
{
	PGconn *pg = pgconn_raw(stream->conn);
	Buf report;
	int sent;

	FAULT("stream.before_confirm");
	buf_init(&report, 1 + 4 * sizeof(uint64_t) + 1);
	buf_append_char(&report, 'r');
	buf_append_uint64(&report, stream->positions.received);
	buf_append_uint64(&report, stream->positions.durable);
	buf_append_uint64(&report, stream->positions.applied);
	buf_append_uint64(&report, (uint64_t) clock_wall_us());
	buf_append_char(&report, 0);
	ASSERT(!report.overflowed);
	sent = PQputCopyData(pg, report.data, (int) report.length);
	buf_release(&report);
	if (sent < 0)
		return pgconn_connection_error(stream->conn, "lost the connection to",
									   err);
	FAULT("stream.confirm_queued");
	stream->flush_pending = true;
	if (sent == 1)
	{
		stream->reported = stream->positions;
		stream->report_wanted = false;
	}
	return RC_OK;
}

static bool
positions_moved(const Stream *stream)
{
	return memcmp(&stream->positions, &stream->reported,
				  sizeof(stream->positions)) != 0;
}

/* When the next report is due. */
static int64_t
report_due_us(const Stream *stream)
{
	if (stream->report_wanted)
		return 0;
	if (positions_moved(stream))
		return stream->reported_at_us + FEEDBACK_PAUSE_MIN_MS * 1000;
	return stream->reported_at_us + stream->interval_us;
}

Rc
stream_work(Stream *stream, int64_t now_us, Error *err)
{
	int pending;

	if (now_us >= report_due_us(stream))
	{
		Rc rc = send_positions(stream, err);

		if (rc != RC_OK)
			return rc;
		stream->reported_at_us = now_us;
	}
	if (!stream->flush_pending)
		return RC_OK;
	pending = PQflush(pgconn_raw(stream->conn));
	if (pending < 0)
		return pgconn_connection_error(stream->conn, "lost the connection to",
									   err);
	stream->flush_pending = pending > 0;
	return RC_OK;
}

/*
 * Reads until the server has ended its side too, which it does when it has read
 * all that we said; what it had on its way is thrown away.
 */
static void
wait_for_end(Stream *stream)
{
	PGconn *pg = pgconn_raw(stream->conn);
	int64_t deadline_us = clock_monotonic_us() + END_WAIT_MS_MAX * 1000;

	for (;;)
	{
		char *copy = NULL;
		int length = PQgetCopyData(pg, &copy, 1);
		int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;

		PQfreemem(copy);
		if (length < 0 || left_ms <= 0)
			return;
		if (length > 0)
			continue;
		(void) poll(&(struct pollfd){.fd = PQsocket(pg), .events = POLLIN}, 1,
					(int) left_ms);
		if (!PQconsumeInput(pg))
			return;
	}
}

Rc
stream_send_last(Stream *stream, Error *err)
{
	int64_t deadline_us = clock_monotonic_us() + END_SEND_MS_MAX * 1000;
	PGconn *pg = pgconn_raw(stream->conn);
	Rc rc = send_positions(stream, err);

	/*
	 * The end of the copy makes the server answer, and what it answers comes
	 * after it has read our positions.
	 */
	if (rc == RC_OK && PQputCopyEnd(pg, NULL) < 0)
		rc = pgconn_connection_error(stream->conn, "lost the connection to",
									 err);
	while (rc == RC_OK)
	{
		int pending = PQflush(pg);

		if (pending == 0)
		{
			wait_for_end(stream);
			return RC_OK;
		}
		if (pending < 0)
			return pgconn_connection_error(stream->conn,
										   "lost the connection to", err);
		if (clock_monotonic_us() >= deadline_us)
			return error_set(err, ERR_CONNECT,
							 "source does not take what it is told: the last "
							 "positions are not confirmed");
		(void) poll(&(struct pollfd){.fd = PQsocket(pg), .events = POLLOUT}, 1,
					FEEDBACK_PAUSE_MIN_MS);
	}
	return rc;
}

void
stream_interest(const Stream *stream, bool receiving, int *fd, short *events,
				int64_t *deadline_us)
{
	*events = (short) ((receiving ? POLLIN : 0) |
					   (stream->flush_pending ? POLLOUT : 0));
	*fd = *events != 0 ? PQsocket(pgconn_raw(stream->conn)) : -1;
	*deadline_us = report_due_us(stream);
}
