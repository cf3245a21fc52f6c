/*
 * column_settings.h
 *    Changes properties of columns other than name and type.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H
#define PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H

#include "ddl/diff/draft.h"

/*
 * Sets NOT NULL, identities, defaults, expressions and storage as they are in
 * `after`.
 */
void diff_column_settings(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H */
