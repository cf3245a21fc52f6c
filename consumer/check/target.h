/*
 * target.h
 *    Checks a target: the privileges of the role, and whether its tables match
 *    those that the source publishes.
 */
#ifndef PENSTOCK_CHECK_TARGET_H
#define PENSTOCK_CHECK_TARGET_H

#include "check/context.h"

/*
 * Adds the findings about config->targets[index], and sets its progress in
 * `context`; blocks.  To be called after check_source().  A target that cannot
 * be reached is a finding.  Returns RC_FAIL only if the user has asked us to
 * stop.
 */
MUST_CHECK Rc check_target(CheckContext *context, int index, Error *err);

/* Returns the name of a target in findings: its configured name, or else its
 * address.  The caller releases it with free(). */
char *check_target_name(const Config *config, int index);

#endif /* PENSTOCK_CHECK_TARGET_H */
