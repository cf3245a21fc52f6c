/*
 * detach.h
 *    Detaches partitions, and ends inheritance.
 */
#ifndef PENSTOCK_DDL_DIFF_DETACH_H
#define PENSTOCK_DDL_DIFF_DETACH_H

#include "ddl/diff/draft.h"

/*
 * Removes parents from tables that stay: afterwards no table that stays
 * inherits from one that goes.
 */
void diff_detach(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DETACH_H */
