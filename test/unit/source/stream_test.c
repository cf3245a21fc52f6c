/*
 * stream_test.c
 *    Messages and the end of a replication stream, reported positions, and
 *    failures of the server.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/pgconn_open.h"
#include "source/stream.h"
#include "support/libpq_script.h"

/* Numbers of statements; the first is of connecting. */
#define FIRST     2
#define START     4

#define SECOND_US INT64_C(1000000)

/* A message of positions: 'r', three of them, a time, and a flag. */
#define REPORT_BYTES (1 + 4 * 8 + 1)

static const LibpqStep steps[] = {
	{.sql = "wal_sender_timeout", .answer = LIBPQ_ROWS, .rows = "60000\n"},
	{.sql = "logical_decoding_work_mem", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "START_REPLICATION SLOT \"shop\" LOGICAL 0/100 (\"a\" 'b')",
	 .answer = LIBPQ_COPY_BOTH},
	{0}};

static const StreamOptions options = {.slot = "shop",
									  .plugin_options = "\"a\" 'b'",
									  .in_pieces = true,
									  .start_lsn = 0x100};

static PgConn *
connect_to(const LibpqStep *script)
{
	static const PgConnOptions connection = {.conninfo = "host=/script",
											 .label = "source",
											 .application_name = "test",
											 .kind = PGCONN_REPLICATION};
	PgConn *conn = NULL;
	Error err = {0};

	libpq_script_begin(script);
	libpq_script_always(libpq_script_connecting);
	if (pgconn_open(&conn, &connection, &err) != RC_OK)
		fail_msg("%s", err.message);
	return conn;
}

