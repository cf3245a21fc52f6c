/*
 * interest.h
 *    What a caller of poll(2) has to wait for: descriptors, and a deadline.
 *
 * The caller of poll(2) passes one Interest to each object that waits, and each
 * adds its descriptors and its deadline.  Their number is not limited.
 */
#ifndef PENSTOCK_BASE_INTEREST_H
#define PENSTOCK_BASE_INTEREST_H

#include <poll.h>
#include <stdint.h>

typedef struct Interest
{
	struct pollfd *fds; /* `count` elements, for poll(2) */
	int count;
	int room;
	int64_t deadline_us; /* microseconds of clock_monotonic_us(); INT64_MAX:
						  * none */
} Interest;

/* Initial value of an Interest. */
#define INTEREST_NONE ((Interest){.deadline_us = INT64_MAX})

/* Removes all descriptors and the deadline; keeps the memory. */
void interest_reset(Interest *self);

void interest_release(Interest *self);

/*
 * Adds a descriptor, with events as in poll(2).  A negative descriptor is
 * ignored.
 */
void interest_add(Interest *self, int fd, short events);

/* Moves the deadline to `deadline_us`, unless it is earlier already. */
void interest_until(Interest *self, int64_t deadline_us);

/*
 * Returns the milliseconds until the deadline, rounded up: 0 if it has passed,
 * INT64_MAX if there is none.
 */
int64_t interest_left_ms(const Interest *self);

#endif /* PENSTOCK_BASE_INTEREST_H */
