/*
 * streaming.h
 *    Whether a session with the source is to send open transactions.
 *
 * It is, if it is wanted and the source can.  Where a target refuses such a
 * transaction (ERR_OPEN_TXN), the sessions that follow do without, so that it
 * comes when it has committed; until it has passed, or, because it may never
 * commit, for some time, which doubles while no held transaction passes.
 *
 *
 * What the target may have already
 * --------------------------------
 *
 * A slot may be before what its target has: a source before version 17 that is
 * restarted has forgotten what was confirmed last.  Then transactions come
 * again in pieces of which nobody can tell, before they end, whether the target
 * has them; a large one is refused for that.  (The target has all of a
 * transaction or nothing of it, and a session sends all of it or nothing.)  It
 * may well be one that was rolled back, and never passes.
 *
 * But a session that begins at or after the position up to which the target
 * had something has no such transactions: the server sends a piece only from
 * where the session begins, so what it is a piece of ends later.  A session
 * begins where the one before has confirmed.  So one that does without is over
 * when it has confirmed that position, and not when the one that was refused
 * has passed: the next may be refused as well.
 *
 * If a session refuses again for that reason, up to the same position, the last
 * confirmation did not reach the server, or something is not as said here.  So
 * that is done once for a position, and then the time counts.
 */
#ifndef PENSTOCK_PIPELINE_STREAMING_H
#define PENSTOCK_PIPELINE_STREAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/lsn.h"

/* A zeroed one has not been refused anything. */
typedef struct Streaming
{
	bool held;       /* without, for now; the others mean something then */
	bool passed;     /* the transaction has */
	uint32_t xid;    /* the transaction to pass; 0: not known */
	Lsn until_lsn;   /* to be confirmed, and `passed` does not count; 0: it does
					  */
	Lsn reached_lsn; /* the last that was; 0: none */
	int64_t until_us; /* monotonic: try with again */
	int64_t hold_ms;  /* how long that was; 0: never yet */

	/* By a run that ended with ERR_OPEN_TXN, for streaming_hold(). */
	uint32_t refused_xid;
	Lsn refused_until_lsn;
} Streaming;

/* Why a session that does without is over. */
typedef enum StreamingEnd
{
	STREAMING_GOES_ON,
	STREAMING_PASSED,  /* the transaction has come */
	STREAMING_REACHED, /* until_lsn is confirmed */
	STREAMING_EXPIRED, /* the time is over */
} StreamingEnd;

/* A target has refused a transaction, 0: it is not known which; `until_lsn` is
 * its refused_until_lsn (SinkReport). */
void streaming_hold(Streaming *streaming, uint32_t xid, Lsn until_lsn,
					int64_t now_us);

/* A transaction has passed. */
void streaming_pass(Streaming *streaming, uint32_t xid);

/* Whether a session that does without is over, when it has confirmed so much.
 */
StreamingEnd streaming_end(const Streaming *streaming, Lsn confirmed_lsn,
						   int64_t now_us);

/* To go on with, for this reason. */
void streaming_release(Streaming *streaming, StreamingEnd end);

#endif /* PENSTOCK_PIPELINE_STREAMING_H */
