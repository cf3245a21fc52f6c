/*
 * throttle.h
 *    So many bytes a second and no more, whoever takes them.
 *
 * A bucket that fills at the rate and holds what comes in THROTTLE_BURST_MS.
 * What is taken may be more than there is, because rows come whole; then the
 * bucket owes the rest, and nothing is to be had until it is paid.
 */
#ifndef PENSTOCK_COPY_ROWS_THROTTLE_H
#define PENSTOCK_COPY_ROWS_THROTTLE_H

#include <stdint.h>

#define THROTTLE_BURST_MS 100

/* Shorter pauses are not worth waking up for. */
#define THROTTLE_PAUSE_MS 10

typedef struct Throttle
{
	int64_t rate;      /* bytes a second; 0: there is no limit */
	int64_t available; /* bytes; below 0: owed */
	int64_t filled_us; /* when it was filled last, monotonic */
} Throttle;

void throttle_init(Throttle *throttle, int64_t rate, int64_t now_us);

/* Lets in what has come since, and tells how many bytes may be taken now. */
int64_t throttle_fill(Throttle *throttle, int64_t now_us);

/*
 * The same for one of several that take in turn, this one and those that have
 * not had theirs: an equal share, of a byte at least if anything may be taken.
 */
int64_t throttle_share(Throttle *throttle, int64_t now_us, int sharers);

void throttle_take(Throttle *throttle, int64_t bytes);

/* Milliseconds until something may be taken; 0: at once. */
int64_t throttle_wait_ms(const Throttle *throttle);

#endif /* PENSTOCK_COPY_ROWS_THROTTLE_H */
