/*
 * cloning.h
 *    Checks whether "penstock clone" could clone a pipeline that does not exist
 *    yet.  The findings have the messages of "penstock clone" (see
 *    obstacles.h).
 */
#ifndef PENSTOCK_CHECK_CLONING_H
#define PENSTOCK_CHECK_CLONING_H

#include "check/context.h"

/*
 * Adds the findings; blocks.  To be called after check_source() and
 * check_target().  Does nothing if the pipeline has a slot, or progress on all
 * targets.  Returns RC_FAIL only if the user has asked us to stop.
 */
MUST_CHECK Rc check_cloning(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_CLONING_H */
