/*
 * clock.h
 *    The two clocks.  The monotonic clock is for intervals and deadlines, the
 *    wall clock for times that people see or that are compared with a server's
 *    times.
 */
#ifndef PENSTOCK_BASE_CLOCK_H
#define PENSTOCK_BASE_CLOCK_H

#include <stdint.h>

/*
 * Returns microseconds of a clock that never jumps.  Only differences of its
 * values have a meaning.
 */
int64_t clock_monotonic_us(void);

/* Returns microseconds since 2000-01-01 00:00:00 UTC, PostgreSQL's epoch. */
int64_t clock_wall_us(void);

/*
 * PostgreSQL's epoch as Unix time: seconds between 1970-01-01 and 2000-01-01.
 */
#define CLOCK_POSTGRES_EPOCH_S 946684800

#endif /* PENSTOCK_BASE_CLOCK_H */
