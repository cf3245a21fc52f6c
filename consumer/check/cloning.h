/*
 * cloning.h
 *    Whether a pipeline that is not there yet could be cloned, asked in the
 *    words of the command that would do it (see copy/obstacles.h).
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
