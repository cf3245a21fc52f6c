/*
 * enums.h
 *    Enum types.
 */
#ifndef PENSTOCK_DDL_DIFF_ENUMS_H
#define PENSTOCK_DDL_DIFF_ENUMS_H

#include "ddl/diff/draft.h"

/* Adds labels to types that are there; before anything else, since they have to
 * be committed before they are used. */
void diff_add_labels(Draft *draft);

/* Gives labels the names that they have after. */
void diff_rename_labels(Draft *draft);

/* Creates enum types. */
void diff_create_enums(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ENUMS_H */
