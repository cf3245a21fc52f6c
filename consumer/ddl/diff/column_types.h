/*
 * column_types.h
 *    Changes types of columns.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_TYPES_H
#define PENSTOCK_DDL_DIFF_COLUMN_TYPES_H

#include "ddl/diff/draft.h"

/*
 * Gives columns that stay their new types.  Before, it empties tables whose
 * rows the source sends again, if that makes a later statement possible.
 */
void diff_column_types(Draft *draft);

/* Whether two columns have the same type, modifier and collation. */
bool column_types_equal(const ColumnDefinition *a, const ColumnDefinition *b);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_TYPES_H */
