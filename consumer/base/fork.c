/*
 * fork.c
 *    fork(), and a pipe for each process whose end of file tells that the
 *    process ended.
 */
#include "base/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"

#define EXIT_FAILED 1

typedef struct Forked
{
	pid_t pid; /* 0: the process has ended */
	int end;   /* read end of a pipe; at end of file when the process has
				* ended */
} Forked;

typedef struct Family
{
	Forked members[FORK_COUNT_MAX];
	int count;
	bool stopping; /* SIGTERM was sent to all */
} Family;

/* ---- a process ---------------------------------------------------------- */

/*
 * In the new process: sets up signal handlers of its own, and SIGTERM when the
 * parent dies; then runs the function.
 */
static NORETURN void
live(ForkFunction run, void *context, int number, pid_t parent)
{
	Error err = {0};

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || interrupt_init(&err) != RC_OK)
		_exit(EXIT_FAILED);
	exit(run(context, number));
}

static MUST_CHECK Rc
start(Family *family, ForkFunction run, void *context, Error *err)
{
	Forked *member = &family->members[family->count];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERR_IO, "could not create a pipe: %s",
						 strerror(errno));
	member->pid = fork();
	if (member->pid == 0)
		live(run, context, family->count, parent);
	close(ends[1]);
	member->end = ends[0];
	if (member->pid > 0)
	{
		/*
		 * Parent and child both call setpgid(), because either may run first.
		 */
		setpgid(member->pid, member->pid);
		family->count++;
		return RC_OK;
	}
	close(ends[0]);
	return error_set(err, ERR_IO, "could not start a process: %s",
					 strerror(errno));
}

/* ---- all of them -------------------------------------------------------- */

static void
signal_all(const Family *family, int number)
{
	for (int i = 0; i < family->count; i++)
		if (family->members[i].pid != 0)
			kill(family->members[i].pid, number);
}

static void
stop_all(Family *family)
{
	if (!family->stopping)
		signal_all(family, SIGTERM);
	family->stopping = true;
}

static int
count_alive(const Family *family)
{
	int count = 0;

	for (int i = 0; i < family->count; i++)
		count += family->members[i].pid != 0 ? 1 : 0;
	return count;
}

/* Reaps a process that has ended.  Returns whether its exit status is 0. */
static bool
reap(Forked *member)
{
	int status = 0;

	while (waitpid(member->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(member->end);
	member->pid = 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Waits until one or more processes have ended, or a signal has arrived. */
static void
wait_for_one(Family *family, bool ended[static FORK_COUNT_MAX])
{
	struct pollfd fds[FORK_COUNT_MAX + 1];

	for (int i = 0; i < family->count; i++)
		fds[i] = (struct pollfd){
			.fd = family->members[i].pid != 0 ? family->members[i].end : -1,
			.events = POLLIN};
	fds[family->count] = (struct pollfd){.fd = interrupt_fd(),
										 .events = POLLIN};
	if (poll(fds, (nfds_t) family->count + 1, -1) < 0)
		return; /* a signal interrupted poll(): the next poll() returns its
				 * descriptor */
	if (fds[family->count].revents != 0)
		interrupt_drain();
	for (int i = 0; i < family->count; i++)
		ended[i] = fds[i].revents != 0;
}

static void
wait_for_all(Family *family, int *failed)
{
	while (count_alive(family) > 0)
	{
		bool ended[FORK_COUNT_MAX] = {false};

		wait_for_one(family, ended);
		for (int i = 0; i < family->count; i++)
			if (ended[i] && !reap(&family->members[i]) && !family->stopping &&
				*failed < 0)
				*failed = i;
		if (*failed >= 0 || interrupt_requested())
			stop_all(family);
		if (interrupt_take_report_request())
			signal_all(family, SIGUSR1);
	}
}

/* Each process has options of its own. */
static void
pass_hangup_on(void *context)
{
	signal_all(context, SIGHUP);
}

Rc
fork_run(int count, ForkFunction run, void *context, int *failed, Error *err)
{
	Family family = {0};
	InterruptHangup before;
	Rc rc = RC_OK;

	ASSERT(count > 0 && count <= FORK_COUNT_MAX);
	*failed = -1;
	/* Buffered output would be written by each process again. */
	(void) fflush(NULL);
	while (family.count < count && rc == RC_OK && !interrupt_requested())
		rc = start(&family, run, context, err);
	if (rc != RC_OK || interrupt_requested())
		stop_all(&family);
	before = interrupt_set_hangup(pass_hangup_on, &family);
	wait_for_all(&family, failed);
	(void) interrupt_set_hangup(before.work, before.context);
	if (rc != RC_OK)
		return rc;
	if (*failed >= 0)
		return RC_END;
	if (interrupt_requested())
		return error_set(err, ERR_INTERRUPTED, "stopped on request");
	return RC_OK;
}
