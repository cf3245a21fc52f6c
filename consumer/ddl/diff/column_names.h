/*
 * column_names.h
 *    Names of columns, and of attributes of composite types.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_NAMES_H
#define PENSTOCK_DDL_DIFF_COLUMN_NAMES_H

#include "ddl/diff/draft.h"

/* Gives columns that stay the names that they have after. */
void diff_column_names(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_NAMES_H */
