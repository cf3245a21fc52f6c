/*
 * absent.h
 *    What stands in for a target that cannot be reached, so that the others can
 *    go on.
 *
 * It takes nothing and keeps nothing: what the target misses stays in the
 * source's log, because durable_lsn stays where the target was, and nothing
 * after that is confirmed.  Now and then it opens the target, with all that
 * this takes, because what accepts connections may be a pooler without a
 * server. When that has succeeded, work() fails with ERR_CHANGED: everything is
 * to be set up anew, and the source asked once more for what the target lacks.
 * A target that refuses makes work() fail as its refusal says.
 */
#ifndef PENSTOCK_SINK_ABSENT_H
#define PENSTOCK_SINK_ABSENT_H

#include "base/task.h"
#include "sink/sink.h"

/* Pauses between attempts to connect grow from the first to the last. */
#define ABSENT_PAUSE_FIRST_MS 1000
#define ABSENT_PAUSE_MAX_MS   10000

typedef struct AbsentOptions
{
	const char *label; /* copied */
	Lsn durable_lsn;   /* what is known of the target */
	int64_t pause_ms; /* before it is looked for: what absent_pause_ms() said of
						 the last one in its place; 0: there was none, or the
						 target has been well since */

	/* Opens the target; run as a task, again and again until it succeeds.  What
	 * it opens is the context's.  It fails with what absent_is_reason() knows
	 * if the target is still away. */
	TaskFunction open;
	void *context;
	Task *opening; /* the same, under way already: the sink's from here on; or
					  NULL */
} AbsentOptions;

Sink *absent_new(const AbsentOptions *options);

/* Of a sink that is absent: whether its target was opened. */
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
