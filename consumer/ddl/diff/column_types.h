/*
 * column_types.h
 *    Columns that have another type.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_TYPES_H
#define PENSTOCK_DDL_DIFF_COLUMN_TYPES_H

#include "ddl/diff/draft.h"

/* Empties tables whose rows come anew, if that makes a later statement easier,
 * and gives columns that stay the types that they have after. */
void diff_column_types(Draft *draft);

/* Whether two columns have the same type, modifier and collation. */
bool column_types_equal(const ColumnDefinition *a, const ColumnDefinition *b);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_TYPES_H */
