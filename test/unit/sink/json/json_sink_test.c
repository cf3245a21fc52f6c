/*
 * json_sink_test.c
 *    When lines leave, and what may be confirmed then.
 *
 * The sink prints to a pipe whose other end the test reads when it likes.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/json/json_sink.h"
#include "sink/json/output.h"

#define MEMORY_BYTES (256 * KB)

static RelationColumn columns[] = {{.name = "v", .type_oid = TYPE_TEXT}};
static Relation relation = {
	.schema = "public", .name = "item", .column_count = 1, .columns = columns};
static const MessageInfo loose = {.lsn = 50, .prefix = ""};

typedef struct Bench
{
	int pipe[2]; /* the test's end, the sink's end */
	Sink *sink;
} Bench;

static void
setup(Bench *bench)
{
	JsonSinkOptions options = {.memory_bytes = MEMORY_BYTES, .start_lsn = 100};

	assert_int_equal(pipe(bench->pipe), 0);
	assert_int_equal(fcntl(bench->pipe[0], F_SETFL, O_NONBLOCK), 0);
	options.fd = bench->pipe[1];
	bench->sink = json_sink_new(&options);
}

static void
teardown(Bench *bench)
{
	sink_free(bench->sink);
	close(bench->pipe[0]);
	close(bench->pipe[1]);
}

static void
begin(Bench *bench, Lsn end_lsn)
{
	const TxnInfo txn = {.commit_lsn = end_lsn - 1, .end_lsn = end_lsn};
	Error err = {0};

	assert_int_equal(sink_begin(bench->sink, &txn, &err), RC_OK);
}

static void
insert(Bench *bench, const char *text, size_t length)
{
	const Value value = {.kind = VALUE_TEXT,
						 .bytes = (const uint8_t *) text,
						 .length = (uint32_t) length};
	const Change change = {
		.kind = CHANGE_INSERT, .relation = &relation, .new_row = &value};
	Frame frame = {.references = 1};
	Error err = {0};

	assert_int_equal(sink_change(bench->sink, &frame, &change, &err), RC_OK);
}

static void
message(Bench *bench)
{
	const Change change = {.kind = CHANGE_MESSAGE, .message = &loose};
	Frame frame = {.references = 1};
	Error err = {0};

	assert_int_equal(sink_change(bench->sink, &frame, &change, &err), RC_OK);
}

static void
commit(Bench *bench, Lsn end_lsn)
{
	const TxnInfo txn = {.commit_lsn = end_lsn - 1, .end_lsn = end_lsn};
	Error err = {0};

	assert_int_equal(sink_commit(bench->sink, &txn, &err), RC_OK);
	bench->sink->orders.received_lsn = end_lsn;
}

static void
work(Bench *bench)
{
	Error err = {0};

	assert_int_equal(sink_work(bench->sink, true, &err), RC_OK);
}

