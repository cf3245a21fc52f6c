/*
 * table_settings.h
 *    Changes properties of tables other than columns.
 */
#ifndef PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H
#define PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H

#include "ddl/diff/draft.h"

/* Removes the type from tables that do not have it any more (NOT OF). */
void diff_leave_types(Draft *draft);

/*
 * Sets type, options, row security, persistence and access method as they are
 * in `after`.
 */
void diff_table_settings(Draft *draft);

/* Sets the replica identity, and the index of CLUSTER ON. */
void diff_chosen_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H */
