/*
 * history_test.c
 *    What is kept of the last hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/recent.h"
#include "metrics/history.h"

#define SECOND INT64_C(1000000)

static MetricsNumbers numbers;
static History history;

static int
set_up(void **state UNUSED)
{
	memset(&numbers, 0, sizeof(numbers));
	memset(&history, 0, sizeof(history));
	numbers.target_count = 1;
	return 0;
}

static void
a_point_is_taken_each_step(void **state UNUSED)
{
	history_note(&history, &numbers, SECOND);
	history_note(&history, &numbers, 2 * SECOND);
	assert_int_equal(history.count, 1);
	assert_true(history.points[0][0].rows_per_s < 0);
	assert_true(history.points[0][0].lag_s < 0);

	numbers.targets[0].rows = 400;
	history_note(&history, &numbers, SECOND + 2 * HISTORY_STEP_US);
	assert_int_equal(history.count, 2);
	assert_true(history.points[0][history_index(&history, 1)].rows_per_s == 10);
}

static void
an_hour_is_kept(void **state UNUSED)
{
	for (int i = 0; i < HISTORY_POINTS + 5; i++)
		history_note(&history, &numbers, (i + 1) * HISTORY_STEP_US);
	assert_int_equal(history.count, HISTORY_POINTS);
	assert_int_equal(history.times_us[history_index(&history, 0)],
					 6 * HISTORY_STEP_US);
	assert_int_equal(
		history.times_us[history_index(&history, HISTORY_POINTS - 1)],
		(HISTORY_POINTS + 5) * HISTORY_STEP_US);
}

static void
events_in_a_row_are_counted(void **state UNUSED)
{
	RecentEvent events[RECENT_EVENTS_MAX];

	assert_int_equal(recent_read(events), 0);
	recent_add("a.one", false, SECOND);
	recent_add("b.two", true, 2 * SECOND);
	recent_add("b.two", true, 3 * SECOND);
	assert_int_equal(recent_read(events), 2);
	assert_string_equal(events[0].name, "b.two");
	assert_true(events[0].is_error);
	assert_int_equal(events[0].times, 2);
	assert_int_equal(events[0].last_us, 3 * SECOND);
	assert_string_equal(events[1].name, "a.one");
	for (int i = 0; i < RECENT_EVENTS_MAX; i++)
		recent_add(i % 2 == 0 ? "c.even" : "c.odd", false, 4 * SECOND);
	assert_int_equal(recent_read(events), RECENT_EVENTS_MAX);
	assert_string_equal(events[RECENT_EVENTS_MAX - 1].name, "c.even");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_point_is_taken_each_step, set_up),
		cmocka_unit_test_setup(an_hour_is_kept, set_up),
		cmocka_unit_test_setup(events_in_a_row_are_counted, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
