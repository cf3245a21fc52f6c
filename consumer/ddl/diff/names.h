/*
 * names.h
 *    Names and schemas of what stays.
 */
#ifndef PENSTOCK_DDL_DIFF_NAMES_H
#define PENSTOCK_DDL_DIFF_NAMES_H

#include "ddl/diff/draft.h"

/*
 * Gives schemas, tables, sequences, types, constraints and indexes the names
 * that they have after, and schemas that come.  Names that are needed for what
 * comes are free afterwards.
 */
void diff_names(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_NAMES_H */
