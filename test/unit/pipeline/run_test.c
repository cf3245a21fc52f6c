/*
 * run_test.c
 *    The loop with a source that has nothing, and sinks that fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/interrupt.h"
#include "pipeline/run.h"
#include "support/pass_filter.h"

#define SINKS 2

/* ---- a source that has nothing ------------------------------------------ */

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
source_nothing(Source *source UNUSED, int64_t now_us UNUSED, Error *err UNUSED)
{
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
	.work = source_nothing,
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
	int broken_off;
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
	bench->broken_off += rc == RC_FAIL;
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
	assert_int_equal(bench.broken_off, 2);
	assert_false(bench.met_released);
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced_sink_outlives_a_watch_that_waits),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	filtered = true;
	return failed + cmocka_run_group_tests_name("filtered", tests, NULL, NULL);
}
