/*
 * followable.h
 *    Finds changes for which there is no statement, or none in the target's
 *    version.
 */
#ifndef PENSTOCK_DDL_DIFF_FOLLOWABLE_H
#define PENSTOCK_DDL_DIFF_FOLLOWABLE_H

#include "base/error.h"
#include "ddl/diff/draft.h"

/*
 * RC_FAIL with ERR_CONFIG: there is such a change; the message has the object
 * and the clause.  A new state in which a table inherits from one that is gone
 * is refused, too, because the table would be dropped with its parent.
 */
MUST_CHECK Rc diff_check_followable(const Draft *draft, Error *err);

#endif /* PENSTOCK_DDL_DIFF_FOLLOWABLE_H */
