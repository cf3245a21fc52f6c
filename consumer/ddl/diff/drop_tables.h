/*
 * drop_tables.h
 *    Tables and sequences that are gone; at the end, types and schemas.
 */
#ifndef PENSTOCK_DDL_DIFF_DROP_TABLES_H
#define PENSTOCK_DDL_DIFF_DROP_TABLES_H

#include "ddl/diff/draft.h"

/* Takes sequences that stay from columns that do not. */
void diff_disown(Draft *draft);

/* Drops tables, those first that need others, and then sequences. */
void diff_drop_tables(Draft *draft);

/* Drops types, and then schemas: when nothing needs them any more. */
void diff_drop_types(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DROP_TABLES_H */
