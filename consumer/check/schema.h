/*
 * schema.h
 *    Checks whether the schema of a target is equal to that of the source.
 */
#ifndef PENSTOCK_CHECK_SCHEMA_H
#define PENSTOCK_CHECK_SCHEMA_H

#include "check/context.h"

/*
 * Adds a finding if the schema of config->targets[index] differs from the
 * source's; blocks.  Does nothing if the pipeline has no progress on that
 * target, or has a placement.  To be called after check_target(), which has
 * already added a finding if a server cannot be reached.  Returns RC_FAIL only
 * if the user has asked us to stop.
 */
MUST_CHECK Rc check_schema(CheckContext *context, int index, Error *err);

#endif /* PENSTOCK_CHECK_SCHEMA_H */
