/*
 * constraints.h
 *    Constraints that tables get, or that are altered.
 */
#ifndef PENSTOCK_DDL_DIFF_CONSTRAINTS_H
#define PENSTOCK_DDL_DIFF_CONSTRAINTS_H

#include "ddl/diff/draft.h"

/* Adds checks, validates what is valid after, and has foreign keys deferred and
 * enforced as they are after. */
void diff_checks(Draft *draft);

/* Adds the foreign keys that the table has after. */
void diff_table_foreign_keys(Draft *draft, DraftObject *table,
							 bool with_parent_only);

/* Adds all foreign keys. */
void diff_foreign_keys(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_CONSTRAINTS_H */