/* Takes what is in the pipe; counts its lines. */
static int
read_lines(const Bench *bench)
{
	char bytes[4096];
	int lines = 0;
	ssize_t length;

	while ((length = read(bench->pipe[0], bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < length; i++)
			lines += bytes[i] == '\n';
	return lines;
}

/* Works until a position is durable, or the sink has stopped: the reader is to
 * have stayed for a moment with what it has read. */
static void
work_until(Bench *bench, Lsn durable_lsn, bool stopped)
{
	for (int i = 0; i < 100; i++)
	{
		work(bench);
		if (bench->sink->report->durable_lsn == durable_lsn &&
			bench->sink->report->stopped == stopped)
			return;
		poll(NULL, 0, OUTPUT_READER_MS / 4);
	}
	fail_msg("LSN %d did not become durable", (int) durable_lsn);
}

static void
a_transaction_is_durable_when_its_last_line_was_taken(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	work(&bench);
	assert_int_equal(read_lines(&bench), 1);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	insert(&bench, "b", 1);
	commit(&bench, 200);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	work(&bench);
	assert_int_equal(bench.sink->report->applied_lsn, 200);
	for (int i = 0; i < 4; i++)
	{
		poll(NULL, 0, OUTPUT_READER_MS);
		work(&bench);
	}
	assert_int_equal(bench.sink->report->durable_lsn,
					 100); /* nobody has read it */
	assert_int_equal(read_lines(&bench), 1);
	work(&bench);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	work_until(&bench, 200, false);
	teardown(&bench);
}

static void
durability_follows_an_idle_stream(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	bench.sink->orders.received_lsn = 300;
	work(&bench);
	assert_int_equal(bench.sink->report->durable_lsn, 300);
	begin(&bench, 400);
	bench.sink->orders.received_lsn = 350;
	work(&bench);
	assert_int_equal(bench.sink->report->durable_lsn, 300);
	teardown(&bench);
}

/* A pipe holds 64 kB: what is more has to wait for the reader. */
static void
a_slow_reader_fills_the_sink_and_empties_it(void **state UNUSED)
{
	static char text[64 * KB];
	Interest interest = INTEREST_NONE;
	Bench bench;
	int lines = 0;

	memset(text, 'x', sizeof(text));
	setup(&bench);
	for (Lsn lsn = 200; lsn < 206; lsn++)
	{
		begin(&bench, lsn);
		insert(&bench, text, sizeof(text));
		commit(&bench, lsn);
	}
	assert_true(bench.sink->report->full);
	work(&bench);
	assert_true(bench.sink->report->full);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	sink_interest(bench.sink, &interest);
	assert_int_equal(interest.fds[0].events, POLLOUT);
	for (int i = 0; i < 20; i++)
	{
		Lsn before = bench.sink->report->durable_lsn;

		lines += read_lines(&bench);
		work(&bench);
		assert_true(bench.sink->report->durable_lsn >= before);
	}
	assert_int_equal(lines + read_lines(&bench), 6);
	work_until(&bench, 205, false);
	assert_false(bench.sink->report->full);
	interest_reset(&interest);
	sink_interest(bench.sink, &interest);
	assert_int_equal(interest.fds[0].events, 0);
	interest_release(&interest);
	teardown(&bench);
}

static void
a_reader_that_has_gone_ends_it(void **state UNUSED)
{
	Error err = {0};
	Bench bench;

	setup(&bench);
	close(bench.pipe[0]);
	assert_int_equal(sink_work(bench.sink, true, &err), RC_END);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	commit(&bench, 200);
	assert_int_equal(sink_work(bench.sink, true, &err), RC_END);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	bench.pipe[0] = -1;
	teardown(&bench);
}

/* What was read and not stayed with is not durable, nor is what was not read.
 */
static void
a_reader_that_goes_takes_nothing_more(void **state UNUSED)
{
	Error err = {0};
	Bench bench;

	setup(&bench);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	commit(&bench, 200);
	work(&bench);
	assert_int_equal(read_lines(&bench), 1);
	work(&bench);
	close(bench.pipe[0]);
	poll(NULL, 0, 2 * OUTPUT_READER_MS);
	assert_int_equal(sink_work(bench.sink, true, &err), RC_END);
	assert_int_equal(bench.sink->report->durable_lsn, 100);
	bench.pipe[0] = -1;
	teardown(&bench);
}

static void
a_transaction_that_broke_off_goes_on_where_it_was(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	commit(&bench, 200);
	begin(&bench, 300);
	insert(&bench, "b", 1);
	insert(&bench, "c", 1);
	work(&bench);
	assert_int_equal(read_lines(&bench), 3);
	json_sink_resume(bench.sink);
	sink_begin_stream(bench.sink);
	assert_int_equal(bench.sink->report->start_lsn, 200);
	begin(&bench, 300);
	insert(&bench, "b", 1);
	json_sink_resume(bench.sink); /* and once more, even earlier */
	sink_begin_stream(bench.sink);
	begin(&bench, 300);
	insert(&bench, "b", 1);
	insert(&bench, "c", 1);
	insert(&bench, "d", 1);
	commit(&bench, 300);
	work(&bench);
	assert_int_equal(read_lines(&bench), 1);
	work_until(&bench, 300, false);
	teardown(&bench);
}

static void
a_message_outside_a_transaction_is_printed_once(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	message(&bench);
	json_sink_resume(bench.sink);
	sink_begin_stream(bench.sink);
	message(&bench);
	work(&bench);
	assert_int_equal(read_lines(&bench), 1);
	teardown(&bench);
}

static void
a_stop_waits_for_the_last_line(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	bench.sink->orders.mode = SINK_STOPPING;
	work(&bench);
	assert_false(bench.sink->report->stopped);
	assert_int_equal(read_lines(&bench), 1);
	work_until(&bench, 100, true);
	teardown(&bench);
}

/* A file takes lines at once; they are durable when they are on disk. */
static void
a_file_is_flushed_when_a_position_is_wanted(void **state UNUSED)
{
	char path[] = "/tmp/penstock_json_XXXXXX";
	Bench bench = {.pipe = {-1, mkstemp(path)}};
	JsonSinkOptions options = {
		.memory_bytes = MEMORY_BYTES, .start_lsn = 100, .fd = bench.pipe[1]};

	assert_true(bench.pipe[1] >= 0);
	bench.sink = json_sink_new(&options);
	begin(&bench, 200);
	insert(&bench, "a", 1);
	commit(&bench, 200);
	work(&bench); /* the first flush is due at once */
	assert_int_equal(bench.sink->report->durable_lsn, 200);
	begin(&bench, 300);
	insert(&bench, "b", 1);
	commit(&bench, 300);
	work(&bench);
	assert_int_equal(bench.sink->report->applied_lsn, 300);
	assert_int_equal(bench.sink->report->durable_lsn, 200);
	bench.sink->orders.position_wanted = true;
	work(&bench);
	assert_int_equal(bench.sink->report->durable_lsn, 300);
	unlink(path);
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transaction_is_durable_when_its_last_line_was_taken),
		cmocka_unit_test(durability_follows_an_idle_stream),
		cmocka_unit_test(a_slow_reader_fills_the_sink_and_empties_it),
		cmocka_unit_test(a_reader_that_has_gone_ends_it),
		cmocka_unit_test(a_reader_that_goes_takes_nothing_more),
		cmocka_unit_test(a_transaction_that_broke_off_goes_on_where_it_was),
		cmocka_unit_test(a_message_outside_a_transaction_is_printed_once),
		cmocka_unit_test(a_stop_waits_for_the_last_line),
		cmocka_unit_test(a_file_is_flushed_when_a_position_is_wanted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("json_sink", tests, NULL, NULL);
}
