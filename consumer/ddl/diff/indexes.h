/*
 * indexes.h
 *    Creates and alters indexes and keys.
 */
#ifndef PENSTOCK_DDL_DIFF_INDEXES_H
#define PENSTOCK_DDL_DIFF_INDEXES_H

#include "ddl/diff/draft.h"

/*
 * Creates indexes, adds primary keys, unique and exclusion constraints, and
 * sets options of indexes.
 */
void diff_indexes(Draft *draft);

/*
 * Does the same for indexes of partitioned tables that some partitions do not
 * have; partitions' indexes are attached later.
 */
void diff_unfinished_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_INDEXES_H */
