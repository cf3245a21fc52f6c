/*
 * add_columns.h
 *    Columns that tables get.
 */
#ifndef PENSTOCK_DDL_DIFF_ADD_COLUMNS_H
#define PENSTOCK_DDL_DIFF_ADD_COLUMNS_H

#include "ddl/diff/draft.h"

/* Adds columns that tables declare themselves although a parent has them after,
 * too, to tables that were there before. */
void diff_add_own_columns(Draft *draft);

/* Adds the others. */
void diff_add_columns(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ADD_COLUMNS_H */
