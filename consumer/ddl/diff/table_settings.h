/*
 * table_settings.h
 *    What a table is beside its columns.
 */
#ifndef PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H
#define PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H

#include "ddl/diff/draft.h"

/* Takes tables that have not their old type any more from it. */
void diff_leave_types(Draft *draft);

/* Brings type, options, row security, persistence and access method to what
 * they are after. */
void diff_table_settings(Draft *draft);

/* The same of the replica identity, and of the index to cluster on. */
void diff_chosen_indexes(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_TABLE_SETTINGS_H */
