/*
 * state_json.h
 *    The numbers, the last hour, the last events, and what to do next, as JSON
 *    for the page.
 */
#ifndef PENSTOCK_METRICS_STATE_JSON_H
#define PENSTOCK_METRICS_STATE_JSON_H

#include "base/buf.h"
#include "metrics/history.h"
#include "metrics/numbers.h"

/*
 * Appends one object as of `now_us` (monotonic).  What is not known is null.
 * For any thread.
 *
 *     pipeline, version
 *     state, state_s      what it does, and for how long
 *     ready, problems     as /readyz; an array of lines
 *     next                what a person should do: an array of sentences
 *     source              null if nothing recent is known
 *         slot_exists, wal_status, retained_bytes, safe_bytes, heartbeat_s
 *     targets             an array
 *         name, up, stuck, full, lag_s, lag_bytes, rows, transactions,
 *         conflicts, failures, open_transactions
 *         lag, rate       arrays of as many numbers as `ages_s`
 *     ages_s              how long ago each point was taken, the oldest first
 *     events              an array, the newest first
 *         name, level, age_s, times
 */
void metrics_state_json(Buf *buf, const MetricsNumbers *numbers,
						const History *history, int64_t now_us);

#endif /* PENSTOCK_METRICS_STATE_JSON_H */
