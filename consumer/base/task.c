/*
 * task.c
 *    Tasks as stacks of their own, switched with makecontext(3) and
 *    swapcontext(3).
 */
#include "base/task.h"

#include <stdlib.h>
#include <ucontext.h>

#include "base/xalloc.h"

/* AddressSanitizer has to be told which stack is in use. */
#ifdef __SANITIZE_ADDRESS__
#define TASK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TASK_ASAN 1
#endif
#endif
#ifdef TASK_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/*
 * Bytes of a task's stack: enough for libpq with TLS and for resolving a host
 * name.  The kernel allocates only the pages that are used.
 */
#define STACK_BYTES ((size_t) 1024 * KB)

typedef enum TaskState
{
	TASK_NEW,
	TASK_RUNNING,
	TASK_WAITING,
	TASK_RETURNED,
} TaskState;

struct Task
{
	TaskState state;
	TaskFunction function;
	void *context;
	bool cancelled;

	Task *outer; /* task that called task_work(), while this one runs; or
				  * NULL */
	ucontext_t own;
	ucontext_t caller;
	char *stack;
	const void *caller_stack; /* stack of the caller, for AddressSanitizer */
	size_t caller_stack_bytes;

	/* While the function waits. */
	const struct pollfd *fds; /* array of the function, borrowed */
	int fd_count;
	int64_t deadline_us;

	/* When the function has returned. */
	Rc rc;
	Error err;
};

/* The task that runs now, or NULL. */
static Task *current;

/* ---- from one stack to another ------------------------------------------ */

/*
 * Starts or resumes the task's function.  Returns when the function waits or
 * has returned.
 */
static void
enter(Task *self)
{
#ifdef TASK_ASAN
	void *fake_stack = NULL;

	__sanitizer_start_switch_fiber(&fake_stack, self->stack, STACK_BYTES);
#endif
	self->outer = current;
	current = self;
	self->state = TASK_RUNNING;
	CHECK(swapcontext(&self->caller, &self->own) == 0);
	current = self->outer;
#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
}

/*
 * Switches back to the caller of the task.  Returns when the caller enters the
 * task again.
 */
static void
leave(Task *self, TaskState state)
{
#ifdef TASK_ASAN
	void *fake_stack = NULL;

	/* With NULL AddressSanitizer frees the fake stack of a task that ends. */
	__sanitizer_start_switch_fiber(state == TASK_RETURNED ? NULL : &fake_stack,
								   self->caller_stack,
								   self->caller_stack_bytes);
#endif
	self->state = state;
	CHECK(swapcontext(&self->own, &self->caller) == 0);
#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(fake_stack, &self->caller_stack,
									&self->caller_stack_bytes);
#endif
}

/* The first function on the stack of a task: calls the task's function. */
static void
begin(void)
{
	Task *self = current;

#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(NULL, &self->caller_stack,
									&self->caller_stack_bytes);
#endif
	self->rc = self->function(self->context, &self->err);
	CHECK(self->rc != RC_AGAIN);
	leave(self, TASK_RETURNED);
}

/* ---- life --------------------------------------------------------------- */

Task *
task_new(TaskFunction function, void *context)
{
	Task *self = xcalloc(1, sizeof(Task));

	CHECK(getcontext(&self->own) == 0);
	self->function = function;
	self->context = context;
	self->stack = xalloc_stack(STACK_BYTES);
	self->own.uc_stack.ss_sp = self->stack;
	self->own.uc_stack.ss_size = STACK_BYTES;
	makecontext(&self->own, begin, 0);
	return self;
}

Rc
task_work(Task *task, Error *err)
{
	CHECK(task->state == TASK_NEW || task->state == TASK_WAITING);
	enter(task);
	if (task->state == TASK_WAITING)
		return RC_AGAIN;
	if (task->rc == RC_FAIL)
		error_take(err, &task->err);
	return task->rc;
}

void
task_interest(const Task *task, Interest *interest)
{
	if (task->state != TASK_WAITING)
		return;
	for (int i = 0; i < task->fd_count; i++)
		interest_add(interest, task->fds[i].fd, task->fds[i].events);
	interest_until(interest, task->deadline_us);
}

bool
task_is_waiting(const Task *task)
{
	return task->state == TASK_WAITING;
}

void
task_free(Task *task)
{
	if (task == NULL)
		return;
	task->cancelled = true;
	while (task->state == TASK_WAITING)
		enter(task);
	CHECK(task->state != TASK_RUNNING);
	error_reset(&task->err);
	xfree_stack(task->stack, STACK_BYTES);
	free(task);
}

/* ---- waiting in a task -------------------------------------------------- */

bool
task_is_running(void)
{
	return current != NULL;
}

bool
task_is_cancelled(void)
{
	return current->cancelled;
}

bool
task_pause(void)
{
	task_yield(NULL, 0, INT64_MAX);
	return !current->cancelled;
}

void
task_yield(const struct pollfd *fds, int count, int64_t deadline_us)
{
	CHECK(current != NULL);
	current->fds = fds;
	current->fd_count = count;
	current->deadline_us = deadline_us;
	leave(current, TASK_WAITING);
}
