/*
 * targets.h
 *    Opens and replaces the sinks of all targets of a pipeline.
 *
 * A target that cannot be reached or does not answer does not stop the others:
 * an "unreachable" sink takes its place (sink/unreachable.h), which tries to
 * open the target now and then.  When that succeeds, a new attempt begins.
 */
#ifndef PENSTOCK_PIPELINE_TARGETS_H
#define PENSTOCK_PIPELINE_TARGETS_H

#include "control/follower_table.h"
#include "pipeline/state.h"

/*
 * Opens the sinks of all targets at the same time.  Waits until all are ready,
 * but only for a moment after the first one is.  Fails if none is ready, or if
 * a target refuses us.
 */
MUST_CHECK Rc targets_open(Attempt *attempt, Error *err);

/* Closes all sinks, also if targets_open() has failed or was never called. */
void targets_close(Attempt *attempt);

/*
 * Records in attempt->known what the next attempt needs.  To be called before
 * targets_close().
 */
void targets_note(const Attempt *attempt);

/* Pipeline.replace; `context` is the Attempt. */
Sink *targets_replace(void *context, int index, Error *err);

/*
 * Records on the targets what the follower does, for "penstock status".  A
 * failure is ignored: whatever is wrong with a target is reported by the code
 * that needs it.
 */
void targets_say(const Config *config, const Known *known, FollowerState state,
				 const char *message);
void targets_say_following(const Attempt *attempt);

#endif /* PENSTOCK_PIPELINE_TARGETS_H */
