/*
 * task.h
 *    Runs a function that waits so that its caller does not wait with it.
 *
 * Work that needs several answers of a server is easiest to write, and to get
 * right, as a function that sends one question after the other and waits for
 * each answer.  Called directly, such a function makes the whole program wait.
 * Run as a task it has a stack of its own: each wait of base/interrupt.h in it
 * returns control to the function that called task_work(), which can do other
 * work.
 *
 * There are no threads: a task runs only inside task_work(), and nothing else
 * runs meanwhile.  A task may run other tasks.
 *
 *     task = task_new(open_target, opening);
 *     rc = task_work(task, &err);      RC_AGAIN: open_target() waits
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

/* Function of a task.  Must not return RC_AGAIN. */
typedef Rc (*TaskFunction)(void *context, Error *err);

/*
 * Makes a task.  `function` does not run before task_work().  `context` belongs
 * to the caller and has to live as long as the task.
 */
Task *task_new(TaskFunction function, void *context);

/*
 * Starts or resumes the task's function.  Returns RC_AGAIN when the function
 * waits, or the function's result, once, when it has returned.  If the event
 * that the function waits for has not happened yet, the function keeps waiting.
 */
MUST_CHECK Rc task_work(Task *task, Error *err);

/*
 * Adds to `interest` the descriptors and the deadline that the task's function
 * waits for; nothing if it has not begun or has returned.
 */
void task_interest(const Task *task, Interest *interest);

/* Whether the task's function has begun and not yet returned. */
bool task_is_waiting(const Task *task);

/*
 * Releases the task.  If its function still waits, this wait and all later ones
 * fail with ERR_INTERRUPTED until the function returns.  Accepts NULL.
 */
void task_free(Task *task);

/*
 * In a task: returns control to the caller of task_work(), and continues at the
 * next task_work().  Waits for nothing.  Returns false if the task is being
 * released; the function has to return then.
 */
bool task_pause(void);


/* ---- for base/interrupt.c ---- */

/* Whether we are in a task. */
bool task_is_running(void);

/* In a task: whether it is being released. */
bool task_is_cancelled(void);

/*
 * In a task: returns control to the caller of task_work(), and continues at the
 * next task_work(), whether or not a descriptor is ready.  `fds` and
 * `deadline_us` (monotonic; INT64_MAX: none) are what task_interest() adds.
 */
void task_yield(const struct pollfd *fds, int count, int64_t deadline_us);

#endif /* PENSTOCK_BASE_TASK_H */
