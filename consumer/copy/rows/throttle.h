/*
 * throttle.h
 *    Limits the bytes that are copied per second.
 *
 * A throttle is a token bucket: it is filled with bytes at the given rate, and
 * holds at most those of THROTTLE_BURST_MS.  Because rows are copied whole, a
 * caller may take more bytes than are available.  The bucket is then below 0,
 * and nothing may be taken until it is filled to more than 0.
 */
#ifndef PENSTOCK_COPY_ROWS_THROTTLE_H
#define PENSTOCK_COPY_ROWS_THROTTLE_H

#include <stdint.h>

#define THROTTLE_BURST_MS 100

/* Minimum of throttle_wait_ms() if it is not 0, so that we do not wake up for a
 * few bytes. */
#define THROTTLE_PAUSE_MS 10

typedef struct Throttle
{
	int64_t rate;      /* bytes per second; 0: there is no limit */
	int64_t available; /* bytes in the bucket; negative: too many were taken */
	int64_t filled_us; /* monotonic time when the bucket was last filled */
} Throttle;

void throttle_init(Throttle *throttle, int64_t rate, int64_t now_us);

/* Fills the bucket with the bytes of the time since it was last filled, and
 * returns how many bytes may be taken now. */
int64_t throttle_fill(Throttle *throttle, int64_t now_us);

/*
 * Fills the bucket, and returns how many bytes one of `sharers` callers may
 * take, which are this caller and those whose turn comes later: an equal share,
 * and at least 1 byte if any may be taken.
 */
int64_t throttle_share(Throttle *throttle, int64_t now_us, int sharers);

void throttle_take(Throttle *throttle, int64_t bytes);

/* Returns the milliseconds until bytes may be taken; 0: now. */
int64_t throttle_wait_ms(const Throttle *throttle);

#endif /* PENSTOCK_COPY_ROWS_THROTTLE_H */
