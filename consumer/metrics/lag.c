/*
 * lag.c
 *    A short array of heartbeats, which is thinned out when it is full.
 */
#include "metrics/lag.h"

#include <string.h>

#include "base/macros.h"

/* Number of intervals for which a heartbeat is recent. */
#define RECENT_INTERVALS 3

/* Forgets every second heartbeat; the first and the last one stay. */
static void
thin_out(Heartbeats *self)
{
	int kept = 0;

	for (int i = 0; i < self->count; i++)
		if (i % 2 == 0 || i == self->count - 1)
			self->beats[kept++] = self->beats[i];
	self->count = kept;
}

void
heartbeats_add(Heartbeats *self, uint64_t lsn, int64_t now_us)
{
	ASSERT(lsn != 0);
	ASSERT(now_us >= self->last_us);
	self->last_us = now_us;
	if (self->count > 0 && lsn <= self->beats[self->count - 1].lsn)
		return;
	if (self->count == HEARTBEATS_MAX)
		thin_out(self);
	self->beats[self->count++] = (Heartbeat){lsn, now_us};
}

void
heartbeats_forget(Heartbeats *self, uint64_t lsn)
{
	int first = 0;

	while (first < self->count - 1 && self->beats[first].lsn <= lsn)
		first++;
	if (first == 0)
		return;
	self->count -= first;
	memmove(self->beats, self->beats + first,
			(size_t) self->count * sizeof(Heartbeat));
}

bool
heartbeats_are_recent(const Heartbeats *self, int64_t now_us)
{
	return self->count > 0 &&
		   now_us - self->last_us <= RECENT_INTERVALS * self->interval_us;
}

void
lag_note(LagMeter *self, const Heartbeats *beats, uint64_t lsn, int64_t now_us)
{
	for (int i = beats->count - 1; i >= 0; i--)
	{
		const Heartbeat *beat = &beats->beats[i];

		if (beat->lsn > lsn)
			continue;
		if (beat->lsn > self->reached_lsn)
			*self = (LagMeter){beat->lsn, now_us - beat->now_us};
		return;
	}
}

/* Returns the first heartbeat after `lsn`, or NULL. */
static const Heartbeat *
first_after(const Heartbeats *beats, uint64_t lsn)
{
	for (int i = 0; i < beats->count; i++)
		if (beats->beats[i].lsn > lsn)
			return &beats->beats[i];
	return NULL;
}

bool
lag_read(const LagMeter *self, const Heartbeats *beats, uint64_t lsn,
		 int64_t now_us, double *seconds)
{
	const Heartbeat *missed = first_after(beats, lsn);
	int64_t lag_us = self->reached_lsn != 0 ? self->delay_us : 0;

	if (missed == NULL &&
		(self->reached_lsn == 0 || !heartbeats_are_recent(beats, now_us)))
		return false;
	if (missed != NULL && now_us - missed->now_us > lag_us)
		lag_us = now_us - missed->now_us;
	*seconds = (double) lag_us / 1e6;
	return true;
}