static Source *
open_stream(void)
{
	PgConn *conn = connect_to(steps);
	Source *source = NULL;
	Error err = {0};

	if (stream_open(&source, conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	return source;
}

static void
close_stream(Source *source)
{
	source_close(source);
	libpq_script_end();
}

/* What it fails with when its n-th statement does. */
static void
open_and_fail(int n, LibpqAnswer answer, const char *sqlstate, Error *err)
{
	PgConn *conn = connect_to(steps);
	Source *source = NULL;

	libpq_script_fail_at(n, answer, sqlstate);
	assert_int_equal(stream_open(&source, conn, &options, err), RC_FAIL);
	assert_null(source);
	assert_int_equal(libpq_script_connections(), 0);
}

/* ---- beginning ---------------------------------------------------------- */

static void
nothing_is_left_of_one_that_does_not_begin(void **state UNUSED)
{
	for (int n = FIRST; n <= START; n++)
	{
		Error err = {0};

		open_and_fail(n, LIBPQ_ERROR, "XX000", &err);
		assert_int_equal(err.code, ERR_SQL);
		error_reset(&err);
		open_and_fail(n, LIBPQ_LOST, NULL, &err);
		assert_int_equal(err.code, ERR_CONNECT);
		error_reset(&err);
	}
}

static void
it_says_why_it_does_not_begin(void **state UNUSED)
{
	static const char *const sqlstates[] = {"55006", "42704"};
	static const char *const hints[] = {"Another follower", "creates the slot"};

	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
	{
		Error err = {0};

		open_and_fail(START, LIBPQ_ERROR, sqlstates[i], &err);
		assert_non_null(strstr(err.hint, hints[i]));
		assert_non_null(strstr(err.context, "slot \"shop\""));
		error_reset(&err);
	}
}

static void
an_answer_that_is_no_stream_is_refused(void **state UNUSED)
{
	static const LibpqStep odd[] = {
		{.sql = "wal_sender_timeout", .answer = LIBPQ_ROWS, .rows = "0\n"},
		{.sql = "logical_decoding_work_mem",
		 .answer = LIBPQ_ROWS,
		 .columns = 1},
		{.sql = "START_REPLICATION"},
		{0}};
	PgConn *conn = connect_to(odd);
	Source *source = NULL;
	Error err = {0};

	assert_int_equal(stream_open(&source, conn, &options, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_int_equal(libpq_script_connections(), 0);
	error_reset(&err);
}

/* ---- messages ----------------------------------------------------------- */

static void
bring_data(const char *data)
{
	char message[64] = "w";

	memcpy(message + 25, data, strlen(data) + 1);
	libpq_script_stream(message, 25 + strlen(data));
}

static void
bring_keepalive(Lsn lsn, bool reply_requested)
{
	char message[18] = "k";
	uint64_t big_endian = htobe64(lsn);

	memcpy(message + 1, &big_endian, sizeof(big_endian));
	message[17] = reply_requested ? 1 : 0;
	libpq_script_stream(message, sizeof(message));
}

static void
take_data(Source *source, const char *data)
{
	SourceMessage message;
	Error err = {0};

	assert_int_equal(source_receive(source, &message, &err), RC_OK);
	assert_int_equal(message.kind, SOURCE_DATA);
	assert_int_equal(message.length, strlen(data));
	assert_memory_equal(message.data, data, strlen(data));
	message.memory_free(message.memory);
}

static void
assert_ends(Source *source, ErrorCode code)
{
	SourceMessage message;
	Error err = {0};

	assert_int_equal(source_receive(source, &message, &err), RC_FAIL);
	assert_int_equal(err.code, code);
	error_reset(&err);
}

static void
messages_are_handed_out_in_order(void **state UNUSED)
{
	Source *source = open_stream();
	SourceMessage message;
	Error err = {0};

	assert_int_equal(source_receive(source, &message, &err), RC_AGAIN);
	bring_data("one");
	bring_keepalive(0x200, false);
	bring_data("");
	take_data(source, "one");
	assert_int_equal(source_receive(source, &message, &err), RC_OK);
	assert_int_equal(message.kind, SOURCE_KEEPALIVE);
	assert_int_equal(message.lsn, 0x200);
	assert_false(message.reply_requested);
	take_data(source, "");
	assert_int_equal(source_receive(source, &message, &err), RC_AGAIN);
	close_stream(source);
}

static void
what_is_no_message_is_refused(void **state UNUSED)
{
	static const char *const messages[] = {"w too short", "k too short", "x"};

	for (size_t i = 0; i < LENGTH_OF(messages); i++)
	{
		Source *source = open_stream();

		libpq_script_stream(messages[i], strlen(messages[i]));
		assert_ends(source, ERR_PROTOCOL);
		close_stream(source);
	}
}

/* It is not thrown away with the connection. */
static void
what_came_before_the_loss_is_handed_out(void **state UNUSED)
{
	Source *source = open_stream();

	bring_data("one");
	take_data(source, "one");

	/* Both are in the socket at once. */
	bring_data("two");
	libpq_script_lose(0);
	take_data(source, "two");
	assert_ends(source, ERR_CONNECT);
	close_stream(source);
}

static void
the_server_ends_the_stream(void **state UNUSED)
{
	static const LibpqStep good = {.sql = "", .answer = LIBPQ_COMMAND};
	static const LibpqStep bad = {.sql = "",
								  .answer = LIBPQ_ERROR,
								  .sqlstate = "58P01",
								  .message = "segment has been removed"};
	static const LibpqStep lost = {.sql = "", .answer = LIBPQ_LOST};
	SourceMessage message;
	Error err = {0};
	Source *source = open_stream();

	bring_data("one");
	libpq_script_stream_end(&good);
	take_data(source, "one");
	assert_int_equal(source_receive(source, &message, &err), RC_END);
	close_stream(source);

	source = open_stream();
	libpq_script_stream_end(&bad);
	assert_ends(source, ERR_SQL);
	close_stream(source);

	source = open_stream();
	libpq_script_stream_end(&lost);
	assert_ends(source, ERR_CONNECT);
	close_stream(source);
}

/* ---- positions ---------------------------------------------------------- */

/* How often positions were told; the last of them. */
static int
count_reports(SourcePositions *last)
{
	size_t length;
	const char *copied = libpq_script_copied(&length);
	uint64_t numbers[3];

	assert_int_equal(length % REPORT_BYTES, 0);
	if (length == 0 || last == NULL)
		return (int) (length / REPORT_BYTES);
	assert_int_equal(copied[length - REPORT_BYTES], 'r');
	memcpy(numbers, copied + length - REPORT_BYTES + 1, sizeof(numbers));
	*last = (SourcePositions){.received = be64toh(numbers[0]),
							  .durable = be64toh(numbers[1]),
							  .applied = be64toh(numbers[2])};
	return (int) (length / REPORT_BYTES);
}

static void
work_at(Source *source, int64_t now_us)
{
	Error err = {0};

	if (source_work(source, now_us, &err) != RC_OK)
		fail_msg("%s", err.message);
}

static int64_t
deadline_of(Source *source)
{
	Interest interest = INTEREST_NONE;
	int64_t deadline_us;

	source_interest(source, true, &interest);
	assert_int_equal(interest.count, 1);
	deadline_us = interest.deadline_us;
	interest_release(&interest);
	return deadline_us;
}

static void
positions_are_told_when_they_move(void **state UNUSED)
{
	Source *source = open_stream();
	const SourcePositions moved = {
		.received = 0x300, .durable = 0x100, .applied = 0x200};
	SourcePositions told = {0};
	int64_t now_us = 100 * SECOND_US;

	work_at(source, now_us);
	assert_int_equal(count_reports(NULL), 1);
	work_at(source, now_us + SECOND_US / 2);
	assert_int_equal(count_reports(NULL), 1);

	/* Not at once, and not only when the interval is over. */
	now_us += SECOND_US / 2;
	source_set_positions(source, &moved);
	work_at(source, now_us);
	assert_int_equal(count_reports(&told), 2);
	assert_memory_equal(&told, &moved, sizeof(told));
	source_set_positions(source, &(SourcePositions){.received = 0x400,
													.durable = 0x100,
													.applied = 0x200});
	work_at(source, now_us + 1000);
	assert_int_equal(count_reports(NULL), 2);
	assert_true(deadline_of(source) <= now_us + SECOND_US / 2);
	work_at(source, deadline_of(source));
	assert_int_equal(count_reports(&told), 3);
	assert_int_equal(told.received, 0x400);
	close_stream(source);
}

static void
the_server_hears_of_us_though_nothing_moves(void **state UNUSED)
{
	Source *source = open_stream();
	int64_t now_us = 100 * SECOND_US;

	work_at(source, now_us);
	for (int n = 2; n < 6; n++)
	{
		now_us = deadline_of(source);
		work_at(source, now_us - 1);
		assert_int_equal(count_reports(NULL), n - 1);
		work_at(source, now_us);
		assert_int_equal(count_reports(NULL), n);
	}
	assert_int_equal(now_us, 104 * SECOND_US);
	close_stream(source);
}

static void
a_keepalive_that_wants_an_answer_gets_one(void **state UNUSED)
{
	Source *source = open_stream();
	SourceMessage message;
	Error err = {0};

	work_at(source, 100 * SECOND_US);
	bring_keepalive(0x200, true);
	assert_int_equal(source_receive(source, &message, &err), RC_OK);
	assert_true(message.reply_requested);
	work_at(source, 100 * SECOND_US + 1);
	assert_int_equal(count_reports(NULL), 2);
	close_stream(source);
}

/* Four times in the time after which the server takes us for dead. */
static void
an_impatient_server_hears_more_often(void **state UNUSED)
{
	static const LibpqStep impatient[] = {
		{.sql = "wal_sender_timeout", .answer = LIBPQ_ROWS, .rows = "2000\n"},
		{.sql = "START_REPLICATION", .answer = LIBPQ_COPY_BOTH},
		{0}};
	PgConn *conn = connect_to(impatient);
	StreamOptions whole = options;
	Source *source = NULL;
	Error err = {0};

	whole.in_pieces = false;
	assert_int_equal(stream_open(&source, conn, &whole, &err), RC_OK);
	work_at(source, 100 * SECOND_US);
	assert_int_equal(deadline_of(source), 100 * SECOND_US + SECOND_US / 2);
	close_stream(source);
}

static void
positions_cannot_be_told(void **state UNUSED)
{
	Source *source = open_stream();
	SourceMessage message;
	Error err = {0};

	libpq_script_lose(0);
	assert_int_equal(source_receive(source, &message, &err), RC_FAIL);
	error_reset(&err);
	assert_int_equal(source_work(source, 100 * SECOND_US, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	error_reset(&err);
	assert_int_equal(source_send_last(source, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	error_reset(&err);
	close_stream(source);
}

static void
the_last_positions_are_told_before_the_end(void **state UNUSED)
{
	Source *source = open_stream();
	const SourcePositions last = {
		.received = 0x300, .durable = 0x300, .applied = 0x300};
	SourcePositions told;
	Error err = {0};

	source_set_positions(source, &last);
	assert_int_equal(source_send_last(source, &err), RC_OK);
	assert_int_equal(count_reports(&told), 1);
	assert_memory_equal(&told, &last, sizeof(told));
	close_stream(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_of_one_that_does_not_begin),
		cmocka_unit_test(it_says_why_it_does_not_begin),
		cmocka_unit_test(an_answer_that_is_no_stream_is_refused),
		cmocka_unit_test(messages_are_handed_out_in_order),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(what_came_before_the_loss_is_handed_out),
		cmocka_unit_test(the_server_ends_the_stream),
		cmocka_unit_test(positions_are_told_when_they_move),
		cmocka_unit_test(the_server_hears_of_us_though_nothing_moves),
		cmocka_unit_test(a_keepalive_that_wants_an_answer_gets_one),
		cmocka_unit_test(an_impatient_server_hears_more_often),
		cmocka_unit_test(positions_cannot_be_told),
		cmocka_unit_test(the_last_positions_are_told_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
