/*
 * pipeline.h
 *    Checks of what is there of the pipeline itself: its slot on the source and
 *    its progress on the targets, which must be there together.
 */
#ifndef PENSTOCK_CHECK_PIPELINE_H
#define PENSTOCK_CHECK_PIPELINE_H

#include "check/context.h"

/*
 * Adds the findings; to be called when source and targets were checked.  Looks
 * for pg_dump if the pipeline is still to be cloned.  RC_FAIL: a stop was asked
 * for.
 */
MUST_CHECK Rc check_pipeline(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_PIPELINE_H */
