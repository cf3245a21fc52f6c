/*
 * metrics.c
 *    Two sets of numbers, and a lock for the second.
 */
#include "metrics/metrics.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"

static MetricsNumbers current;   /* the loop's */
static MetricsNumbers published; /* under the lock */
static History history;          /* likewise */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

MetricsNumbers *
metrics_numbers(void)
{
	return &current;
}

MetricsTarget *
metrics_target(int index)
{
	CHECK(index >= 0 && index < METRICS_TARGETS_MAX);
	if (index >= current.target_count)
		current.target_count = index + 1;
	return &current.targets[index];
}

void
metrics_enter(MetricsState state, int64_t now_us)
{
	if (current.state != state || current.state_since_us == 0)
		current.state_since_us = now_us;
	current.state = state;
	metrics_publish();
}

const char *
metrics_state_name(MetricsState state)
{
	static const char *const names[METRICS_STATE_COUNT] = {
		[METRICS_STARTING] = "starting",   [METRICS_COPYING] = "copying",
		[METRICS_FOLLOWING] = "following", [METRICS_RETRYING] = "retrying",
		[METRICS_HELD] = "held",           [METRICS_STOPPING] = "stopping",
	};

	return names[state];
}

/* Copies the targets that there are, and everything before them. */
static void
copy_numbers(MetricsNumbers *to, const MetricsNumbers *from)
{
	size_t size = offsetof(MetricsNumbers, targets) +
				  (size_t) from->target_count * sizeof(MetricsTarget);

	memcpy(to, from, size);
}

/*
 * A process that is forked has no other threads, and may have been forked while
 * one of them held the lock.
 */
static void
free_lock_of_child(void)
{
	pthread_mutex_init(&lock, NULL);
}

static void
prepare_forks(void)
{
	(void) pthread_atfork(NULL, NULL, free_lock_of_child);
}

void
metrics_publish(void)
{
	static pthread_once_t prepared = PTHREAD_ONCE_INIT;

	pthread_once(&prepared, prepare_forks);
	pthread_mutex_lock(&lock);
	copy_numbers(&published, &current);
	history_note(&history, &current, clock_monotonic_us());
	pthread_mutex_unlock(&lock);
}

void
metrics_read(MetricsNumbers *copy)
{
	pthread_mutex_lock(&lock);
	copy_numbers(copy, &published);
	pthread_mutex_unlock(&lock);
}

void
metrics_read_history(History *copy)
{
	pthread_mutex_lock(&lock);
	*copy = history;
	pthread_mutex_unlock(&lock);
}
