/*
 * child_test.c
 *    Running other programs, and stop requests while they run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/interrupt.h"

/* Runs a shell script; the output is in `output`. */
static Rc
run_script(const char *script, Buf *output, Error *err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const ChildCommand command = {
		.argv = argv,
		.variable = "PENSTOCK_TEST",
		.variable_value = "for the child",
	};

	return child_run(&command, output, err);
}

static void
a_program_that_is_not_there_says_so(void **state UNUSED)
{
	const char *argv[] = {"/nonexistent/program", NULL};
	const ChildCommand command = {.argv = argv};
	Error err = {0};
	Buf output;

	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(child_run(&command, &output, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.detail, "could not run"));
	buf_release(&output);
	error_reset(&err);
}

static void
a_failure_carries_the_output(void **state UNUSED)
{
	Error err = {0};
	Buf output;

	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(
		run_script("echo out; echo wrong >&2; exit 3", &output, &err), RC_FAIL);
	assert_string_equal(err.message, "\"sh\" failed with status 3");
	assert_string_equal(err.detail, "out\nwrong");
	buf_release(&output);
	error_reset(&err);
}

static void
a_signal_that_ends_it_is_told(void **state UNUSED)
{
	Error err = {0};
	Buf output;

	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(run_script("kill -9 $$", &output, &err), RC_FAIL);
	assert_string_equal(err.message, "\"sh\" was ended by signal 9");
	assert_null(err.detail);
	buf_release(&output);
	error_reset(&err);
}

static void
output_that_does_not_fit_is_dropped(void **state UNUSED)
{
	Error err = {0};
	Buf output;

	buf_init(&output, 10);
	assert_int_equal(run_script("yes | head -c 300000", &output, &err), RC_OK);
	assert_true(output.length <= 10);
	assert_false(output.overflowed);
	buf_release(&output);
}

static void
the_variable_is_the_childs_alone(void **state UNUSED)
{
	Error err = {0};
	Buf output;

	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(run_script("echo \"$PENSTOCK_TEST\"", &output, &err),
					 RC_OK);
	assert_string_equal(output.data, "for the child");
	assert_null(getenv("PENSTOCK_TEST"));
	buf_release(&output);
}

static void
its_time_is_limited_also_for_what_it_leaves_running(void **state UNUSED)
{
	const char *argv[] = {"sh", "-c", "sleep 60 & exit 0", NULL};
	const ChildCommand command = {.argv = argv, .limit_ms = 100};
	Error err = {0};
	Buf output;

	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(child_run(&command, &output, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.message, "\"sh\" has not ended within 100 ms");
	buf_release(&output);
	error_reset(&err);
}

/* The last test: the request to stop stays. */
static void
a_request_to_stop_ends_the_child(void **state UNUSED)
{
	Error err = {0};
	Buf output;

	assert_int_equal(interrupt_init(&err), RC_OK);
	buf_init(&output, CHILD_OUTPUT_MAX);
	assert_int_equal(run_script("kill -TERM $PPID; sleep 60", &output, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_INTERRUPTED);

	/* What is undone afterwards is not cut short. */
	interrupt_defer(true);
	buf_reset(&output);
	assert_int_equal(run_script("echo done", &output, &err), RC_OK);
	assert_string_equal(output.data, "done");
	interrupt_defer(false);
	assert_true(interrupt_requested());
	buf_release(&output);
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_is_not_there_says_so),
		cmocka_unit_test(a_failure_carries_the_output),
		cmocka_unit_test(a_signal_that_ends_it_is_told),
		cmocka_unit_test(output_that_does_not_fit_is_dropped),
		cmocka_unit_test(the_variable_is_the_childs_alone),
		cmocka_unit_test(its_time_is_limited_also_for_what_it_leaves_running),
		cmocka_unit_test(a_request_to_stop_ends_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
