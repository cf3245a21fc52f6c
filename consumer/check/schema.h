/*
 * schema.h
 *    Whether the schema of a target is still like that of the source.
 */
#ifndef PENSTOCK_CHECK_SCHEMA_H
#define PENSTOCK_CHECK_SCHEMA_H

#include "check/context.h"

/*
 * Adds a finding if config->targets[index] has a pipeline whose schema differs
 * from the source's; a target that is to be copied to yet has no schema.  To be
 * called after check_target().  A server that cannot be reached has a finding
 * by then, and gets no other.  RC_FAIL: a stop was asked for.
 */
MUST_CHECK Rc check_schema(CheckContext *context, int index, Error *err);

#endif /* PENSTOCK_CHECK_SCHEMA_H */
