/*
 * throttle.c
 *    The arithmetic of the token bucket.
 */
#include "copy/rows/throttle.h"

#include "base/macros.h"

#define SECOND_US 1000000

void
throttle_init(Throttle *throttle, int64_t rate, int64_t now_us)
{
	ASSERT(rate >= 0);
	*throttle = (Throttle){.rate = rate, .filled_us = now_us};
}

int64_t
throttle_fill(Throttle *throttle, int64_t now_us)
{
	int64_t elapsed_us = now_us - throttle->filled_us;
	int64_t capacity = throttle->rate * THROTTLE_BURST_MS / 1000;
	int64_t bytes;

	ASSERT(throttle->available <= capacity);
	if (throttle->rate == 0)
		return INT64_MAX;
	bytes = elapsed_us / SECOND_US * throttle->rate +
			elapsed_us % SECOND_US * throttle->rate / SECOND_US;
	/* While the time makes less than a byte, filled_us stays as it is, so that
	 * the time is counted later. */
	if (bytes > 0)
	{
		throttle->available += bytes;
		throttle->filled_us = now_us;
	}
	if (throttle->available > capacity)
		throttle->available = capacity;
	return throttle->available > 0 ? throttle->available : 0;
}

int64_t
throttle_share(Throttle *throttle, int64_t now_us, int sharers)
{
	int64_t bytes = throttle_fill(throttle, now_us);

	if (bytes == 0 || sharers < 2)
		return bytes;
	return bytes / sharers + 1;
}

void
throttle_take(Throttle *throttle, int64_t bytes)
{
	ASSERT(bytes >= 0);
	if (throttle->rate > 0)
		throttle->available -= bytes;
}

int64_t
throttle_wait_ms(const Throttle *throttle)
{
	if (throttle->rate == 0 || throttle->available > 0)
		return 0;
	return -throttle->available * 1000 / throttle->rate + THROTTLE_PAUSE_MS;
}
