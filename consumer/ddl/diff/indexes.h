/*
 * indexes.h
 *    Indexes that tables get, or that are altered.
 */
#ifndef PENSTOCK_DDL_DIFF_INDEXES_H
#define PENSTOCK_DDL_DIFF_INDEXES_H

#include "ddl/diff/draft.h"

/* Creates indexes that belong to no constraint, and sets their options. */
void diff_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_INDEXES_H */
