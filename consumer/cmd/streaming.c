/*
 * streaming.c
 *    Holding back, and for how long.
 */
#include "cmd/streaming.h"

/* Bounds of how long to do without, if no transaction passes meanwhile. */
#define HOLD_FIRST_MS INT64_C(60000)
#define HOLD_MAX_MS   INT64_C(3600000)

void
streaming_hold(Streaming *streaming, uint32_t xid, int64_t now_us)
{
	int64_t hold_ms = streaming->hold_ms * 2;

	if (hold_ms == 0)
		hold_ms = HOLD_FIRST_MS;
	if (hold_ms > HOLD_MAX_MS)
		hold_ms = HOLD_MAX_MS;
	*streaming = (Streaming){.held = true,
							 .xid = xid,
							 .until_us = now_us + hold_ms * 1000,
							 .hold_ms = hold_ms};
}

void
streaming_pass(Streaming *streaming, uint32_t xid)
{
	if (streaming->held && xid != 0 && xid == streaming->xid)
		streaming->passed = true;
}

bool
streaming_is_over(const Streaming *streaming, int64_t now_us)
{
	return streaming->held &&
		   (streaming->passed || now_us >= streaming->until_us);
}

void
streaming_release(Streaming *streaming)
{
	streaming->held = false;
	if (streaming->passed)
		streaming->hold_ms = 0;
}
