/*
 * interrupt.c
 *    Signals, by the self-pipe trick.
 */
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static volatile sig_atomic_t stop_requests;
static volatile sig_atomic_t report_requested;
static int wake_pipe[2] = {-1, -1};
static bool stop_deferred;

/* The exit status of a shell's child that a signal ended is 128 + number. */
#define EXIT_BY_SIGNAL 128

static void
wake(void)
{
	int saved_errno = errno;
	ssize_t written = write(wake_pipe[1], "", 1);

	/* A full pipe is as good: it is readable already. */
	(void) written;
	errno = saved_errno;
}

static void
handle_stop(int signal_number)
{
	if (stop_requests++ > 0)
		_exit(EXIT_BY_SIGNAL + signal_number);
	wake();
}

static void
handle_report(int signal_number UNUSED)
{
	report_requested = 1;
	wake();
}

/*
 * A standard descriptor that came closed would be given to the next pipe or
 * socket, and what is printed would go there.  Something that cannot be
 * written to takes its place.
 */
static MUST_CHECK Rc
reserve_standard_descriptors(Error *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
	{
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDONLY) != fd)
			return error_set(err, ERR_IO, "could not open \"/dev/null\": %s",
							 strerror(errno));
	}
	return RC_OK;
}

Rc
interrupt_init(Error *err)
{
	struct sigaction stop = {.sa_handler = handle_stop};
	struct sigaction report = {.sa_handler = handle_report,
							   .sa_flags = SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	Rc rc = reserve_standard_descriptors(err);

	if (rc != RC_OK)
		return rc;
	if (pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
		return error_set(err, ERR_IO, "could not create a pipe: %s",
						 strerror(errno));
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGUSR1, &report, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	return RC_OK;
}

bool
interrupt_requested(void)
{
	return stop_requests > 0 && !stop_deferred;
}

void
interrupt_defer(bool deferred)
{
	stop_deferred = deferred;
}

bool
interrupt_take_report_request(void)
{
	bool requested = report_requested != 0;

	report_requested = 0;
	return requested;
}

int
interrupt_fd(void)
{
	return wake_pipe[0];
}

void
interrupt_drain(void)
{
	char bytes[64];

	while (read(wake_pipe[0], bytes, sizeof(bytes)) > 0)
		;
}

Rc
interrupt_wait(int fd, short events, int64_t timeout_ms, Error *err)
{
	int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;

	for (;;)
	{
		struct pollfd fds[2] = {{.fd = fd, .events = events},
								{.fd = wake_pipe[0], .events = POLLIN}};
		int64_t left_ms = -1;
		int ready;

		if (interrupt_requested())
			return error_set(err, ERR_INTERRUPTED, "stopped on request");
		if (timeout_ms >= 0)
		{
			left_ms = (deadline_us - clock_monotonic_us() + 999) / 1000;
			if (left_ms < 0)
				left_ms = 0;
		}
		ready = poll(fds, 2, left_ms > INT32_MAX ? INT32_MAX : (int) left_ms);
		if (ready < 0 && errno != EINTR)
			return error_set(err, ERR_IO, "could not wait for a socket: %s",
							 strerror(errno));
		if (fds[1].revents != 0)
			interrupt_drain();
		if (ready > 0 && fds[0].revents != 0)
			return RC_OK;
		if (timeout_ms >= 0 && clock_monotonic_us() >= deadline_us)
			return RC_AGAIN;
	}
}
