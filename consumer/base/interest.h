/*
 * interest.h
 *    What somebody waits for: descriptors, and a time.
 *
 * Whoever calls poll(2) collects it from all for whom it waits.  There can be
 * as many descriptors as there are; nobody else has to know how many.
 */
#ifndef PENSTOCK_BASE_INTEREST_H
#define PENSTOCK_BASE_INTEREST_H

#include <poll.h>
#include <stdint.h>

typedef struct Interest
{
	struct pollfd *fds; /* `count` of them, for poll(2) */
	int count;
	int room;
	int64_t deadline_us; /* monotonic; INT64_MAX: none */
} Interest;

/* In what is not initialised otherwise. */
#define INTEREST_NONE ((Interest){.deadline_us = INT64_MAX})

/* Nothing is waited for any more; the memory is kept. */
void interest_reset(Interest *self);

void interest_release(Interest *self);

/* In a descriptor, for events as poll(2) has them.  A negative one is ignored.
 */
void interest_add(Interest *self, int fd, short events);

/* No longer than until then. */
void interest_until(Interest *self, int64_t deadline_us);

/* Milliseconds until the deadline, rounded up: 0 if it has passed, INT64_MAX
 * where there is none. */
int64_t interest_left_ms(const Interest *self);

#endif /* PENSTOCK_BASE_INTEREST_H */
