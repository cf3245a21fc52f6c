/*
 * source.h
 *    Checks the source: its settings, the privileges of the role, the
 *    publications and their tables, and whether the plugin can be used.
 */
#ifndef PENSTOCK_CHECK_SOURCE_H
#define PENSTOCK_CHECK_SOURCE_H

#include "check/context.h"

/*
 * Adds the findings about the source, and sets the members of `context` that
 * are read from it; blocks.  A source that cannot be reached is a finding.
 * Returns RC_FAIL only if the user has asked us to stop.
 */
MUST_CHECK Rc check_source(CheckContext *context, Error *err);

#endif /* PENSTOCK_CHECK_SOURCE_H */
