/*
 * pipeline.h
 *    Checks the pipeline itself: its slot on the source and its progress on the
 *    targets, of which all must exist or none.
 */
#ifndef PENSTOCK_CHECK_PIPELINE_H
#define PENSTOCK_CHECK_PIPELINE_H

#include "check/context.h"

/*
 * Adds the findings; to be called after check_source() and check_target().
 * Also searches pg_dump if a target is still to be cloned.  Returns RC_FAIL
 * only if the user has asked us to stop.
 */
MUST_CHECK Rc check_pipeline(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_PIPELINE_H */
