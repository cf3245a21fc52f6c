/*
 * add_columns.h
 *    Adds columns to tables that exist.
 */
#ifndef PENSTOCK_DDL_DIFF_ADD_COLUMNS_H
#define PENSTOCK_DDL_DIFF_ADD_COLUMNS_H

#include "ddl/diff/draft.h"

/*
 * Adds columns to tables that declare them although a parent will have them,
 * too.
 */
void diff_add_own_columns(Draft *draft);

/* Adds all other columns. */
void diff_add_columns(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ADD_COLUMNS_H */
