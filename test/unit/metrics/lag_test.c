/*
 * lag_test.c
 *    What is known of a lag, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "metrics/lag.h"

#define SECOND INT64_C(1000000)

static Heartbeats
beats_every_second(int count)
{
	Heartbeats beats = {.interval_us = SECOND};

	for (int i = 1; i <= count; i++)
		heartbeats_add(&beats, (uint64_t) i * 100, i * SECOND);
	return beats;
}

static void
nothing_is_known_without_heartbeats(void **state UNUSED)
{
	Heartbeats beats = {.interval_us = SECOND};
	LagMeter meter = {0};
	double seconds;

	lag_note(&meter, &beats, 500, SECOND);
	assert_false(lag_read(&meter, &beats, 500, SECOND, &seconds));
	assert_false(heartbeats_are_recent(&beats, SECOND));
}

static void
the_lag_is_what_reaching_a_heartbeat_took(void **state UNUSED)
{
	Heartbeats beats = beats_every_second(3);
	LagMeter meter = {0};
	double seconds = -1;

	lag_note(&meter, &beats, 300, 3 * SECOND + SECOND / 2);
	assert_true(lag_read(&meter, &beats, 300, 4 * SECOND, &seconds));
	assert_int_equal((int) (seconds * 10), 5);
	/* Having reached it for longer is no lag. */
	lag_note(&meter, &beats, 310, 5 * SECOND);
	assert_true(lag_read(&meter, &beats, 310, 5 * SECOND, &seconds));
	assert_int_equal((int) (seconds * 10), 5);
}

static void
a_heartbeat_that_is_not_reached_gets_older(void **state UNUSED)
{
	Heartbeats beats = beats_every_second(3);
	LagMeter meter = {0};
	double seconds = -1;

	lag_note(&meter, &beats, 150, 3 * SECOND);
	assert_true(lag_read(&meter, &beats, 150, 100 * SECOND, &seconds));
	assert_int_equal((int) seconds, 98);
}

static void
that_nothing_lags_is_known_only_for_a_while(void **state UNUSED)
{
	Heartbeats beats = beats_every_second(3);
	LagMeter meter = {0};
	double seconds = -1;

	lag_note(&meter, &beats, 300, 3 * SECOND);
	assert_true(lag_read(&meter, &beats, 300, 6 * SECOND, &seconds));
	assert_int_equal((int) seconds, 0);
	assert_false(lag_read(&meter, &beats, 300, 6 * SECOND + 1, &seconds));
	/* A heartbeat of a source that has written nothing counts. */
	heartbeats_add(&beats, 300, 7 * SECOND);
	assert_int_equal(beats.count, 3);
	assert_true(lag_read(&meter, &beats, 300, 8 * SECOND, &seconds));
}

static void
what_everybody_has_reached_is_forgotten(void **state UNUSED)
{
	Heartbeats beats = beats_every_second(5);

	heartbeats_forget(&beats, 250);
	assert_int_equal(beats.count, 3);
	assert_int_equal((int) beats.beats[0].lsn, 300);
	heartbeats_forget(&beats, 10000);
	assert_int_equal(beats.count, 1);
	assert_int_equal((int) beats.beats[0].lsn, 500);
}

static void
too_many_are_thinned_out(void **state UNUSED)
{
	Heartbeats beats = beats_every_second(HEARTBEATS_MAX * 5);
	LagMeter meter = {0};
	double seconds = -1;
	int64_t now_us = (int64_t) HEARTBEATS_MAX * 5 * SECOND;

	assert_true(beats.count <= HEARTBEATS_MAX);
	assert_int_equal((int) beats.beats[0].lsn, 100);
	assert_int_equal((int) beats.beats[beats.count - 1].lsn,
					 HEARTBEATS_MAX * 500);
	for (int i = 1; i < beats.count; i++)
		assert_true(beats.beats[i].lsn > beats.beats[i - 1].lsn);
	/* The lag of a position in the middle is known to some tenths. */
	assert_true(lag_read(&meter, &beats, (uint64_t) HEARTBEATS_MAX * 250,
						 now_us, &seconds));
	assert_true(seconds <= HEARTBEATS_MAX * 2.5 &&
				seconds >= HEARTBEATS_MAX * 1.7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_without_heartbeats),
		cmocka_unit_test(the_lag_is_what_reaching_a_heartbeat_took),
		cmocka_unit_test(a_heartbeat_that_is_not_reached_gets_older),
		cmocka_unit_test(that_nothing_lags_is_known_only_for_a_while),
		cmocka_unit_test(what_everybody_has_reached_is_forgotten),
		cmocka_unit_test(too_many_are_thinned_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
