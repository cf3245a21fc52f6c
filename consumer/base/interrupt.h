/*
 * interrupt.h
 *    Requests to stop, and waits that such a request ends.
 *
 * The signal handlers only set a flag and make a descriptor readable.  Every
 * function that waits polls this descriptor, too.  The first INT or TERM
 * requests an orderly stop; the second ends the process at once.
 *
 * HUP also requests a stop if standard error is a terminal, because the kernel
 * sends it when the terminal is closed.  Without a terminal it calls what
 * interrupt_set_hangup() has set, or only logs that nothing is read again.
 */
#ifndef PENSTOCK_BASE_INTERRUPT_H
#define PENSTOCK_BASE_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/task.h"

/*
 * Installs the handlers for INT, TERM, HUP and USR1, and ignores PIPE.  If HUP
 * is ignored, as under nohup, it stays ignored.  Opens standard input, output
 * and error if they are closed, so that no descriptor that is opened later
 * becomes one of them.
 */
MUST_CHECK Rc interrupt_init(Error *err);

/* Whether a stop was requested.  False while it is deferred. */
bool interrupt_requested(void);

/*
 * interrupt_defer(true) keeps a first request to stop from ending waits, so
 * that a caller can undo its work with the ordinary functions.  The request
 * takes effect after interrupt_defer(false).  A second request ends the process
 * all the same.
 */
void interrupt_defer(bool deferred);

/*
 * Has the program stop in `ms` milliseconds, more than 0, as if a signal had
 * requested it; until interrupt_end_limit().  That returns whether the time was
 * over.  For work that has no limit of its own.  Only one limit at a time.
 */
void interrupt_limit(int64_t ms);
bool interrupt_end_limit(void);

/*
 * Has `work` called after a HUP, by whoever waits next; not by the handler of
 * the signal.  It must not wait for a server.  NULL: nothing is read again,
 * which is logged.  Returns what was set before.
 */
typedef void (*InterruptWork)(void *context);
typedef struct InterruptHangup
{
	InterruptWork work;
	void *context;
} InterruptHangup;
InterruptHangup interrupt_set_hangup(InterruptWork work, void *context);

/* Whether USR1 has requested a report since the last call. */
bool interrupt_take_report_request(void);

/*
 * Returns the descriptor that becomes readable when a signal arrives.
 * interrupt_drain() makes it unreadable again.
 */
int interrupt_fd(void);
void interrupt_drain(void);

/*
 * Waits until `fd` is ready for `events` (as for poll(2); fd -1 waits for time
 * only) or `timeout_ms` has passed (-1: no limit).  Returns RC_OK if `fd` is
 * ready, RC_AGAIN if the time has passed; fails with ERR_INTERRUPTED when a
 * stop is requested.  In a task only the task waits: see task.h.
 */
MUST_CHECK Rc interrupt_wait(int fd, short events, int64_t timeout_ms,
							 Error *err);

/*
 * Waits like interrupt_wait() for one or more of several descriptors.  Their
 * revents say which of them are ready.
 */
MUST_CHECK Rc interrupt_wait_any(struct pollfd *fds, int count,
								 int64_t timeout_ms, Error *err);

/*
 * Waits for a descriptor, at most `timeout_ms`, whether or not a stop was
 * requested: for the little that has to be done before the program ends.  In a
 * task only the task waits, until the task is released.
 */
void interrupt_wait_leaving(int fd, short events, int64_t timeout_ms);

/*
 * Waits until one of the tasks can continue (RC_OK), or until the deadline
 * (RC_AGAIN; monotonic, INT64_MAX: none).  Elements of `tasks` may be NULL.
 */
MUST_CHECK Rc interrupt_wait_tasks(Task *const *tasks, int count,
								   int64_t deadline_us, Error *err);

/*
 * Has `work` called about every INTERRUPT_BACKGROUND_MS while the program waits
 * in one of the functions above, for whatever reason.  So a server is kept
 * informed while we wait for another one.  `work` must not wait.  NULL: none.
 */
#define INTERRUPT_BACKGROUND_MS 100
void interrupt_set_background(InterruptWork work, void *context);

#endif /* PENSTOCK_BASE_INTERRUPT_H */
