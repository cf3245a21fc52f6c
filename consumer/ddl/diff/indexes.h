/*
 * indexes.h
 *    Indexes that tables get, or that are altered; keys.
 */
#ifndef PENSTOCK_DDL_DIFF_INDEXES_H
#define PENSTOCK_DDL_DIFF_INDEXES_H

#include "ddl/diff/draft.h"

/* Creates indexes, adds primary keys, unique and exclusion constraints, and
 * sets options of indexes. */
void diff_indexes(Draft *draft);

/* The same of indexes of partitioned tables that some partitions do not have;
 * those that have it are attached later. */
void diff_unfinished_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_INDEXES_H */
