/*
 * drop_columns.h
 *    Columns that are gone, and what of others has to go before anything else.
 */
#ifndef PENSTOCK_DDL_DIFF_DROP_COLUMNS_H
#define PENSTOCK_DDL_DIFF_DROP_COLUMNS_H

#include "ddl/diff/draft.h"

/*
 * Drops expressions of generated columns, identities, defaults that use a
 * sequence which goes, and then columns.
 */
void diff_drop_columns(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DROP_COLUMNS_H */
