/*
 * stream.c
 *    The COPY BOTH protocol of a walsender.
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

/* 'w', start LSN of the data, end LSN of the WAL, time of sending. */
#define DATA_HEADER_BYTES (1 + 8 + 8 + 8)

/* 'k', end LSN of the WAL, time of sending, whether an answer is wanted. */
#define KEEPALIVE_BYTES (1 + 8 + 8 + 1)

/*
 * Upper limit of logical_decoding_work_mem for our session.
 *
 * The server collects changes of transactions in progress until they reach
 * logical_decoding_work_mem, and then sends all changes of the largest
 * transaction at once.  While it collects, the targets should still be busy
 * with the changes sent before.  With the default of 64 MB they would often
 * have nothing to do.
 */
#define STREAMING_WORK_MEM_KB 16384

/* Shortest time between two reports, unless the server asks for one. */
#define FEEDBACK_PAUSE_MIN_MS 100

/* Number of reports within wal_sender_timeout. */
#define FEEDBACK_REPORTS_PER_TIMEOUT 4

/* Milliseconds that we wait for the server to read our last report. */
#define END_WAIT_MS_MAX 300

/* Milliseconds that sending the last report may take. */
#define END_SEND_MS_MAX 500

typedef struct Stream
{
	Source source; /* first member; see stream_of() */
	PgConn *conn;
	SourcePositions positions;
	SourcePositions reported;
	bool report_wanted;     /* the server has asked for a report */
	bool flush_pending;     /* libpq's output buffer is not empty, because the
							 * socket was full */
	int64_t reported_at_us; /* time of the last report */
	int64_t interval_us;    /* time between two reports if no position
							 * changes */
	Error loss; /* why the connection was lost, returned after the messages
				 * received before; ERR_NONE: it was not */
} Stream;

static Stream *
stream_of(Source *source)
{
	return (Stream *) source;
}

static void
explain_start_failure(const StreamOptions *options, Error *err)
{
	if (strcmp(err->sqlstate, "55006") == 0) /* object_in_use */
		error_hint(err, "Another follower reads from it, or the server has not "
						"noticed yet that it is gone.");
	else if (strcmp(err->sqlstate, "42704") == 0) /* undefined_object */
		error_hint(err, "\"%s\" creates the slot.", OWN_COMMAND("clone"));
	error_context(err, "starting to stream from slot \"%s\"", options->slot);
}

/*
 * The server terminates a connection from which it has received nothing for
 * wal_sender_timeout, so we report several times within that time.
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

/* Limits the size of the parts in which open transactions are sent. */
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
	buf_printf(
		&sql, "START_REPLICATION SLOT \"%s\" LOGICAL " LSN_FORMAT " (%s)",
		options->slot, LSN_ARGS(options->start_lsn), options->plugin_options);
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

static uint64_t
read_uint64(const char *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return be64toh(number);
}

/* Parses one CopyData message; takes ownership of its memory. */
static MUST_CHECK Rc
parse_message(Stream *stream, char *copy, int length, SourceMessage *message,
			  Error *err)
{
	*message = (SourceMessage){0};
	if (length >= DATA_HEADER_BYTES && copy[0] == 'w')
	{
		message->kind = SOURCE_DATA;
		message->memory = copy;
		message->memory_free = PQfreemem;
		message->data = (const uint8_t *) copy + DATA_HEADER_BYTES;
		message->length = (size_t) length - DATA_HEADER_BYTES;
		return RC_OK;
	}
	if (length >= KEEPALIVE_BYTES && copy[0] == 'k')
	{
		message->kind = SOURCE_KEEPALIVE;
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

/*
 * Finds out why the server has ended the stream: RC_END, or RC_FAIL with an
 * error.
 */
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

/*
 * Reads from the socket.  If the connection is lost, keeps the error in
 * stream->loss: the messages received before are returned first.
 */
static MUST_CHECK Rc
take_input(Stream *stream)
{
	if (PQconsumeInput(pgconn_raw(stream->conn)))
		return RC_OK;
	return pgconn_connection_error(stream->conn, "lost the connection to",
								   &stream->loss);
}

static Rc
receive(Source *source, SourceMessage *message, Error *err)
{
	Stream *stream = stream_of(source);
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

static void
set_positions(Source *source, const SourcePositions *positions)
{
	Stream *stream = stream_of(source);

	CHECK(positions->durable >= stream->positions.durable);
	stream->positions = *positions;
}

/*
 * Sends a report: 'r', received, flushed and applied LSN, time, no answer
 * wanted.
 */
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

/* Returns the time of the next report; 0: now. */
static int64_t
report_due_us(const Stream *stream)
{
	if (stream->report_wanted)
		return 0;
	if (positions_moved(stream))
		return stream->reported_at_us + FEEDBACK_PAUSE_MIN_MS * 1000;
	return stream->reported_at_us + stream->interval_us;
}

static Rc
work(Source *source, int64_t now_us, Error *err)
{
	Stream *stream = stream_of(source);
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
 * Reads until the server has ended the COPY on its side, too, which means that
 * it has read our last report.  Messages that still arrive are discarded.
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

static Rc
send_last(Source *source, Error *err)
{
	Stream *stream = stream_of(source);
	int64_t deadline_us = clock_monotonic_us() + END_SEND_MS_MAX * 1000;
	PGconn *pg = pgconn_raw(stream->conn);
	Rc rc = send_positions(stream, err);

	/* The server answers CopyDone, after it has read our report. */
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
							 "source does not accept status updates: the last "
							 "positions are not confirmed");
		(void) poll(&(struct pollfd){.fd = PQsocket(pg), .events = POLLOUT}, 1,
					FEEDBACK_PAUSE_MIN_MS);
	}
	return rc;
}

static void
interest(const Source *source, bool receiving, Interest *wanted)
{
	const Stream *stream = (const Stream *) source;
	short events = (short) ((receiving ? POLLIN : 0) |
							(stream->flush_pending ? POLLOUT : 0));

	/* poll() would return at once for a broken connection. */
	if (events != 0)
		interest_add(wanted, PQsocket(pgconn_raw(stream->conn)), events);
	interest_until(wanted, report_due_us(stream));
}

static void
release(Source *source)
{
	Stream *stream = stream_of(source);

	interrupt_set_background(NULL, NULL);
	pgconn_close(stream->conn);
	error_reset(&stream->loss);
	free(stream);
}

/*
 * Function for interrupt_set_background().  Ignores failures, which
 * source_work() reports later.
 */
static void
keep_alive(void *source)
{
	Error ignored = {0};

	if (source_work(source, clock_monotonic_us(), &ignored) == RC_FAIL)
		error_reset(&ignored);
}

Rc
stream_open(Source **source, PgConn *replication, const StreamOptions *options,
			Error *err)
{
	static const SourceOps ops = {
		.name = "stream",
		.receive = receive,
		.set_positions = set_positions,
		.work = work,
		.send_last = send_last,
		.interest = interest,
		.close = release,
	};
	Stream *opened = xcalloc(1, sizeof(Stream));
	Rc rc;

	opened->source.ops = &ops;
	opened->conn = replication;
	rc = read_feedback_interval(opened, err);
	if (rc == RC_OK && options->in_pieces)
		rc = limit_work_mem(opened, err);
	if (rc == RC_OK)
		rc = start_streaming(opened, options, err);
	if (rc != RC_OK)
	{
		release(&opened->source);
		return rc;
	}
	interrupt_set_background(keep_alive, &opened->source);
	*source = &opened->source;
	return RC_OK;
}
