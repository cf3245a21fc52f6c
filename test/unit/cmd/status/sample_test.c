/*
 * sample_test.c
 *    What two samples say about positions, lag and rates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cmd/status/sample.h"

#define SECOND_US 1000000

/* A follower that is 100 bytes and 2 seconds behind, of everything 1000. */
static void
make_samples(SourceStatus *source, TargetStatus *target)
{
	*source = (SourceStatus){
		.reached = true,
		.system_identifier = "42",
		.sample = {.lsn = 1100,
				   .now_us = 12 * SECOND_US,
				   .slot = {.exists = true,
							.plugin = SLOT_PLUGIN,
							.is_logical = true,
							.confirmed_lsn = 500}},
	};
	*target = (TargetStatus){
		.reached = true,
		.first = {.progress = {.exists = true, .end_lsn = 900},
				  .insert_lsn = 70,
				  .flush_lsn = 60,
				  .taken_us = 5 * SECOND_US},
		.second = {.progress = {.exists = true,
								.source = {.system_identifier = "42"},
								.end_lsn = 1000,
								.has_commit_time = true,
								.commit_time_us = 10 * SECOND_US,
								.transactions = 20,
								.rows = 500},
				   .insert_lsn = 90,
				   .flush_lsn = 80,
				   .taken_us = 7 * SECOND_US},
	};
}

static void
only_what_the_target_flushed_is_durable(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;

	make_samples(&source, &target);
	assert_int_equal(status_position(&source, &target).durable_lsn, 900);
	target.second.flush_lsn = 90;
	assert_int_equal(status_position(&source, &target).durable_lsn, 1000);
	target.second.flush_lsn = 69;
	assert_int_equal(status_position(&source, &target).durable_lsn, 500);
}

static void
another_plugins_slot_says_nothing(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;

	make_samples(&source, &target);
	source.sample.slot.confirmed_lsn = 1100;
	snprintf(source.sample.slot.plugin, sizeof(source.sample.slot.plugin),
			 "other");
	assert_int_equal(status_position(&source, &target).applied_lsn, 1000);
	assert_int_equal(status_position(&source, &target).durable_lsn, 900);
}

static void
progress_of_another_system_is_foreign(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;

	make_samples(&source, &target);
	assert_false(status_is_foreign(&source, &target));
	source.system_identifier[0] = '7';
	assert_true(status_is_foreign(&source, &target));
	source.system_identifier[0] = '\0';
	assert_false(status_is_foreign(&source, &target));
}

static void
a_slot_may_not_be_ahead_of_a_target(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;

	make_samples(&source, &target);
	source.sample.slot.confirmed_lsn = 1000;
	assert_false(status_is_passed(&source, &target));
	source.sample.slot.confirmed_lsn = 1001;
	assert_true(status_is_passed(&source, &target));
}

static void
lag_is_counted_in_bytes_and_time(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;
	TargetPosition position;

	make_samples(&source, &target);
	position = status_position(&source, &target);
	assert_true(position.has_lag);
	assert_int_equal(position.lag_bytes, 100);
	assert_true(position.lag_seconds == 2.0);
	target.second.progress.has_commit_time = false;
	assert_true(status_position(&source, &target).lag_seconds < 0);
}

static void
what_the_follower_reported_counts_as_applied(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;
	TargetPosition position;

	make_samples(&source, &target);
	source.sample.replayed_lsn = 1100;
	position = status_position(&source, &target);
	assert_int_equal(position.applied_lsn, 1100);
	assert_int_equal(position.lag_bytes, 0);
	assert_true(position.lag_seconds == 0.0);
}

static void
rates_are_per_second(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;
	TargetPosition position;

	make_samples(&source, &target);
	position = status_position(&source, &target);
	assert_true(position.transactions_per_s == 10.0);
	assert_true(position.rows_per_s == 250.0);
	target.first.progress.rows = 501;
	assert_true(status_position(&source, &target).rows_per_s < 0);
}

static void
without_a_source_there_is_no_lag(void **state UNUSED)
{
	SourceStatus source;
	TargetStatus target;
	TargetPosition position;

	make_samples(&source, &target);
	source.reached = false;
	position = status_position(&source, &target);
	assert_false(position.has_lag);
	assert_int_equal(position.applied_lsn, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_target_flushed_is_durable),
		cmocka_unit_test(another_plugins_slot_says_nothing),
		cmocka_unit_test(progress_of_another_system_is_foreign),
		cmocka_unit_test(a_slot_may_not_be_ahead_of_a_target),
		cmocka_unit_test(lag_is_counted_in_bytes_and_time),
		cmocka_unit_test(what_the_follower_reported_counts_as_applied),
		cmocka_unit_test(rates_are_per_second),
		cmocka_unit_test(without_a_source_there_is_no_lag),
	};

	return cmocka_run_group_tests_name("status_sample", tests, NULL, NULL);
}
