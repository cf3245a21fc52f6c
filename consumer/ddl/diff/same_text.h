/*
 * same_text.h
 *    Compares expressions that may differ in the names of renamed objects.
 */
#ifndef PENSTOCK_DDL_DIFF_SAME_TEXT_H
#define PENSTOCK_DDL_DIFF_SAME_TEXT_H

#include "ddl/diff/draft.h"

/*
 * Whether two expressions are equal, apart from former and new names of objects
 * that the draft has renamed.
 */
bool same_but_for_names(const Draft *draft, const char *before,
						const char *after);

#endif /* PENSTOCK_DDL_DIFF_SAME_TEXT_H */
