/*
 * recent.c
 *    A short array, the newest event last.
 */
#include "base/recent.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static RecentEvent kept[RECENT_EVENTS_MAX];
static int count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

static RecentEvent *
place_for(const char *name)
{
	if (count > 0 && strcmp(kept[count - 1].name, name) == 0)
		return &kept[count - 1];
	if (count == RECENT_EVENTS_MAX)
		memmove(&kept[0], &kept[1], (size_t) --count * sizeof(kept[0]));
	kept[count] = (RecentEvent){0};
	return &kept[count++];
}

void
recent_add(const char *name, bool is_error, int64_t now_us)
{
	static pthread_once_t prepared = PTHREAD_ONCE_INIT;
	char shortened[RECENT_NAME_SIZE];
	RecentEvent *event;

	pthread_once(&prepared, prepare_forks);
	snprintf(shortened, sizeof(shortened), "%s", name);
	pthread_mutex_lock(&lock);
	event = place_for(shortened);
	memcpy(event->name, shortened, sizeof(shortened));
	event->is_error = is_error;
	event->last_us = now_us;
	event->times++;
	pthread_mutex_unlock(&lock);
}

int
recent_read(RecentEvent events[static RECENT_EVENTS_MAX])
{
	int read;

	pthread_mutex_lock(&lock);
	read = count;
	for (int i = 0; i < count; i++)
		events[i] = kept[count - 1 - i];
	pthread_mutex_unlock(&lock);
	return read;
}
