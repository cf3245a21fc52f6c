/*
 * column_settings.h
 *    What a column is beside its name and type.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H
#define PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H

#include "ddl/diff/draft.h"

/* Brings NOT NULL, identities, defaults, expressions and storage to what they
 * are after. */
void diff_column_settings(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_SETTINGS_H */
