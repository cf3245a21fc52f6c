/*
 * child.c
 *    fork(), exec(), and a pipe whose end of file tells that the child has
 *    ended.
 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

/* Exit status of a shell for a program that cannot be run. */
#define EXIT_NOT_RUN 127

/* Milliseconds between two looks whether a child that got SIGTERM has ended. */
#define REAP_PERIOD_MS 10

/* In the child: replaces the process by the program, with execvp(). */
static NORETURN void
become(const ChildCommand *command, int output)
{
	int input = open("/dev/null", O_RDONLY);

	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	/* If we are killed with SIGKILL, the kernel sends the child SIGTERM. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (command->variable != NULL)
		setenv(command->variable, command->variable_value, 1);

	/*
	 * execvp() does not change the strings; its prototype is older than const.
	 */
	execvp(command->argv[0], (char *const *) (uintptr_t) command->argv);
	dprintf(STDERR_FILENO, "could not run \"%s\": %s\n", command->argv[0],
			strerror(errno));
	_exit(EXIT_NOT_RUN);
}

/* Starts the child.  *output is the end of the pipe that we read from. */
static Rc
start(const ChildCommand *command, pid_t *pid, int *output, Error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERR_IO, "could not create a pipe: %s",
						 strerror(errno));
	*pid = fork();
	if (*pid == 0)
		become(command, ends[1]);
	close(ends[1]);
	*output = ends[0];
	if (*pid > 0)
	{
		/*
		 * Parent and child both call setpgid(), because either may run first.
		 */
		setpgid(*pid, *pid);
		return RC_OK;
	}
	close(ends[0]);
	return error_set(err, ERR_IO, "could not start \"%s\": %s",
					 command->argv[0], strerror(errno));
}

/* Appends the part of a piece of output that fits into the buffer. */
static void
keep_output(Buf *output, const char *piece, size_t length)
{
	size_t room = output->max - output->length;

	buf_append(output, piece, length < room ? length : room);
}

/* Waits for output, at most until `end_us`. */
static MUST_CHECK Rc
wait_for_output(const ChildCommand *command, int fd, int64_t end_us, Error *err)
{
	int64_t left_ms = (end_us - clock_monotonic_us()) / 1000;
	Rc rc = RC_AGAIN;

	if (command->limit_ms == 0)
		return interrupt_wait(fd, POLLIN, -1, err);
	if (left_ms > 0)
		rc = interrupt_wait(fd, POLLIN, left_ms, err);
	if (rc != RC_AGAIN)
		return rc;
	return error_set(err, ERR_LIMIT,
					 "\"%s\" has not ended within %" PRId64 " ms",
					 command->argv[0], command->limit_ms);
}

/* Reads until the child and all its children have closed the pipe. */
static Rc
read_output(const ChildCommand *command, int fd, Buf *output, Error *err)
{
	int64_t end_us = clock_monotonic_us() + command->limit_ms * 1000;

	for (;;)
	{
		char piece[4096];
		ssize_t length;
		Rc rc = wait_for_output(command, fd, end_us, err);

		if (rc != RC_OK)
			return rc;
		length = read(fd, piece, sizeof(piece));
		if (length == 0)
			return RC_OK;
		if (length > 0)
			keep_output(output, piece, (size_t) length);
		else if (errno != EINTR && errno != EAGAIN)
			return error_set(err, ERR_IO, "could not read from a pipe: %s",
							 strerror(errno));
	}
}

static int
reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Stops the child: SIGTERM first, after CHILD_STOP_MS_MAX SIGKILL. */
static void
stop(pid_t pid)
{
	int64_t deadline_us = clock_monotonic_us() + CHILD_STOP_MS_MAX * 1000;

	kill(-pid, SIGTERM);
	while (clock_monotonic_us() < deadline_us)
	{
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		(void) poll(NULL, 0, REAP_PERIOD_MS);
	}
	kill(-pid, SIGKILL);
	(void) reap(pid);
}

static void
trim_newlines(Buf *output)
{
	while (output->length > 0 && output->data[output->length - 1] == '\n')
		output->data[--output->length] = '\0';
}

static Rc
report_status(const ChildCommand *command, int status, const Buf *output,
			  Error *err)
{
	Rc rc;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return RC_OK;
	if (WIFSIGNALED(status))
		rc = error_set(err, ERR_IO, "\"%s\" was ended by signal %d",
					   command->argv[0], WTERMSIG(status));
	else
		rc = error_set(err, ERR_IO, "\"%s\" failed with status %d",
					   command->argv[0], WEXITSTATUS(status));
	if (output->length > 0)
		error_detail(err, "%s", output->data);
	return rc;
}

Rc
child_run(const ChildCommand *command, Buf *output, Error *err)
{
	pid_t pid = -1;
	int fd = -1;
	Rc rc = start(command, &pid, &fd, err);

	if (rc != RC_OK)
		return rc;
	rc = read_output(command, fd, output, err);
	close(fd);
	if (rc != RC_OK)
	{
		stop(pid);
		return rc;
	}
	trim_newlines(output);
	return report_status(command, reap(pid), output, err);
}
