/*
 * text.h
 *    All numbers of a follower as metrics, in the text formats of Prometheus.
 *
 * What is not known, or was learned too long ago, has no sample.
 */
#ifndef PENSTOCK_METRICS_TEXT_H
#define PENSTOCK_METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "metrics/numbers.h"

/* Largest size of the text in bytes. */
#define METRICS_TEXT_MAX ((size_t) 2 * 1024 * 1024)

/*
 * Appends the metrics as of `now_us` (monotonic).  For any thread: uses nothing
 * but its arguments.
 */
void metrics_text(Buf *buf, const MetricsNumbers *numbers, int64_t now_us,
				  bool openmetrics);

#endif /* PENSTOCK_METRICS_TEXT_H */
