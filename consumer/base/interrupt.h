/*
 * interrupt.h
 *    Being asked to stop.
 *
 * The signal handlers set a flag and make a descriptor readable, nothing else.
 * Everything that waits polls that descriptor beside its own.  The first INT
 * or TERM asks for an orderly stop; the second leaves at once.
 *
 * HUP from a terminal that goes away is a request to stop, too.  Without a
 * terminal it is said that nothing is read again; the work goes on.
 */
#ifndef PENSTOCK_BASE_INTERRUPT_H
#define PENSTOCK_BASE_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/task.h"

/*
 * Installs the handlers for INT, TERM, HUP and USR1, and ignores PIPE.  HUP
 * that is ignored, as under nohup, stays so.  Also sees to it that no
 * descriptor which is opened from here on becomes standard output.
 */
MUST_CHECK Rc interrupt_init(Error *err);

/* Whether a stop was asked for; stays true. */
bool interrupt_requested(void);

/*
 * While deferred, a first request to stop does not cut waits short, so that
 * what was begun can be undone with the ordinary functions.  The request is
 * not forgotten; a second one still leaves at once.
 */
void interrupt_defer(bool deferred);

/* Whether USR1 asked for a report since the last call. */
bool interrupt_take_report_request(void);

/* Becomes readable when a signal comes; interrupt_drain() makes it unreadable
 * again. */
int interrupt_fd(void);
void interrupt_drain(void);

/*
 * Waits until `fd` is ready for `events` (as for poll(2); fd -1 waits for time
 * only), or `timeout_ms` is over (-1: for ever).  RC_OK: ready; RC_AGAIN: time
 * is over; RC_FAIL with ERR_INTERRUPTED: a stop was asked for.  In a task only
 * that waits: see task.h.
 */
MUST_CHECK Rc interrupt_wait(int fd, short events, int64_t timeout_ms,
							 Error *err);

/* The same for several; which of them are ready stands in their revents. */
MUST_CHECK Rc interrupt_wait_any(struct pollfd *fds, int count,
								 int64_t timeout_ms, Error *err);

/*
 * Waits for a descriptor, but not longer, whether or not a stop was asked for.
 * For the little that has to be done on the way out.  In a task only that
 * waits, until the task is released.
 */
void interrupt_wait_leaving(int fd, short events, int64_t timeout_ms);

/*
 * Waits until one of these tasks, of which some may be NULL, can go on (RC_OK),
 * or until the deadline (RC_AGAIN; monotonic, INT64_MAX: none).
 */
MUST_CHECK Rc interrupt_wait_tasks(Task *const *tasks, int count,
								   int64_t deadline_us, Error *err);

/*
 * From here on `work` is called about every INTERRUPT_BACKGROUND_MS while one
 * of the above waits, whoever it is that waits: so a server hears of us while
 * another keeps us waiting.  It must not wait itself.  NULL: no more.
 */
#define INTERRUPT_BACKGROUND_MS 100
typedef void (*InterruptWork)(void *context);
void interrupt_set_background(InterruptWork work, void *context);

#endif /* PENSTOCK_BASE_INTERRUPT_H */
