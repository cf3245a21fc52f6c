/*
 * task_test.c
 *    Tasks: functions that wait while their callers continue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/task.h"

/* More than any wait of these tests takes. */
#define LONG_MS 60000

typedef struct Reader
{
	int pipe[2];
	int64_t timeout_ms;
	int step; /* what it has come to */
	Rc rc;    /* of its last wait */
} Reader;

/* Waits for a byte, twice. */
static Rc
read_twice(void *context, Error *err)
{
	Reader *self = context;
	char byte;

	for (self->step = 1; self->step <= 2; self->step++)
	{
		self->rc = interrupt_wait(self->pipe[0], POLLIN, self->timeout_ms, err);
		if (self->rc != RC_OK)
			break;
		assert_int_equal(read(self->pipe[0], &byte, 1), 1);
	}
	if (self->rc == RC_AGAIN)
		return error_set(err, ERR_IO, "nothing came");
	return self->rc;
}

static void
begin(Reader *reader, int64_t timeout_ms)
{
	*reader = (Reader){.timeout_ms = timeout_ms};
	assert_int_equal(pipe(reader->pipe), 0);
}

static void
end(const Reader *reader)
{
	close(reader->pipe[0]);
	close(reader->pipe[1]);
}

/* It goes on when its descriptor is ready, and not before. */
static void
test_it_waits_by_itself(void **state UNUSED)
{
	Interest interest = INTEREST_NONE;
	Error err = {0};
	Reader reader;
	Task *task;

	begin(&reader, -1);
	task = task_new(read_twice, &reader);
	task_interest(task, &interest);
	assert_int_equal(interest.count, 0);
	assert_int_equal(reader.step, 0);
	for (int step = 1; step <= 2; step++)
	{
		assert_int_equal(task_work(task, &err), RC_AGAIN);
		assert_int_equal(task_work(task, &err), RC_AGAIN);
		assert_int_equal(reader.step, step);
		interest_reset(&interest);
		task_interest(task, &interest);
		assert_int_equal(interest.count, 1);
		assert_int_equal(interest.fds[0].fd, reader.pipe[0]);
		assert_int_equal(interest.fds[0].events, POLLIN);
		assert_true(interest.deadline_us == INT64_MAX);
		assert_int_equal(write(reader.pipe[1], "x", 1), 1);
	}
	assert_false(task_is_running());
	assert_int_equal(task_work(task, &err), RC_OK);
	task_free(task);
	interest_release(&interest);
	end(&reader);
}

static void
test_its_failure_is_its_callers(void **state UNUSED)
{
	Interest interest = INTEREST_NONE;
	Error err = {0};
	Reader reader;
	Task *task;
	Rc rc;

	begin(&reader, 1);
	task = task_new(read_twice, &reader);
	assert_int_equal(task_work(task, &err), RC_AGAIN);
	task_interest(task, &interest);
	assert_true(interest.deadline_us <= clock_monotonic_us() + 1000);
	while ((rc = task_work(task, &err)) == RC_AGAIN)
		;
	assert_int_equal(rc, RC_FAIL);
	assert_int_equal(reader.rc, RC_AGAIN);
	assert_string_equal(err.message, "nothing came");
	error_reset(&err);
	task_free(task);
	interest_release(&interest);
	end(&reader);
}

/* Several take turns, and each goes on where it was. */
static void
test_several_take_turns(void **state UNUSED)
{
	Reader readers[8];
	Task *tasks[8];
	Error err = {0};

	for (int i = 0; i < 8; i++)
	{
		begin(&readers[i], LONG_MS);
		tasks[i] = task_new(read_twice, &readers[i]);
		assert_int_equal(task_work(tasks[i], &err), RC_AGAIN);
	}
	for (int i = 7; i >= 0; i--)
	{
		assert_int_equal(write(readers[i].pipe[1], "xx", 2), 2);
		assert_int_equal(task_work(tasks[i], &err), RC_OK);
		assert_int_equal(readers[i].step, 3);
		if (i > 0)
			assert_int_equal(readers[i - 1].step, 1);
	}
	for (int i = 0; i < 8; i++)
	{
		task_free(tasks[i]);
		end(&readers[i]);
	}
}

/* Released while it waits, it comes to its end first. */
static void
test_who_is_released_returns(void **state UNUSED)
{
	Error err = {0};
	Reader reader;
	Task *task;

	begin(&reader, LONG_MS);
	task = task_new(read_twice, &reader);
	assert_int_equal(task_work(task, &err), RC_AGAIN);
	task_free(task);
	assert_int_equal(reader.rc, RC_FAIL);
	assert_int_equal(reader.step, 1);

	task = task_new(read_twice, &reader);
	task_free(task);
	task_free(NULL);
	end(&reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_waits_by_itself),
		cmocka_unit_test(test_its_failure_is_its_callers),
		cmocka_unit_test(test_several_take_turns),
		cmocka_unit_test(test_who_is_released_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
