/*
 * targets_test.c
 *    Attempts to connect to an unreachable target are ended after everything
 *    else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/targets.h"
#include "support/libpq_script.h"
#include "support/memory_sink.h"

/* What a sink that was released has for positions. */
#define RUBBISH_LSN UINT64_MAX

static void
leave_rubbish(Sink *sink)
{
	sink->orders.received_lsn = RUBBISH_LSN;
}

static void
begin(Attempt *attempt, const Config *config, Identity *identity, Known *known,
	  MemorySink *sinks)
{
	static const LibpqStep steps[] = {{0}};

	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	*attempt = (Attempt){.config = config,
						 .identity = identity,
						 .known = known,
						 .sink_count = config->target_count};
	for (int i = 0; i < config->target_count; i++)
	{
		memory_sink_init(&sinks[i], 0);
		attempt->sinks[i] = &sinks[i].sink;
		attempt->openings[i] = (Opening){.attempt = attempt, .index = i};
	}
}

/* What stands in for the second target looks for it. */
static void
lose_second(Attempt *attempt)
{
	Error err = {.code = ERR_NONE};
	Rc rc = error_set(&err, ERR_CONNECT, "gone");
	Sink *gone = attempt->sinks[1];

	assert_int_equal(rc, RC_FAIL);
	attempt->sinks[1] = targets_replace(attempt, 1, &err);
	assert_non_null(attempt->sinks[1]);
	sink_free(gone);
	error_reset(&err);
	assert_int_equal(sink_work(attempt->sinks[1], true, &err), RC_OK);
	assert_int_equal(libpq_script_connections(), 1);
}

/* It is told to stop, and does not look at sinks that are released by then. */
static void
test_what_looks_for_a_target_ends_last(void **state UNUSED)
{
	static const Config config = {
		.name = "shop",
		.targets = {"host=/script", "host=/script"},
		.target_count = 2,
		.apply_mode = "batch",
	};
	Identity identity = {0};
	Known known[2] = {0};
	MemorySink sinks[2];
	Attempt attempt;
	SinkOps ops;

	begin(&attempt, &config, &identity, known, sinks);
	ops = *sinks[0].sink.ops;
	ops.free = leave_rubbish;
	libpq_script_stall(true);
	lose_second(&attempt);
	buf_release(&sinks[0].log);
	sinks[0].sink.ops = &ops;
	targets_close(&attempt);
	assert_int_equal(sinks[0].sink.orders.received_lsn, RUBBISH_LSN);
	assert_int_equal(attempt.source.flush_lsn, 0);
	libpq_script_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_looks_for_a_target_ends_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
