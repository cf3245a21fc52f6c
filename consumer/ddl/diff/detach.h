/*
 * detach.h
 *    Tables that do not inherit any more, and partitions that are none.
 */
#ifndef PENSTOCK_DDL_DIFF_DETACH_H
#define PENSTOCK_DDL_DIFF_DETACH_H

#include "ddl/diff/draft.h"

/* Takes tables that stay from parents that stay. */
void diff_detach(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DETACH_H */
