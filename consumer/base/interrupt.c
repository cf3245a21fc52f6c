/*
 * interrupt.c
 *    Handles signals, with a pipe to ourselves that makes poll() return.
 */
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

static volatile sig_atomic_t stop_requests;
static volatile sig_atomic_t limit_over;
static volatile sig_atomic_t report_requested;
static volatile sig_atomic_t hangup_received;
static volatile sig_atomic_t has_terminal;
static int wake_pipe[2] = {-1, -1};
static bool stop_deferred;
static InterruptHangup on_hangup;
static InterruptWork background;
static void *background_context;

/* A shell reports 128 + number for a child that a signal has terminated. */
#define EXIT_BY_SIGNAL 128

static void
wake(void)
{
	int saved_errno = errno;
	ssize_t written = write(wake_pipe[1], "", 1);

	/* A full pipe is no failure: its other end is readable already. */
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
handle_hangup(int signal_number)
{
	if (has_terminal)
	{
		handle_stop(signal_number);
		return;
	}
	hangup_received = 1;
	wake();
}

static void
handle_alarm(int signal_number UNUSED)
{
	limit_over = 1;
	wake();
}

static void
handle_report(int signal_number UNUSED)
{
	report_requested = 1;
	wake();
}

/*
 * If a standard descriptor is closed, the next pipe or socket would get its
 * number, and our output would be written there.  So each closed one is opened
 * as /dev/null, read only.
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
	struct sigaction limit = {.sa_handler = handle_alarm,
							  .sa_flags = SA_RESTART};
	struct sigaction hangup = {.sa_handler = handle_hangup};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;
	Rc rc = reserve_standard_descriptors(err);

	if (rc != RC_OK)
		return rc;
	if (pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
		return error_set(err, ERR_IO, "could not create a pipe: %s",
						 strerror(errno));
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	has_terminal = isatty(STDERR_FILENO);
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &hangup, NULL);
	sigaction(SIGALRM, &limit, NULL);
	sigaction(SIGUSR1, &report, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	return RC_OK;
}

bool
interrupt_requested(void)
{
	return (stop_requests > 0 || limit_over) && !stop_deferred;
}

void
interrupt_defer(bool deferred)
{
	stop_deferred = deferred;
}

static void
set_alarm(int64_t ms)
{
	const struct itimerval timer = {
		.it_value = {.tv_sec = (time_t) (ms / 1000),
					 .tv_usec = (suseconds_t) (ms % 1000 * 1000)}};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

void
interrupt_limit(int64_t ms)
{
	ASSERT(ms > 0);
	limit_over = 0;
	set_alarm(ms);
}

bool
interrupt_end_limit(void)
{
	bool was_over;

	set_alarm(0);
	was_over = limit_over != 0;
	limit_over = 0;
	return was_over;
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
	if (!hangup_received)
		return;
	hangup_received = 0;
	if (on_hangup.work != NULL)
		on_hangup.work(on_hangup.context);
	else
		log_info("signal",
				 "HUP: options and the configuration file are only read at the "
				 "start; to change them, stop the program and start it again");
}

InterruptHangup
interrupt_set_hangup(InterruptWork work, void *context)
{
	InterruptHangup before = on_hangup;

	on_hangup = (InterruptHangup){work, context};
	return before;
}

void
interrupt_set_background(InterruptWork work, void *context)
{
	background = work;
	background_context = context;
}

/*
 * Returns how many milliseconds one poll() may last, if `left_ms` are left (-1:
 * no limit).
 */
static int
poll_ms(int64_t left_ms)
{
	if (background != NULL &&
		(left_ms < 0 || left_ms > INTERRUPT_BACKGROUND_MS))
		return INTERRUPT_BACKGROUND_MS;
	return left_ms > INT32_MAX ? INT32_MAX : (int) left_ms;
}

/*
 * Returns an array of the wake pipe and the descriptors `fds`.  It is reused by
 * the next call: only one wait is in poll() at a time.
 */
static struct pollfd *
with_wake_pipe(const struct pollfd *fds, int count)
{
	static struct pollfd *all;
	static int room;

	if (all == NULL || room < count + 1)
	{
		room = count + 1;
		all = xrealloc_array(all, (size_t) room, sizeof(all[0]));
	}
	all[0] = (struct pollfd){.fd = wake_pipe[0], .events = POLLIN};
	if (count > 0)
		memcpy(&all[1], fds, (size_t) count * sizeof(fds[0]));
	return all;
}

/*
 * Waits in a task.  The caller of the task continues meanwhile, and it is the
 * one that polls the wake pipe.
 */
static MUST_CHECK Rc
wait_in_task(struct pollfd *fds, int count, int64_t deadline_us, Error *err)
{
	for (;;)
	{
		if (task_is_cancelled() || interrupt_requested())
			return error_set(err, ERR_INTERRUPTED, "stopped on request");
		if (poll(fds, (nfds_t) count, 0) > 0)
			return RC_OK;
		if (clock_monotonic_us() >= deadline_us)
			return RC_AGAIN;
		task_yield(fds, count, deadline_us);
	}
}

Rc
interrupt_wait_any(struct pollfd *fds, int count, int64_t timeout_ms,
				   Error *err)
{
	struct pollfd *all;
	int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;

	if (task_is_running())
		return wait_in_task(fds, count,
							timeout_ms < 0 ? INT64_MAX : deadline_us, err);
	all = with_wake_pipe(fds, count);
	for (;;)
	{
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
		ready = poll(all, (nfds_t) count + 1, poll_ms(left_ms));
		if (ready < 0 && errno != EINTR)
			return error_set(err, ERR_IO, "could not wait for a socket: %s",
							 strerror(errno));
		if (background != NULL)
			background(background_context);
		if (ready > 0 && all[0].revents != 0)
		{
			interrupt_drain();
			ready--;
		}
		if (ready > 0)
		{
			memcpy(fds, &all[1], (size_t) count * sizeof(fds[0]));
			return RC_OK;
		}
		if (timeout_ms >= 0 && clock_monotonic_us() >= deadline_us)
			return RC_AGAIN;
	}
}

Rc
interrupt_wait(int fd, short events, int64_t timeout_ms, Error *err)
{
	return interrupt_wait_any(&(struct pollfd){.fd = fd, .events = events}, 1,
							  timeout_ms, err);
}

void
interrupt_wait_leaving(int fd, short events, int64_t timeout_ms)
{
	struct pollfd wanted = {.fd = fd, .events = events};
	int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;

	for (;;)
	{
		bool yields = task_is_running() && !task_is_cancelled();
		int64_t left_us = deadline_us - clock_monotonic_us();

		if (left_us <= 0)
			return;

		if (poll(&wanted, 1, yields ? 0 : poll_ms(left_us / 1000 + 1)) > 0)
			return;
		if (yields)
			task_yield(&wanted, 1, deadline_us);
		else if (background != NULL)
			background(background_context);
	}
}

Rc
interrupt_wait_tasks(Task *const *tasks, int count, int64_t deadline_us,
					 Error *err)
{
	Interest interest = INTEREST_NONE;
	int64_t left_ms;
	Rc rc;

	interest_until(&interest, deadline_us);
	for (int i = 0; i < count; i++)
		if (tasks[i] != NULL)
			task_interest(tasks[i], &interest);
	left_ms = interest_left_ms(&interest);
	rc = interrupt_wait_any(interest.fds, interest.count,
							left_ms == INT64_MAX ? -1 : left_ms, err);
	interest_release(&interest);
	return rc;
}
