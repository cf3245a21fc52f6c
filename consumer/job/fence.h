/*
 * fence.h
 *    All targets at one position of the source, for a while.
 *
 *     1. take the fence on every target, so that it falls if we do
 *     2. lock the progress on every target: from here on none moves
 *     3. ask the source where it is; that is not before any of them
 *     4. write the fence, make the follower look again, and commit
 *        If another position is wanted, ask for that, and move the fence there
 *     5. wait until every target has exactly that position, bring its sequences
 *        to where the source's are by then, say so, and hold
 *     6. remove the fence
 *
 * The follower (see pipeline/follow.h) stops at the fence, applies what is
 * before it, and waits until there is none.  If we end between the commits of
 * 4, some targets have no fence; those that have one lose it with our session.
 */
#ifndef PENSTOCK_JOB_FENCE_H
#define PENSTOCK_JOB_FENCE_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "model/lsn.h"

/* What is done while the targets are held. */
typedef struct FenceUse
{
	/*
	 * Says where that is to be: a later position than where the source was when
	 * the fence was put up, which no target passes meanwhile.  NULL: there.
	 * What it returns other than RC_OK ends the fence.
	 */
	Rc (*choose)(void *context, Lsn *lsn, Error *err);

	/* Is called once all of them are at the position; may block. */
	Rc (*reached)(void *context, Lsn lsn, Error *err);
	void *context;

	/* The fence ends when `reached` has returned, and no sequence is set. */
	bool is_brief;

	/* Where nobody follows, the pipeline is followed up to the position. */
	bool follows;
} FenceUse;

/*
 * Holds the targets of the configuration for config->hold_s, or until a stop is
 * asked for if that is 0.  Waits.  Fails if a target did not stay where it was.
 * Returns what FenceUse.choose does.
 */
MUST_CHECK Rc fence_hold(const Config *config, const FenceUse *use, Error *err);

#endif /* PENSTOCK_JOB_FENCE_H */
