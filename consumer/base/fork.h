/*
 * fork.h
 *    Runs the same function for several things at the same time, each in a
 *    process.
 *
 * When one process fails, we stop the others.  When we are asked to stop, we
 * stop all of them in an orderly way.  When we are killed with SIGKILL, the
 * kernel sends each of them SIGTERM.  Each has a process group of its own, so
 * that a Ctrl-C at the terminal is sent to us alone.
 */
#ifndef PENSTOCK_BASE_FORK_H
#define PENSTOCK_BASE_FORK_H

#include "base/error.h"

/* Largest number of processes. */
#define FORK_COUNT_MAX 64

/*
 * Function that process `number`, from 0, runs.  Returns the exit status of the
 * process.
 */
typedef int (*ForkFunction)(void *context, int number);

/*
 * Runs `count` processes and waits until all have ended.  To be called while no
 * connection is open, because the processes would share it.  Returns RC_OK if
 * all ended with status 0.  Returns RC_END if one failed: *failed is the number
 * of the first.  Fails with ERR_INTERRUPTED if the processes were stopped
 * because a stop was requested.
 */
MUST_CHECK Rc fork_run(int count, ForkFunction run, void *context, int *failed,
					   Error *err);

#endif /* PENSTOCK_BASE_FORK_H */
