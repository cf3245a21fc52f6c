/*
 * streaming.h
 *    Decides whether a session with the source gets open transactions.
 *
 * An open transaction is one that the source sends while it is still in
 * progress.  A session gets them if the user wants it and the source can send
 * them.  If a target refuses such a transaction (ERR_OPEN_TXN), the next
 * sessions do without open transactions, so the refused one comes after its
 * commit.  They do so until it has come, or for a limited time, because it may
 * never commit.  That time doubles as long as no refused transaction comes.
 *
 *
 * Transactions that a target may have applied already
 * ----------------------------------------------------
 *
 * A slot can start before the position that a target has applied: a source
 * before version 17 may lose the last confirmed position in a restart.  Then
 * open transactions come again, and before their end nobody can tell whether
 * the target has applied them.  (A target has all of a transaction or nothing
 * of it, and a session sends all of it or nothing.)  A target refuses a large
 * one for this reason.  That transaction may have been rolled back, and then
 * never comes.
 *
 * A session that starts at or after the position which the target had applied
 * (the target's refused_until_lsn) has no such transactions: all that it sends
 * of an open transaction is after its start, so the transaction ends later.  A
 * session starts at the position that the one before has confirmed.  So a
 * session without open transactions can end when it has confirmed that
 * position.  It does not matter whether the refused transaction has come,
 * because the next one might be refused as well.
 *
 * If a session is refused an open transaction again for this reason, up to the
 * same position, then the last confirmation did not reach the server, or an
 * assumption above is wrong.  So we use this way once for each position; after
 * that only the time counts.
 */
#ifndef PENSTOCK_PIPELINE_STREAMING_H
#define PENSTOCK_PIPELINE_STREAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/lsn.h"

/* A zeroed Streaming: no transaction was refused. */
typedef struct Streaming
{
	bool held;       /* whether sessions do without open transactions; only then
					  * the next members are set */
	bool passed;     /* whether transaction `xid` has come */
	uint32_t xid;    /* refused transaction; 0: not known */
	Lsn until_lsn;   /* LSN that has to be confirmed, whether or not `passed`;
					  * 0: `passed` counts */
	Lsn reached_lsn; /* last until_lsn that was confirmed; 0: none */
	int64_t until_us; /* monotonic time at which open transactions are tried
					   * again */
	int64_t hold_ms;  /* milliseconds that sessions do, or did last, without
					   * open transactions; 0: none yet, or that time ended
					   * before its limit */

	/* Set by a run that ended with ERR_OPEN_TXN, for streaming_hold(). */
	uint32_t refused_xid;
	Lsn refused_until_lsn;
} Streaming;

/* Why a session can end that does without open transactions. */
typedef enum StreamingEnd
{
	STREAMING_GOES_ON,
	STREAMING_PASSED,  /* the refused transaction has come */
	STREAMING_REACHED, /* until_lsn was confirmed */
	STREAMING_EXPIRED, /* until_us has passed */
} StreamingEnd;

/*
 * Has the next sessions do without open transactions, because a target has
 * refused transaction `xid` (0: not known which).  `until_lsn` is the target's
 * SinkReport.refused_until_lsn.
 */
void streaming_hold(Streaming *streaming, uint32_t xid, Lsn until_lsn,
					int64_t now_us);

/* Records that a transaction has come completely. */
void streaming_pass(Streaming *streaming, uint32_t xid);

/*
 * Whether, and why, a session that does without open transactions can end, now
 * that LSN `confirmed_lsn` has been confirmed to the source.
 */
StreamingEnd streaming_end(const Streaming *streaming, Lsn confirmed_lsn,
						   int64_t now_us);

/* Has the next sessions get open transactions again, for the reason `end`. */
void streaming_release(Streaming *streaming, StreamingEnd end);

#endif /* PENSTOCK_PIPELINE_STREAMING_H */
