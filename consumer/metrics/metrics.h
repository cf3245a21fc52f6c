/*
 * metrics.h
 *    The one set of numbers of this process, and copies of it for other
 * threads.
 *
 * The thread of the loop changes the numbers as it likes, and publishes them
 * now and then: a copy, made under a lock that is held only for that copy.
 * Another thread reads the copy under the same lock.  So a reader never sees
 * numbers that do not belong together, and neither waits for more than a
 * memcpy(): a reader is answered while the loop waits for a server, and the
 * loop does not notice how often somebody reads.
 *
 * With one set for a process no function has to be given the numbers: they are
 * there like the log.  A process that follows nothing never publishes.
 */
#ifndef PENSTOCK_METRICS_METRICS_H
#define PENSTOCK_METRICS_METRICS_H

#include "metrics/history.h"
#include "metrics/numbers.h"

/* The loop publishes at most this often. */
#define METRICS_INTERVAL_MS 100

/* Returns the numbers, which only the thread of the loop may use. */
MetricsNumbers *metrics_numbers(void);

/* Returns the numbers of a target, which exist from now on. */
MetricsTarget *metrics_target(int index);

/* Sets what the process does, and publishes. */
void metrics_enter(MetricsState state, int64_t now_us);

/* Returns the word for a state: "following". */
const char *metrics_state_name(MetricsState state);

/* Publishes the numbers as they are now. */
void metrics_publish(void);

/*
 * Copies what was published last; for any thread.  Zeroed numbers, with an
 * empty name of the pipeline, if nothing was.
 */
void metrics_read(MetricsNumbers *copy);

/* Copies what the last hour was like; for any thread. */
void metrics_read_history(History *copy);

#endif /* PENSTOCK_METRICS_METRICS_H */
