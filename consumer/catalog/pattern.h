/*
 * pattern.h
 *    A pattern for names, as a condition in SQL.  See model/selection.h for
 *    what a pattern is.
 */
#ifndef PENSTOCK_CATALOG_PATTERN_H
#define PENSTOCK_CATALOG_PATTERN_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends the condition that a relation's name matches.  `schema` and `name`
 * are the expressions of the two names.  A pattern without a schema is for the
 * schemas that are usually searched, "public" and the one of the user's name.
 * False if the pattern is not one: more than one dot, a quote that is not
 * closed, nothing.
 */
bool pattern_append_table(Buf *sql, const char *pattern, const char *schema,
						  const char *name);

/* The same for a schema's name, which has no dot. */
bool pattern_append_schema(Buf *sql, const char *pattern, const char *schema);

#endif /* PENSTOCK_CATALOG_PATTERN_H */
