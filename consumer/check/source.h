/*
 * source.h
 *    Checks of the source: its settings, the role, what is published, and
 *    whether the plugin can be used.
 */
#ifndef PENSTOCK_CHECK_SOURCE_H
#define PENSTOCK_CHECK_SOURCE_H

#include "check/context.h"

/*
 * Adds the findings on the source and fills in what `context` says of it.  A
 * source that cannot be reached is a finding.  RC_FAIL: a stop was asked for.
 */
MUST_CHECK Rc check_source(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_SOURCE_H */
