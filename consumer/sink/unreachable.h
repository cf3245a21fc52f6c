/*
 * unreachable.h
 *    A stand-in for the sink of a target that cannot be reached, so that the
 *    pipeline can continue with its other targets.
 *
 * The stand-in ignores all changes.  Its durable_lsn stays where the target
 * was, so the source keeps all WAL after that, and sends the changes again
 * later.  From time to time the stand-in tries to open the target completely,
 * and not only to connect, because a pooler may accept connections although its
 * server cannot be reached.  When it has succeeded, work() fails with
 * ERR_CHANGED: the caller then sets up all sinks anew, and requests the changes
 * from the source again that the target has missed.  If the target can be
 * reached but refuses to be opened, work() fails with that error.
 */
#ifndef PENSTOCK_SINK_UNREACHABLE_H
#define PENSTOCK_SINK_UNREACHABLE_H

#include "base/backoff.h"
#include "base/task.h"
#include "sink/sink.h"

/* Backoff of the first stand-in for a target, and of the first after the target
 * could be used again. */
#define UNREACHABLE_BACKOFF ((Backoff){.first_ms = 1000, .max_ms = 10000})

typedef struct UnreachableOptions
{
	const char *label; /* name of the target; copied */
	Lsn durable_lsn;   /* last known durable_lsn of the target */
	Backoff backoff;   /* pauses between attempts: unreachable_backoff() of the
						* previous stand-in, or UNREACHABLE_BACKOFF */

	/* Opens the target, and stores what it has opened in `context`.  It is run
	 * as a task, and run again until it succeeds.  It fails with a transient
	 * error if the target cannot be reached, or is not ready yet. */
	TaskFunction open;
	void *context;
	Task *opening; /* task that runs `open` already, of which the sink takes
					* ownership; or NULL */
} UnreachableOptions;

/* Returns a new stand-in, to be freed with sink_free(). */
Sink *unreachable_new(const UnreachableOptions *options);

/* Whether a stand-in has opened its target. */
bool unreachable_has_answered(const Sink *sink);

/*
 * Returns the backoff for the next stand-in of the same target.  With it, the
 * pauses grow also if the target can be opened each time but fails soon after,
 * so that it does not interrupt the other targets all the time.
 */
Backoff unreachable_backoff(const Sink *sink);

/*
 * Whether an error of a target that is followed means that it cannot be
 * reached, or cannot take anything for now; false if it has refused something.
 * Not when it is out of memory: a smaller batch may have room (out_of_room.h).
 */
bool unreachable_is_reason(const Error *err);

/*
 * Whether a target that could not be opened because of an error may be opened
 * later, so that the others need not wait for it.  It may have accepted the
 * connection and failed then, when it is out of memory, its disk is full or a
 * lock is not available.
 */
bool unreachable_may_open_later(const Error *err);

#endif /* PENSTOCK_SINK_UNREACHABLE_H */
