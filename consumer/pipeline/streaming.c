/*
 * streaming.c
 *    Computes when and how long sessions do without open transactions.
 */
#include "pipeline/streaming.h"

#include "base/macros.h"

/* Shortest and longest time without open transactions. */
#define HOLD_FIRST_MS INT64_C(60000)
#define HOLD_MAX_MS   INT64_C(3600000)

void
streaming_hold(Streaming *streaming, uint32_t xid, Lsn until_lsn,
			   int64_t now_us)
{
	bool is_new = until_lsn > streaming->reached_lsn;
	int64_t hold_ms = streaming->hold_ms * 2;

	ASSERT(streaming->hold_ms <= HOLD_MAX_MS);
	if (hold_ms == 0)
		hold_ms = HOLD_FIRST_MS;
	if (hold_ms > HOLD_MAX_MS)
		hold_ms = HOLD_MAX_MS;
	*streaming = (Streaming){.held = true,
							 .xid = xid,
							 .until_lsn = is_new ? until_lsn : 0,
							 .reached_lsn = streaming->reached_lsn,
							 .until_us = now_us + hold_ms * 1000,
							 .hold_ms = hold_ms};
}

void
streaming_pass(Streaming *streaming, uint32_t xid)
{
	if (streaming->held && xid != 0 && xid == streaming->xid)
		streaming->passed = true;
}

StreamingEnd
streaming_end(const Streaming *streaming, Lsn confirmed_lsn, int64_t now_us)
{
	if (!streaming->held)
		return STREAMING_GOES_ON;
	ASSERT(streaming->hold_ms >= HOLD_FIRST_MS);
	if (streaming->until_lsn != 0 && confirmed_lsn >= streaming->until_lsn)
		return STREAMING_REACHED;
	if (streaming->until_lsn == 0 && streaming->passed)
		return STREAMING_PASSED;
	return now_us >= streaming->until_us ? STREAMING_EXPIRED
										 : STREAMING_GOES_ON;
}

void
streaming_release(Streaming *streaming, StreamingEnd end)
{
	ASSERT(end != STREAMING_GOES_ON);
	ASSERT(streaming->held);
	streaming->held = false;
	if (end == STREAMING_REACHED)
		streaming->reached_lsn = streaming->until_lsn;
	if (end != STREAMING_EXPIRED)
		streaming->hold_ms = 0;
}
