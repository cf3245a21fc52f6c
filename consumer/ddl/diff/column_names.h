/*
 * column_names.h
 *    Renames columns, and attributes of composite types.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_NAMES_H
#define PENSTOCK_DDL_DIFF_COLUMN_NAMES_H

#include "ddl/diff/draft.h"

/* Gives columns that stay their new names. */
void diff_column_names(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_NAMES_H */
