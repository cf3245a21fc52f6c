/*
 * target.h
 *    Checks of a target: what the role may do there, and whether its tables fit
 *    those that the source publishes.
 */
#ifndef PENSTOCK_CHECK_TARGET_H
#define PENSTOCK_CHECK_TARGET_H

#include "check/context.h"

/*
 * Adds the findings on config->targets[index] and fills in its progress in
 * `context`.  To be called after check_source().  A target that cannot be
 * reached is a finding.  RC_FAIL: a stop was asked for.
 */
MUST_CHECK Rc check_target(CheckContext *context, int index, Error *err);

/* What findings call it: its own name, or else its address.  To be freed. */
char *check_target_name(const Config *config, int index);

#endif /* PENSTOCK_CHECK_TARGET_H */
