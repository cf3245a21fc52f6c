/*
 * attach.h
 *    Tables that inherit from another one, and partitions.
 */
#ifndef PENSTOCK_DDL_DIFF_ATTACH_H
#define PENSTOCK_DDL_DIFF_ATTACH_H

#include "ddl/diff/draft.h"

/* Gives tables the parents that they have after, and indexes of partitions. */
void diff_attach(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ATTACH_H */
