/*
 * watch_test.c
 *    A watch function that is running when the stream is interrupted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "pipeline/run.h"
#include "support/memory_sink.h"
#include "support/pass_filter.h"

/* How long the watch takes, and much more than that. */
#define WATCH_MS 50
#define LONG_MS  5000

/* Who has what the sink needs to finish. */
typedef struct Watch
{
	bool holds;
	Lsn endpos; /* that it says */
	Rc rc;      /* of its wait */
} Watch;

static Watch watch;

/* Whether the sink has a filter in front of it. */
static bool filtered;
static int64_t begun_us;

/* A lock, say, until a server has answered. */
static Rc
hold(void *context UNUSED, Lsn *endpos, Error *err)
{
	watch.holds = true;
	watch.rc = interrupt_wait(-1, 0, WATCH_MS, err);
	watch.holds = false;
	*endpos = watch.endpos;
	return watch.rc == RC_AGAIN ? RC_OK : watch.rc;
}

static Rc
end_at_once(Source *source UNUSED, SourceMessage *message UNUSED,
			Error *err UNUSED)
{
	return RC_END;
}

static void
ignore_positions(Source *source UNUSED, const SourcePositions *positions UNUSED)
{
}

static Rc
do_nothing(Source *source UNUSED, int64_t now_us UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static Rc
say_nothing(Source *source UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
want_nothing(const Source *source UNUSED, bool receiving UNUSED,
			 Interest *interest UNUSED)
{
}

static void
leave(Source *source UNUSED)
{
}

static bool
is_late(void)
{
	return clock_monotonic_us() >= begun_us + LONG_MS * 1000;
}

static Rc
finish_when_it_can(Sink *sink, bool source_idle UNUSED, Error *err UNUSED)
{
	((MemorySink *) sink)->report.stopped = sink->orders.mode ==
												SINK_SETTLING &&
											(!watch.holds || is_late());
	return RC_OK;
}

static void
wait_until_late(const Sink *sink UNUSED, Interest *interest)
{
	interest_until(interest, begun_us + LONG_MS * 1000);
}

/* Times that a Beside has run while the rest was finished. */
static int besides;

static Rc
run_beside(void *context UNUSED, Error *err UNUSED)
{
	besides++;
	return RC_OK;
}

static Rc
run_nothing(void *context UNUSED, Error *err UNUSED)
{
	return RC_OK;
}

static void
settle(Lsn endpos)
{
	static const SourceOps source_ops = {
		.receive = end_at_once,
		.set_positions = ignore_positions,
		.work = do_nothing,
		.send_last = say_nothing,
		.interest = want_nothing,
		.close = leave,
	};
	Source source = {.ops = &source_ops};
	MemorySink memory;
	Sink *sinks[1] = {&memory.sink};
	Pipeline pipeline = {.source = &source,
						 .sinks = sinks,
						 .sink_count = 1,
						 .watch = hold,
						 .beside = {{.step = run_nothing,
									 .step_after = run_beside,
									 .interval_ms = 1}},
						 .beside_count = 1};
	bool progressed;
	Error err = {0};
	PassFilter filter;
	SinkOps ops;

	memory_sink_init(&memory, 0);
	ops = *memory.sink.ops;
	ops.work = finish_when_it_can;
	ops.interest = wait_until_late;
	memory.sink.ops = &ops;
	if (filtered)
		sinks[0] = pass_filter_init(&filter, sinks[0]);
	watch = (Watch){.endpos = endpos};
	begun_us = clock_monotonic_us();
	besides = 0;
	assert_int_equal(pipeline_run(&pipeline, &progressed, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_false(is_late());
	assert_int_equal(watch.rc, RC_AGAIN);
	assert_true(besides > 0);
	error_reset(&err);
	sink_free(sinks[0]);
}

/* What it holds, such as a lock, could keep what is to be finished.  What it
 * says comes too late. */
static void
test_a_watch_ends_while_the_rest_is_finished(void **state UNUSED)
{
	settle(0);
	settle(0x100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_watch_ends_while_the_rest_is_finished),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	filtered = true;
	return failed + cmocka_run_group_tests_name("filtered", tests, NULL, NULL);
}
