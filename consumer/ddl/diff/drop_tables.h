/*
 * drop_tables.h
 *    Drops tables, sequences, types and schemas.
 */
#ifndef PENSTOCK_DDL_DIFF_DROP_TABLES_H
#define PENSTOCK_DDL_DIFF_DROP_TABLES_H

#include "ddl/diff/draft.h"

/* Removes the owner of sequences that stay although their column does not. */
void diff_disown(Draft *draft);

/*
 * Drops tables, and then sequences.  A table that another one depends on is
 * dropped after it.
 */
void diff_drop_tables(Draft *draft);

/* Drops types, and then schemas, when nothing depends on them any more. */
void diff_drop_types(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_DROP_TABLES_H */
