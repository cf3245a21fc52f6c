/*
 * same_text.h
 *    Expressions that differ in names that something got.
 */
#ifndef PENSTOCK_DDL_DIFF_SAME_TEXT_H
#define PENSTOCK_DDL_DIFF_SAME_TEXT_H

#include "ddl/diff/draft.h"

/*
 * Whether two expressions are the same but for names, each of which something
 * in the draft had before and has no more.
 */
bool same_but_for_names(const Draft *draft, const char *before,
						const char *after);

#endif /* PENSTOCK_DDL_DIFF_SAME_TEXT_H */
