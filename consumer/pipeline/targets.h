/*
 * targets.h
 *    The targets of a pipeline that is followed, as far as they are there.
 *
 * A target that cannot be reached, or does not answer, does not keep the
 * others: something stands in for it that looks for it (see
 * sink/unreachable.h), and all begins anew when it can be reached again.
 */
#ifndef PENSTOCK_PIPELINE_TARGETS_H
#define PENSTOCK_PIPELINE_TARGETS_H

#include "control/follower_table.h"
#include "pipeline/state.h"

/*
 * Opens the sinks of all targets, side by side.  Waits until all are ready, or
 * for a moment after the first.  Fails if none is, or if one refuses.
 */
MUST_CHECK Rc targets_open(Attempt *attempt, Error *err);

/* Closes what was opened; for an attempt whose targets_open() has failed or was
 * never called, too. */
void targets_close(Attempt *attempt);

/* Notes in attempt->known what the next attempt is to know.  Before
 * targets_close(). */
void targets_note(const Attempt *attempt);

/* The Pipeline's `replace`; the context is the Attempt. */
Sink *targets_replace(void *context, int index, Error *err);

/*
 * Tells the targets what the follower does, for "penstock status".  That one
 * cannot be told is no news: whatever keeps it is met, and said, where it
 * matters.
 */
void targets_say(const Config *config, const Known *known, FollowerState state,
				 const char *message);
void targets_say_following(const Attempt *attempt);

#endif /* PENSTOCK_PIPELINE_TARGETS_H */
