/*
 * create_tables.h
 *    Creates tables.
 */
#ifndef PENSTOCK_DDL_DIFF_CREATE_TABLES_H
#define PENSTOCK_DDL_DIFF_CREATE_TABLES_H

#include "ddl/diff/draft.h"

/*
 * Creates tables, parents first, with their columns, and with their partition
 * key, inheritance and storage.  Partitions are created as ordinary tables, and
 * attached later.
 */
void diff_create_tables(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_CREATE_TABLES_H */
