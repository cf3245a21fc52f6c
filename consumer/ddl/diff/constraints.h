/*
 * constraints.h
 *    Adds and alters constraints.
 */
#ifndef PENSTOCK_DDL_DIFF_CONSTRAINTS_H
#define PENSTOCK_DDL_DIFF_CONSTRAINTS_H

#include "ddl/diff/draft.h"

/*
 * Adds checks, validates constraints, and changes DEFERRABLE and ENFORCED of
 * foreign keys.
 */
void diff_checks(Draft *draft);

/*
 * Adds the new foreign keys of a table that exists; `with_parent_only`: only
 * those that it shares with a partitioned table above it.
 */
void diff_table_foreign_keys(Draft *draft, DraftObject *table,
							 bool with_parent_only);

/* Adds the new foreign keys of all tables. */
void diff_foreign_keys(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_CONSTRAINTS_H */
