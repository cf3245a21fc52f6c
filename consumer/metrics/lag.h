/*
 * lag.h
 *    How many seconds a position of the source's WAL lags.
 *
 * Now and then the follower notes where the end of the source's WAL is, and
 * when: a heartbeat.  A position lags by the time that it took to reach the
 * last heartbeat that it has reached, or by the age of the oldest one that it
 * has not reached, whichever is more.  All times are of our own monotonic
 * clock, so the clocks of the servers need not agree.
 *
 * A lag that grows is known without asking the source, because a heartbeat that
 * was not reached gets older.  That nothing lags is known only as long as the
 * last heartbeat is recent.
 *
 * The number of heartbeats is bounded.  If there are too many, because the lag
 * is long, every second one is forgotten.  The lag is then known less
 * precisely, in proportion to its length.
 */
#ifndef PENSTOCK_METRICS_LAG_H
#define PENSTOCK_METRICS_LAG_H

#include <stdbool.h>
#include <stdint.h>

#define HEARTBEATS_MAX 128

typedef struct Heartbeat
{
	uint64_t lsn;   /* the source's WAL had reached this LSN … */
	int64_t now_us; /* … at this time, and not at the heartbeat before */
} Heartbeat;

/* Heartbeats in the order of their LSNs, and so of their times.  {0}: none. */
typedef struct Heartbeats
{
	Heartbeat beats[HEARTBEATS_MAX];
	int count;
	int64_t last_us;     /* time of the last one, also if the source's WAL had
						  * not grown */
	int64_t interval_us; /* time from one to the next */
} Heartbeats;

/* What is known of the lag of one position.  {0}: nothing. */
typedef struct LagMeter
{
	uint64_t reached_lsn; /* LSN of the last heartbeat that was reached; 0:
						   * none */
	int64_t delay_us;     /* time that it took to reach that heartbeat */
} LagMeter;

/* Adds a heartbeat. */
void heartbeats_add(Heartbeats *self, uint64_t lsn, int64_t now_us);

/* Forgets the heartbeats at or below `lsn`, which every position has reached,
 * except the last heartbeat. */
void heartbeats_forget(Heartbeats *self, uint64_t lsn);

/* Whether the last heartbeat is so recent that its LSN is close to the end of
 * the source's WAL. */
bool heartbeats_are_recent(const Heartbeats *self, int64_t now_us);

/* Records that the position is at `lsn`. */
void lag_note(LagMeter *self, const Heartbeats *beats, uint64_t lsn,
			  int64_t now_us);

/*
 * Sets *seconds to the lag of the position, which is at `lsn`.  Returns false
 * if it is not known.
 */
bool lag_read(const LagMeter *self, const Heartbeats *beats, uint64_t lsn,
			  int64_t now_us, double *seconds);

#endif /* PENSTOCK_METRICS_LAG_H */
