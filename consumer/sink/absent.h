/*
 * absent.h
 *    What stands in for a target that cannot be reached, so that the others can
 *    go on.
 *
 * It takes nothing and keeps nothing: what the target misses stays in the
 * source's log, because durable_lsn stays where the target was, and nothing
 * behind that is confirmed.  Now and then it tries to connect, and asks
 * something, because what takes connections may be a pooler without a server.
 * When there is an answer, work() fails with ERR_CHANGED: everything is to be
 * set up anew, and the source asked once more for what the target lacks.
 */
#ifndef PENSTOCK_SINK_ABSENT_H
#define PENSTOCK_SINK_ABSENT_H

#include "sink/sink.h"

/* Pauses between attempts to connect grow from the first to the last. */
#define ABSENT_PAUSE_FIRST_MS 1000
#define ABSENT_PAUSE_MAX_MS   10000

/* How long one attempt may take. */
#define ABSENT_ATTEMPT_MS 10000

/*
 * `durable_lsn` is what is known of the target.  Both texts are copied.
 * `pause_ms`, before it is looked for, is what absent_pause_ms() said of the
 * last one in its place; 0: there was none, or the target has been well since.
 */
Sink *absent_new(const char *conninfo, const char *label, Lsn durable_lsn,
				 int64_t pause_ms);

/* Of a sink that is absent: whether it has answered. */
bool absent_has_answered(const Sink *sink);

/*
 * Of the same: how long to wait before it is looked for once more, if it turns
 * out to be away all the same.  So one that answers and then cannot be set up
 * does not keep the others from their work.
 */
int64_t absent_pause_ms(const Sink *sink);

/*
 * Whether an error of a target means that it cannot be reached, rather than
 * that it refuses something.
 */
bool absent_is_reason(const Error *err);

#endif /* PENSTOCK_SINK_ABSENT_H */
