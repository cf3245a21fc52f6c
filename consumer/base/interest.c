/*
 * interest.c
 *    An array of descriptors that grows.
 */
#include "base/interest.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define ROOM_FIRST 16

void
interest_reset(Interest *self)
{
	self->count = 0;
	self->deadline_us = INT64_MAX;
}

void
interest_release(Interest *self)
{
	free(self->fds);
	*self = INTEREST_NONE;
}

void
interest_add(Interest *self, int fd, short events)
{
	if (fd < 0)
		return;
	if (self->count == self->room)
	{
		self->room = self->room > 0 ? 2 * self->room : ROOM_FIRST;
		self->fds = xrealloc_array(self->fds, (size_t) self->room,
								   sizeof(self->fds[0]));
	}
	self->fds[self->count++] = (struct pollfd){.fd = fd, .events = events};
}

void
interest_until(Interest *self, int64_t deadline_us)
{
	if (deadline_us < self->deadline_us)
		self->deadline_us = deadline_us;
}

int64_t
interest_left_ms(const Interest *self)
{
	int64_t left_us;

	if (self->deadline_us == INT64_MAX)
		return INT64_MAX;
	left_us = self->deadline_us - clock_monotonic_us();
	return left_us > 0 ? (left_us + 999) / 1000 : 0;
}
