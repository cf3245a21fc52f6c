/*
 * task.h
 *    A function that waits, run so that its caller does not wait with it.
 *
 * What takes several questions to a server is easiest to read, and to get
 * right, as a function that asks one after the other.  Run by itself such a
 * function keeps everybody waiting; run as a task it has a stack of its own,
 * and each wait of base/interrupt.h in it returns to whoever runs the task.
 * There are no threads: a task only goes on inside task_work(), and nothing
 * else runs meanwhile.  A task may run tasks.
 *
 *     task = task_new(open_target, opening);
 *     rc = task_work(task, &err);      RC_AGAIN: it waits
 *     task_interest(task, &interest);
 *     … poll() …
 *     rc = task_work(task, &err);      what open_target() has returned
 *     task_free(task);
 */
#ifndef PENSTOCK_BASE_TASK_H
#define PENSTOCK_BASE_TASK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interest.h"

typedef struct Task Task;

/* Must not return RC_AGAIN. */
typedef Rc (*TaskFunction)(void *context, Error *err);

/* Nothing of it runs before task_work().  `context` is the caller's, and has to
 * live as long as the task. */
Task *task_new(TaskFunction function, void *context);

/*
 * Runs it until it waits (RC_AGAIN) or has returned: then this returns the
 * same, once.  If what it waits for is not there yet, it goes on waiting.
 */
MUST_CHECK Rc task_work(Task *task, Error *err);

/* Adds what a task that waits is waiting for.  One that has not begun, or has
 * returned, wants nothing. */
void task_interest(const Task *task, Interest *interest);

/* Whether it has begun, and not returned. */
bool task_is_waiting(const Task *task);

/*
 * Releases it.  If it still waits, its wait fails with ERR_INTERRUPTED, and so
 * does each further one, until it has returned.  Accepts NULL.
 */
void task_free(Task *task);

/*
 * In a task: lets its caller go on, and returns at the next task_work().
 * Nothing is waited for.  False: the task is being released, and has to return.
 */
bool task_pause(void);


/* ---- for base/interrupt.c ---- */

/* Whether a task runs. */
bool task_is_running(void);

/* In a task: whether it is being released. */
bool task_is_cancelled(void);

/*
 * In a task: lets its caller go on.  Returns at the next task_work(), whatever
 * has happened meanwhile; the deadline is monotonic, INT64_MAX: none.
 */
void task_yield(const struct pollfd *fds, int count, int64_t deadline_us);

#endif /* PENSTOCK_BASE_TASK_H */
