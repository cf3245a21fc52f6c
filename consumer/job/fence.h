/*
 * fence.h
 *    Holds all targets at the same LSN of the source for some time.
 *
 * A fence is a row on a target with the LSN up to which a follower may apply
 * changes, and an advisory lock of our session: see control/fence.h.  We
 *
 *     1. take the advisory lock on every target, so that the fence ends with
 *        our session; if FenceUse.choose is given, wait until the targets are
 *        near the end of the source's WAL
 *     2. lock the progress row on every target: from now on no target advances
 *     3. query the source for its insert LSN, which no target has passed
 *     4. write the fence at that LSN, invalidate the follower's lease token, so
 *        that it reads the fence, and commit; if FenceUse.choose is given, call
 *        it for a later LSN, and move the fence there
 *     5. wait until every target has exactly that LSN, advance the targets'
 *        sequences to the source's, call FenceUse.reached, and hold
 *     6. remove the fence
 *
 * The follower (see pipeline/follow.h) applies the transactions before the
 * fence, and then waits until the fence is removed.  If we end between the
 * commits of step 4, only some targets have a fence, which ends with our
 * sessions.
 */
#ifndef PENSTOCK_JOB_FENCE_H
#define PENSTOCK_JOB_FENCE_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "model/lsn.h"

/* What the caller does while the targets are held. */
typedef struct FenceUse
{
	/*
	 * Called after step 1, when all that the fence needs is ready and the
	 * followers still go on; may block.  Any result but RC_OK ends the fence.
	 * NULL: nothing is called.
	 */
	Rc (*ready)(void *context, Error *err);

	/*
	 * Sets *lsn to the LSN at which the targets are to be held.  It must not be
	 * before the LSN of step 3, at which the targets are held until this
	 * function has returned.  Any result but RC_OK ends the fence.  NULL: hold
	 * the targets at the LSN of step 3.
	 */
	Rc (*choose)(void *context, Lsn *lsn, Error *err);

	/* Called when all targets have reached the LSN; may block. */
	Rc (*reached)(void *context, Lsn lsn, Error *err);
	void *context;

	/*
	 * Whether nothing that is followed can be written from the return of
	 * `ready` on.  Then there is no fence, because whatever a target has beyond
	 * the LSN changes nothing: after steps 1 and 3 we wait until every target
	 * has reached the LSN, and call `reached`.  The followers go on, where a
	 * fence would have them start again.
	 */
	bool is_drained;

	/* Whether the fence ends when `reached` has returned, and sequences are not
	 * advanced. */
	bool is_brief;

	/* Whether we follow the pipeline up to the LSN ourselves if no follower is
	 * running. */
	bool follows;

	/*
	 * Milliseconds in which all targets must have come near the end of the
	 * source's WAL before `ready` is called, and in which they must have
	 * reached the LSN afterwards; otherwise the fence fails with ERR_LIMIT.  0:
	 * no limit.
	 */
	int near_ms_max;
	int reach_ms_max;
} FenceUse;

/*
 * Holds the targets of the configuration for config->hold_s seconds or, if that
 * is 0, until the user asks us to stop; blocks.  Fails if a target has left the
 * LSN meanwhile.  Returns the result of FenceUse.choose if that is not RC_OK.
 */
MUST_CHECK Rc fence_hold(const Config *config, const FenceUse *use, Error *err);

#endif /* PENSTOCK_JOB_FENCE_H */
