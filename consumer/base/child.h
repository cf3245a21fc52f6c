/*
 * child.h
 *    Runs another program to its end.
 *
 * The child gets a process group of its own: a Ctrl-C at the terminal is then
 * sent to us alone, and we stop the child in an orderly way.  We read its
 * standard output and standard error through one pipe; its standard input is
 * empty.  No shell is involved.
 */
#ifndef PENSTOCK_BASE_CHILD_H
#define PENSTOCK_BASE_CHILD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Bytes of a child's output that are kept, from its beginning. */
#define CHILD_OUTPUT_MAX (64 * KB)

/* Milliseconds that a child has to end after SIGTERM. */
#define CHILD_STOP_MS_MAX 1000

typedef struct ChildCommand
{
	/* argv[0] is a path, or a name to look up in PATH; ends in NULL. */
	const char *const *argv;

	/* Environment variable that only the child gets, or NULL. */
	const char *variable;
	const char *variable_value;

	/* Milliseconds that it may take, with all programs that it has started and
	 * that have kept its output open; 0: no limit. */
	int64_t limit_ms;
} ChildCommand;

/*
 * Runs a program and waits for its end.  The caller initialises `output`, which
 * receives what the program wrote; what does not fit is read and dropped.  If
 * the exit status is not 0, fails with ERR_IO, whose detail is the output.
 * When a stop is requested, stops the child within CHILD_STOP_MS_MAX and fails
 * with ERR_INTERRUPTED; likewise with ERR_LIMIT when its time is over, whether
 * or not stops are deferred.
 */
MUST_CHECK Rc child_run(const ChildCommand *command, Buf *output, Error *err);

#endif /* PENSTOCK_BASE_CHILD_H */
