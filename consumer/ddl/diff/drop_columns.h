/*
 * drop_columns.h
 *    Drops columns, and properties of columns that must be dropped first.
 */
#ifndef PENSTOCK_DDL_DIFF_DROP_COLUMNS_H
#define PENSTOCK_DDL_DIFF_DROP_COLUMNS_H

#include "ddl/diff/draft.h"

/*
 * Drops expressions of generated columns, identities, defaults that use a
 * sequence which will be dropped, and then columns.
 */
void diff_drop_columns(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DROP_COLUMNS_H */
