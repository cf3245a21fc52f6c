/*
 * cloning.h
 *    Whether a pipeline that does not exist yet could be cloned.  What is in
 *    the way is said in the words of "penstock clone" (see obstacles.h).
 */
#ifndef PENSTOCK_CHECK_CLONING_H
#define PENSTOCK_CHECK_CLONING_H

#include "check/context.h"

/*
 * Adds the findings; to be called when source and targets were checked.  Does
 * nothing where there is a slot or progress of the pipeline.  RC_FAIL: a stop
 * was asked for.
 */
MUST_CHECK Rc check_cloning(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_CLONING_H */
