/*
 * enums.h
 *    Changes enum types.
 */
#ifndef PENSTOCK_DDL_DIFF_ENUMS_H
#define PENSTOCK_DDL_DIFF_ENUMS_H

#include "ddl/diff/draft.h"

/*
 * Adds labels to existing types.  This is the first stage, because labels must
 * be committed before they are used.
 */
void diff_add_labels(Draft *draft);

/* Renames labels. */
void diff_rename_labels(Draft *draft);

/* Creates enum types. */
void diff_create_enums(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_ENUMS_H */
