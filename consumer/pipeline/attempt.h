/*
 * attempt.h
 *    One attempt to follow: everything that it needs is set up, streamed
 * through until it ends, and given back.
 */
#ifndef PENSTOCK_PIPELINE_ATTEMPT_H
#define PENSTOCK_PIPELINE_ATTEMPT_H

#include "pipeline/state.h"

/*
 * Sets up and follows until the end that the configuration names, a fence, or a
 * request to stop.  The slot comes first: the server lets only one consumer
 * have it, so whoever claims the targets afterwards is the only one who does.
 * Blocks. To be closed also after a failure.
 */
MUST_CHECK Rc attempt_run(Attempt *attempt, Error *err);

/* Gives back all that it holds; what it has learnt of targets is in `known`. */
void attempt_close(Attempt *attempt);

/*
 * After one that ended well and was closed: if the targets are where they were
 * to come to, brings their sequences there, since somebody may be about to use
 * them.  Blocks.
 */
MUST_CHECK Rc attempt_finish(const Attempt *attempt, Error *err);

/* Whether the stream was told to leave out what is in the list. */
bool attempt_leaves_out(const Attempt *attempt, const Buf *list);

#endif /* PENSTOCK_PIPELINE_ATTEMPT_H */
