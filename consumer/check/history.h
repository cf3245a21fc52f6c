/*
 * history.h
 *    Checks whether the targets' progress is in the source's timeline history.
 */
#ifndef PENSTOCK_CHECK_HISTORY_H
#define PENSTOCK_CHECK_HISTORY_H

#include "check/context.h"

/*
 * Makes the check that a follower makes when it starts (see model/history.h),
 * and adds the findings; blocks.  To be called after check_source() and
 * check_target().  Does nothing if no target has progress.  Returns RC_FAIL
 * only if the user has asked us to stop.
 */
MUST_CHECK Rc check_history(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_HISTORY_H */
