/*
 * history.h
 *    Whether what the targets have is in the source's history.
 */
#ifndef PENSTOCK_CHECK_HISTORY_H
#define PENSTOCK_CHECK_HISTORY_H

#include "check/context.h"

/*
 * Asks what a follower asks at its start: see model/history.h.  To be called
 * when source and targets were checked; does nothing where no target has
 * progress.  RC_FAIL: a stop was asked for.
 */
MUST_CHECK Rc check_history(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_HISTORY_H */
