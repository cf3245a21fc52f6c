/*
 * fork.h
 *    Doing the same for several things at once, in a process for each.
 *
 * The processes belong together: when one fails the others are ended, when we
 * are asked to stop all of them are, in good order, and if we are killed
 * outright they end by themselves.  Each has a process group of its own, so
 * that a Ctrl-C at the terminal comes to us alone.
 */
#ifndef PENSTOCK_BASE_FORK_H
#define PENSTOCK_BASE_FORK_H

#include "base/error.h"

/* Processes at most. */
#define FORK_COUNT_MAX 64

/* Runs in the process of that number, and returns its exit status. */
typedef int (*ForkFunction)(void *context, int number);

/*
 * Runs them and waits until all have ended; to be called while there are no
 * connections that a process could share.  RC_OK: all ended with status 0.
 * RC_END: *failed is the number of the first that did not.  RC_FAIL with
 * ERR_INTERRUPTED: they were ended because we were asked to stop.
 */
MUST_CHECK Rc fork_run(int count, ForkFunction run, void *context, int *failed,
					   Error *err);

#endif /* PENSTOCK_BASE_FORK_H */
