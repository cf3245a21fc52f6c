/*
 * state.h
 *    The numbers as lines of the log, for USR1.
 */
#ifndef PENSTOCK_METRICS_STATE_H
#define PENSTOCK_METRICS_STATE_H

#include <stdint.h>

#include "metrics/numbers.h"

/*
 * Logs what the process does, what it knows of the source and its slot, and
 * each target, as of `now_us` (monotonic).  What is not known is left out.
 */
void metrics_log_state(const MetricsNumbers *numbers, int64_t now_us);

#endif /* PENSTOCK_METRICS_STATE_H */
