/*
 * progress_test.c
 *    The confirmed position is never beyond any target's, and never moves back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "progress/progress.h"

static void
the_slowest_target_decides(void **state UNUSED)
{
	const ProgressTarget targets[] = {{200, 150}, {180, 170}, {190, 120}};
	Progress progress;

	progress_init(&progress, 100);
	progress_received(&progress, 300);
	progress_update(&progress, targets, LENGTH_OF(targets));
	assert_int_equal(progress.received, 300);
	assert_int_equal(progress.confirmed, 120);
	assert_int_equal(progress.applied, 180);
}

static void
what_was_not_received_is_not_confirmed(void **state UNUSED)
{
	const ProgressTarget ahead = {500, 500};
	Progress progress;

	progress_init(&progress, 100);
	progress_update(&progress, &ahead, 1);
	assert_int_equal(progress.confirmed, 100);
	assert_int_equal(progress.applied, 100);
	progress_received(&progress, 250);
	progress_update(&progress, &ahead, 1);
	assert_int_equal(progress.confirmed, 250);
}

static void
positions_never_move_back(void **state UNUSED)
{
	const ProgressTarget behind = {50, 40};
	Progress progress;

	progress_init(&progress, 100);
	progress_received(&progress, 90);
	assert_int_equal(progress.received, 100);
	progress_update(&progress, &behind, 1);
	assert_int_equal(progress.confirmed, 100);
	assert_int_equal(progress.applied, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_slowest_target_decides),
		cmocka_unit_test(what_was_not_received_is_not_confirmed),
		cmocka_unit_test(positions_never_move_back),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
