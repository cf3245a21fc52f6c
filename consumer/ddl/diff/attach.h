/*
 * attach.h
 *    Tables that inherit from another one, and partitions.
 */
#ifndef PENSTOCK_DDL_DIFF_ATTACH_H
#define PENSTOCK_DDL_DIFF_ATTACH_H

#include "ddl/diff/draft.h"

/* Lets a table inherit that is to get columns from its new parent, which the
 * parent gets later. */
void diff_inherit_early(Draft *draft);

/* Gives tables the parents that they have after, and indexes of partitions. */
void diff_attach(Draft *draft);

/* Attaches what indexes have come since. */
void diff_attach_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ATTACH_H */
