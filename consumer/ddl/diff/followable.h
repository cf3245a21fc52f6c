/*
 * followable.h
 *    Changes that no statement can make, or none of the target's version.
 */
#ifndef PENSTOCK_DDL_DIFF_FOLLOWABLE_H
#define PENSTOCK_DDL_DIFF_FOLLOWABLE_H

#include "base/error.h"
#include "ddl/diff/draft.h"

/* ERR_CONFIG: the message names the object and what of it cannot be had. */
MUST_CHECK Rc diff_check_followable(const Draft *draft, Error *err);

#endif /* PENSTOCK_DDL_DIFF_FOLLOWABLE_H */
