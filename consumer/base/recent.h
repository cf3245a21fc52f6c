/*
 * recent.h
 *    The warnings and errors that were logged last, for whoever looks at the
 *    program from outside.
 *
 * Only names of events and times are kept: a message may have the key of a row.
 * An event that comes again at once is counted, not kept twice.  For any
 * thread.
 */
#ifndef PENSTOCK_BASE_RECENT_H
#define PENSTOCK_BASE_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define RECENT_EVENTS_MAX 20
#define RECENT_NAME_SIZE  48

typedef struct RecentEvent
{
	char name[RECENT_NAME_SIZE]; /* as in consumer/doc/events.md */
	bool is_error;
	int64_t last_us; /* monotonic; when it was logged last */
	int64_t times;   /* in a row */
} RecentEvent;

/* Adds an event that is logged. */
void recent_add(const char *name, bool is_error, int64_t now_us);

/* Copies the events, the newest first; returns their number. */
int recent_read(RecentEvent events[static RECENT_EVENTS_MAX]);

#endif /* PENSTOCK_BASE_RECENT_H */
