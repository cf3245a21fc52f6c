/*
 * child.h
 *    Running another program to its end.
 *
 * The child gets its own process group, so that a Ctrl-C at the terminal comes
 * to us alone and we end the child in good order.  What it writes to standard
 * output and standard error is read through one pipe; its standard input is
 * empty.  No shell is involved.
 */
#ifndef PENSTOCK_BASE_CHILD_H
#define PENSTOCK_BASE_CHILD_H

#include "base/buf.h"
#include "base/error.h"

/* How much of a child's output is kept, from its beginning. */
#define CHILD_OUTPUT_MAX (64 * KB)

/* Time that a child gets to end itself when we are asked to stop. */
#define CHILD_STOP_MS_MAX 1000

typedef struct ChildCommand
{
	/* argv[0] is a path, or a name to look up in PATH; ends in NULL. */
	const char *const *argv;

	/* A variable that only the child sees, or NULL. */
	const char *variable;
	const char *variable_value;
} ChildCommand;

/*
 * Runs a program and waits for its end.  `output` is an initialised buffer that
 * receives what it wrote; what does not fit is read and dropped.  A status
 * other than 0 is ERR_IO, whose detail is the output.  When a stop is asked
 * for, the child is ended, within CHILD_STOP_MS_MAX, and the error is
 * ERR_INTERRUPTED.
 */
MUST_CHECK Rc child_run(const ChildCommand *command, Buf *output, Error *err);

#endif /* PENSTOCK_BASE_CHILD_H */
