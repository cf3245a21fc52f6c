/*
 * clock.h
 *    The two clocks.  Intervals and deadlines use the monotonic one; what is
 *    shown to people or compared with a server's times uses the wall clock.
 */
#ifndef PENSTOCK_BASE_CLOCK_H
#define PENSTOCK_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds on a clock that never jumps; its zero means nothing. */
int64_t clock_monotonic_us(void);

/* Microseconds since 2000-01-01 00:00:00 UTC, PostgreSQL's epoch. */
int64_t clock_wall_us(void);

/* Seconds between 1970-01-01 and 2000-01-01. */
#define CLOCK_POSTGRES_EPOCH_S 946684800

#endif /* PENSTOCK_BASE_CLOCK_H */
