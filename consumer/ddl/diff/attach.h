/*
 * attach.h
 *    Attaches partitions, and makes tables inherit from others.
 */
#ifndef PENSTOCK_DDL_DIFF_ATTACH_H
#define PENSTOCK_DDL_DIFF_ATTACH_H

#include "ddl/diff/draft.h"

/*
 * Makes a table inherit from a new parent before columns are added, if it gets
 * columns from that parent.
 */
void diff_inherit_early(Draft *draft);

/*
 * Makes tables inherit from their new parents, and attaches indexes of
 * partitions.
 */
void diff_attach(Draft *draft);

/* Attaches indexes that were created after diff_attach(). */
void diff_attach_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ATTACH_H */
