/*
 * drop_constraints.h
 *    Drops constraints and indexes.
 */
#ifndef PENSTOCK_DDL_DIFF_DROP_CONSTRAINTS_H
#define PENSTOCK_DDL_DIFF_DROP_CONSTRAINTS_H

#include "ddl/diff/draft.h"

/* Drops foreign keys, then other constraints, then indexes. */
void diff_drop_constraints(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DROP_CONSTRAINTS_H */
