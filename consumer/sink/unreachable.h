/*
 * unreachable.h
 *    What stands in for a target that cannot be reached, so that the others can
 *    go on.
 *
 * It takes nothing and keeps nothing: what the target misses stays in the
 * source's WAL, because durable_lsn stays where the target was, and nothing
 * after that is confirmed.  Now and then it opens the target, with all that
 * this takes, because what accepts connections may be a pooler without a
 * server. When that has succeeded, work() fails with ERR_CHANGED: everything is
 * to be set up anew, and the source asked once more for what the target lacks.
 * A target that refuses makes work() fail as its refusal says.
 */
#ifndef PENSTOCK_SINK_UNREACHABLE_H
#define PENSTOCK_SINK_UNREACHABLE_H

#include "base/backoff.h"
#include "base/task.h"
#include "sink/sink.h"

/* If there was none in its place, or the target has been well since. */
#define UNREACHABLE_BACKOFF ((Backoff){.first_ms = 1000, .max_ms = 10000})

typedef struct UnreachableOptions
{
	const char *label; /* copied */
	Lsn durable_lsn;   /* what is known of the target */
	Backoff backoff;   /* before it is looked for: unreachable_backoff() of the
						  last   one in its place, or UNREACHABLE_BACKOFF */

	/* Opens the target; run as a task, again and again until it succeeds.  What
	 * it opens is the context's.  It fails with an error that is transient
	 * if the target is still unreachable, or not ready yet. */
	TaskFunction open;
	void *context;
	Task *opening; /* the same, under way already: the sink's from here on; or
					  NULL */
} UnreachableOptions;

Sink *unreachable_new(const UnreachableOptions *options);

/* Of such a sink: whether its target was opened. */
bool unreachable_has_answered(const Sink *sink);

/*
 * Of the same: how long to wait before it is looked for once more, if it turns
 * out to be unreachable all the same.  So one that answers and then cannot be
 * set up does not keep the others from their work.
 */
Backoff unreachable_backoff(const Sink *sink);

/*
 * Whether an error of a target means that it cannot be reached, rather than
 * that it refuses something.
 */
bool unreachable_is_reason(const Error *err);

#endif /* PENSTOCK_SINK_UNREACHABLE_H */
