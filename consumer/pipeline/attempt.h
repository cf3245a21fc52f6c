/*
 * attempt.h
 *    One attempt to follow the source: sets everything up, streams until the
 *    end, and releases everything.
 *
 * The follower makes one attempt after the other; see follow.h.
 */
#ifndef PENSTOCK_PIPELINE_ATTEMPT_H
#define PENSTOCK_PIPELINE_ATTEMPT_H

#include "pipeline/state.h"

/*
 * Sets up and follows until config->endpos, a fence (control/fence.h) or a
 * request to stop.  The stream is opened before the targets: only one client
 * can use a slot, so no other follower of the pipeline claims the targets at
 * the same time.  Blocks. attempt_close() has to be called also after a
 * failure.
 */
MUST_CHECK Rc attempt_run(Attempt *attempt, Error *err);

/*
 * Releases all that the attempt holds.  What it has found out about the targets
 * stays in attempt->known.
 */
void attempt_close(Attempt *attempt);

/*
 * To be called after an attempt that succeeded and was closed.  If the targets
 * have reached config->endpos, sets their sequences to the source's positions
 * and copies the last changes of large objects, because applications may be
 * about to use the targets.  Blocks.
 */
MUST_CHECK Rc attempt_finish(const Attempt *attempt, Error *err);

/*
 * Whether `list` is the list of tables that the source was told to leave out of
 * the stream.
 */
bool attempt_leaves_out(const Attempt *attempt, const Buf *list);

#endif /* PENSTOCK_PIPELINE_ATTEMPT_H */
