/*
 * health.h
 *    Whether a follower does what it is for.
 */
#ifndef PENSTOCK_METRICS_HEALTH_H
#define PENSTOCK_METRICS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "metrics/numbers.h"

/*
 * Whether the follower is at work and every target lags less than
 * MetricsNumbers.lag_limit_us, if there is one, as of `now_us` (monotonic).
 * Appends a line that says it, or what is wrong.  For any thread.
 */
bool health_is_ready(const MetricsNumbers *numbers, int64_t now_us, Buf *why);

#endif /* PENSTOCK_METRICS_HEALTH_H */
