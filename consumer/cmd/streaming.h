/*
 * streaming.h
 *    Whether a session with the source is to send transactions in progress.
 *
 * It is, if it is wanted and the source can.  Where a target refuses such a
 * transaction (ERR_STREAMING), the sessions that follow do without, so that it
 * comes when it has committed; until it has passed, or, because it may never
 * commit, for some time, which doubles while no held transaction passes.
 */
#ifndef PENSTOCK_CMD_STREAMING_H
#define PENSTOCK_CMD_STREAMING_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed one has not been refused anything. */
typedef struct Streaming
{
	bool held;        /* without, for now; the others mean something then */
	bool passed;      /* the transaction has */
	uint32_t xid;     /* the transaction to pass; 0: not known */
	int64_t until_us; /* monotonic: try with again */
	int64_t hold_ms;  /* how long that was; 0: never yet */
} Streaming;

/* A target has refused a transaction; 0: it is not known which. */
void streaming_hold(Streaming *streaming, uint32_t xid, int64_t now_us);

/* A transaction has passed. */
void streaming_pass(Streaming *streaming, uint32_t xid);

/* The transaction to pass has, or the time is over. */
bool streaming_is_over(const Streaming *streaming, int64_t now_us);

/* To go on with. */
void streaming_release(Streaming *streaming);

#endif /* PENSTOCK_CMD_STREAMING_H */
