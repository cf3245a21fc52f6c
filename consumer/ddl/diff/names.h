/*
 * names.h
 *    Gives objects that stay their new names and schemas.
 */
#ifndef PENSTOCK_DDL_DIFF_NAMES_H
#define PENSTOCK_DDL_DIFF_NAMES_H

#include "ddl/diff/draft.h"

/*
 * Renames schemas, tables, sequences, types, constraints and indexes, moves
 * them to their new schemas, and creates schemas.  Afterwards the names of
 * objects that are created later are free.
 */
void diff_names(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_NAMES_H */
