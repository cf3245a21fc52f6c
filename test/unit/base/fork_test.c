/*
 * fork_test.c
 *    A group of processes: when one ends, the others are ended, too.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fork.h"
#include "base/interrupt.h"

#define COUNT 3

/* Waits until it is told to end. */
static int
wait_for_stop(void)
{
	Error err = {0};
	Rc rc = interrupt_wait(-1, 0, -1, &err);

	error_reset(&err);
	return rc == RC_FAIL ? 0 : 1;
}

static int
end_well(void *context UNUSED, int number UNUSED)
{
	return 0;
}

static int
second_fails(void *context UNUSED, int number)
{
	return number == 1 ? 3 : wait_for_stop();
}

static int
last_is_killed(void *context UNUSED, int number)
{
	return number == COUNT - 1 ? raise(SIGKILL) : wait_for_stop();
}

/* One of them has our parent told to stop. */
static int
first_stops_us(void *context UNUSED, int number)
{
	if (number == 0)
		kill(getppid(), SIGTERM);
	return wait_for_stop();
}

static void
all_end_well(void **state UNUSED)
{
	Error err = {0};
	int failed;

	assert_int_equal(fork_run(COUNT, end_well, NULL, &failed, &err), RC_OK);
	assert_int_equal(failed, -1);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
}

static void
one_that_fails_ends_the_others(void **state UNUSED)
{
	Error err = {0};
	int failed;

	assert_int_equal(fork_run(COUNT, second_fails, NULL, &failed, &err),
					 RC_END);
	assert_int_equal(failed, 1);
	assert_int_equal(fork_run(COUNT, last_is_killed, NULL, &failed, &err),
					 RC_END);
	assert_int_equal(failed, COUNT - 1);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
}

/* The last one: a request to stop is not taken back. */
static void
a_request_to_stop_is_for_all(void **state UNUSED)
{
	Error err = {0};
	int failed;

	assert_int_equal(fork_run(COUNT, first_stops_us, NULL, &failed, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_INTERRUPTED);
	assert_int_equal(failed, -1);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_end_well),
		cmocka_unit_test(one_that_fails_ends_the_others),
		cmocka_unit_test(a_request_to_stop_is_for_all),
	};
	Error err = {0};

	if (interrupt_init(&err) != RC_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
