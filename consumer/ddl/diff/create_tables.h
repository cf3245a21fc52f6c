/*
 * create_tables.h
 *    Tables that are not there yet.
 */
#ifndef PENSTOCK_DDL_DIFF_CREATE_TABLES_H
#define PENSTOCK_DDL_DIFF_CREATE_TABLES_H

#include "ddl/diff/draft.h"

/*
 * Creates tables, parents first, with their columns and with what decides where
 * rows are; partitions as tables that are attached later.
 */
void diff_create_tables(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_CREATE_TABLES_H */
