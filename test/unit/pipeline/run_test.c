/*
 * run_test.c
 *    The loop of a run, with an idle source, and with sinks that fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"
#include "pipeline/run.h"
#include "support/draft.h"
#include "support/pass_filter.h"

#define SINKS 2

/* ---- a source that has nothing ------------------------------------------ */

/* Times that it could have been told something. */
static int reports;

static Rc
receive(Source *source UNUSED, SourceMessage *message UNUSED, Error *err UNUSED)
{
	return RC_AGAIN;
}

static void
set_positions(Source *source UNUSED, const SourcePositions *positions UNUSED)
{
}

static Rc
report(Source *source UNUSED, int64_t now_us UNUSED, Error *err UNUSED)
{
	reports++;
	return RC_OK;
}

static Rc
send_last(Source *source UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
source_wants_nothing(const Source *source UNUSED, bool receiving UNUSED,
					 Interest *interest UNUSED)
{
}

static const SourceOps source_ops = {
	.name = "nothing",
	.receive = receive,
	.set_positions = set_positions,
	.work = report,
	.send_last = send_last,
	.interest = source_wants_nothing,
};

/* ---- sinks -------------------------------------------------------------- */

typedef struct Bench Bench;

typedef struct TestSink
{
	Sink sink; /* first */
	SinkReport report;
	Bench *bench;
	bool released;
	int works; /* turns of its work that have ended */
} TestSink;

struct Bench
{
	Source source;
	TestSink good;
	TestSink bad;   /* fails while the watch waits */
	TestSink other; /* in its place; ends the run */
	PassFilter filters[SINKS + 1];
	Sink *sinks[SINKS];
	int watches; /* that have begun */
	int interrupted;
	int64_t begun_us;
	bool met_released; /* a watch has found the sink released after a wait */
};

static Rc
work_well(Sink *sink UNUSED, bool source_idle UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static Rc
fail_once_watched(Sink *sink, bool source_idle UNUSED, Error *err)
{
	if (((TestSink *) sink)->bench->watches == 0)
		return RC_OK;
	return error_set(err, ERR_CONNECT, "the target is gone");
}

static Rc
end_once_watched_again(Sink *sink, bool source_idle UNUSED, Error *err UNUSED)
{
	return ((TestSink *) sink)->bench->watches > 1 ? RC_END : RC_OK;
}

static void
sink_wants_nothing(const Sink *sink UNUSED, Interest *interest UNUSED)
{
}

static void
release(Sink *sink)
{
	((TestSink *) sink)->released = true;
}

static const SinkOps good_ops = {.name = "good",
								 .work = work_well,
								 .interest = sink_wants_nothing,
								 .free = release};
static const SinkOps bad_ops = {.name = "bad",
								.work = fail_once_watched,
								.interest = sink_wants_nothing,
								.free = release};
static const SinkOps other_ops = {.name = "other",
								  .work = end_once_watched_again,
								  .interest = sink_wants_nothing,
								  .free = release};

/* Whether each sink has a filter in front of it. */
static bool filtered;

static Sink *
set_up(TestSink *sink, const SinkOps *ops, Bench *bench, PassFilter *filter)
{
	sink_init(&sink->sink, ops, &sink->report, 0);
	sink->bench = bench;
	return filtered ? pass_filter_init(filter, &sink->sink) : &sink->sink;
}

static Sink *
replace(void *context, int index, Error *err UNUSED)
{
	Bench *bench = context;

	assert_int_equal(index, 1);
	return set_up(&bench->other, &other_ops, bench, &bench->filters[1]);
}

/* It uses a sink of which it knows from before it waited. */
static Rc
watch(void *context, Lsn *endpos UNUSED, Error *err)
{
	Bench *bench = context;
	const TestSink *sink = (const TestSink *) sink_last(bench->sinks[1]);
	Rc rc;

	bench->watches++;
	rc = interrupt_wait(-1, 0, 60 * 1000, err);
	bench->interrupted += rc == RC_FAIL;
	bench->met_released |= sink->released;
	return rc == RC_AGAIN ? RC_OK : rc;
}

static void
test_replaced_sink_outlives_a_watch_that_waits(void **state UNUSED)
{
	Bench bench = {.source = {&source_ops}};
	const Pipeline pipeline = {.source = &bench.source,
							   .sinks = bench.sinks,
							   .sink_count = SINKS,
							   .replace = replace,
							   .replace_context = &bench,
							   .watch = watch,
							   .watch_context = &bench};
	bool progressed;
	Error err = {0};

	bench.sinks[0] = set_up(&bench.good, &good_ops, &bench, &bench.filters[0]);
	bench.sinks[1] = set_up(&bench.bad, &bad_ops, &bench, &bench.filters[2]);
	assert_int_equal(pipeline_run(&pipeline, &progressed, &err), RC_END);
	assert_true(bench.bad.released);
	assert_int_equal(bench.watches, 2);
	assert_int_equal(bench.interrupted, 2);
	assert_false(bench.met_released);
	error_reset(&err);
}

/* ---- sinks that wait ---------------------------------------------------- */

/* Turns that somebody who is kept waiting does not have, and more time than
 * they take. */
#define TURNS   20
#define LONG_MS 20000

static bool
has_gone_on(const Bench *bench, int before)
{
	return bench->good.works >= before + TURNS;
}

static Rc
wait_for_silent_target(Sink *sink, bool source_idle UNUSED, Error *err)
{
	TestSink *self = (TestSink *) sink;
	Rc rc;

	assert_int_equal(self->works, 0);
	rc = interrupt_wait(-1, 0, LONG_MS, err);
	self->works++;
	self->bench->interrupted += rc == RC_FAIL && err->code == ERR_INTERRUPTED;
	return rc;
}

static Rc
count_works(Sink *sink, bool source_idle UNUSED, Error *err UNUSED)
{
	((TestSink *) sink)->works++;
	return RC_OK;
}

static Rc
end_after_some_turns(Sink *sink, bool source_idle, Error *err)
{
	Rc rc = count_works(sink, source_idle, err);

	return has_gone_on(((TestSink *) sink)->bench, 0) ? RC_END : rc;
}

static void
want_next_turn(const Sink *sink UNUSED, Interest *interest)
{
	interest_until(interest, clock_monotonic_us() + 1000);
}

static const SinkOps silent_ops = {.name = "silent",
								   .work = wait_for_silent_target,
								   .interest = sink_wants_nothing,
								   .free = release};
static const SinkOps ending_ops = {.name = "ending",
								   .work = end_after_some_turns,
								   .interest = want_next_turn,
								   .free = release};

static void
test_a_silent_target_keeps_nobody_waiting(void **state UNUSED)
{
	Bench bench = {.source = {&source_ops}};
	const Pipeline pipeline = {
		.source = &bench.source, .sinks = bench.sinks, .sink_count = SINKS};
	int64_t begun_us = clock_monotonic_us();
	bool progressed;
	Error err = {0};

	reports = 0;
	bench.sinks[0] = set_up(&bench.bad, &silent_ops, &bench, &bench.filters[0]);
	bench.sinks[1] = set_up(&bench.good, &ending_ops, &bench,
							&bench.filters[1]);
	assert_int_equal(pipeline_run(&pipeline, &progressed, &err), RC_END);
	assert_true(clock_monotonic_us() < begun_us + LONG_MS * 1000);
	assert_true(reports >= TURNS - 1);

	/* Its wait has ended, and it is for its owner to release. */
	assert_int_equal(bench.interrupted, 1);
	assert_false(bench.bad.released);
}

/* To cancel what runs on a target that is gone takes its time. */
static void
release_slowly(Sink *sink)
{
	TestSink *self = (TestSink *) sink;
	int before = self->bench->good.works;

	while (!has_gone_on(self->bench, before) &&
		   clock_monotonic_us() < self->bench->begun_us + LONG_MS * 1000)
		interrupt_wait_leaving(-1, 0, 1);
	self->released = true;
}

static Rc
fail_at_once(Sink *sink UNUSED, bool source_idle UNUSED, Error *err)
{
	return error_set(err, ERR_CONNECT, "the target is gone");
}

static Rc
end_once_released(Sink *sink, bool source_idle UNUSED, Error *err UNUSED)
{
	return ((TestSink *) sink)->bench->bad.released ? RC_END : RC_OK;
}

static const SinkOps failing_ops = {.name = "failing",
									.work = fail_at_once,
									.interest = sink_wants_nothing,
									.free = release_slowly};
static const SinkOps counting_ops = {.name = "counting",
									 .work = count_works,
									 .interest = want_next_turn,
									 .free = release};
static const SinkOps last_ops = {.name = "last",
								 .work = end_once_released,
								 .interest = sink_wants_nothing,
								 .free = release};

static Sink *
replace_by_last(void *context, int index, Error *err UNUSED)
{
	Bench *bench = context;

	assert_int_equal(index, 0);
	return set_up(&bench->other, &last_ops, bench, &bench->filters[2]);
}

static void
test_releasing_a_sink_keeps_nobody_waiting(void **state UNUSED)
{
	Bench bench = {.source = {&source_ops}, .begun_us = clock_monotonic_us()};
	const Pipeline pipeline = {.source = &bench.source,
							   .sinks = bench.sinks,
							   .sink_count = SINKS,
							   .replace = replace_by_last,
							   .replace_context = &bench};
	bool progressed;
	Error err = {0};

	bench.sinks[0] = set_up(&bench.bad, &failing_ops, &bench,
							&bench.filters[0]);
	bench.sinks[1] = set_up(&bench.good, &counting_ops, &bench,
							&bench.filters[1]);
	assert_int_equal(pipeline_run(&pipeline, &progressed, &err), RC_END);
	assert_true(clock_monotonic_us() < bench.begun_us + LONG_MS * 1000);
	assert_true(has_gone_on(&bench, 0));
}

/* ---- a source that sends ------------------------------------------------ */

/* Messages that it has sent. */
static int sent;

/* Sends the same transaction again and again. */
static Rc
receive_again(Source *source UNUSED, SourceMessage *message, Error *err UNUSED)
{
	uint8_t *memory;
	Draft draft;
	Buf packed;

	draft_init(&draft);
	if (sent++ == 0)
		draft_session(&draft);
	draft_begin(&draft);
	draft_commit(&draft);
	buf_init(&packed, 1024);
	draft_pack(&draft, &packed);
	memory = xmalloc(packed.length);
	memcpy(memory, packed.data, packed.length);
	*message = (SourceMessage){.kind = SOURCE_DATA,
							   .memory = memory,
							   .memory_free = free,
							   .data = memory,
							   .length = packed.length};
	buf_release(&packed);
	return RC_OK;
}

static Rc
take_txn(Sink *sink UNUSED, const TxnInfo *txn, Error *err UNUSED)
{
	assert_int_equal(txn->end_lsn, DRAFT_END_LSN);
	return RC_OK;
}

static void
test_transactions_that_are_not_in_order_are_refused(void **state UNUSED)
{
	static const SinkOps taking_ops = {.name = "taking",
									   .begin = take_txn,
									   .commit = take_txn,
									   .work = work_well,
									   .interest = sink_wants_nothing,
									   .free = release};
	SourceOps sending_ops = source_ops;
	Bench bench = {.source = {&sending_ops}};
	const Pipeline pipeline = {
		.source = &bench.source, .sinks = bench.sinks, .sink_count = 1};
	bool progressed;
	Error err = {0};

	sending_ops.receive = receive_again;
	sent = 0;
	bench.sinks[0] = set_up(&bench.good, &taking_ops, &bench,
							&bench.filters[0]);
	assert_int_equal(pipeline_run(&pipeline, &progressed, &err), RC_FAIL);
	assert_int_equal(sent, 2);
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_string_equal(err.message,
						"the source sends transaction 700, which ends at "
						"0/1030, after transaction 700, which ends at 0/1030");
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced_sink_outlives_a_watch_that_waits),
		cmocka_unit_test(test_a_silent_target_keeps_nobody_waiting),
		cmocka_unit_test(test_releasing_a_sink_keeps_nobody_waiting),
		cmocka_unit_test(test_transactions_that_are_not_in_order_are_refused),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	filtered = true;
	return failed + cmocka_run_group_tests_name("filtered", tests, NULL, NULL);
}
