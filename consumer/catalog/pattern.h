/*
 * pattern.h
 *    Translates a pattern for names to a condition in SQL.  For the syntax of
 *    patterns see model/selection.h.
 */
#ifndef PENSTOCK_CATALOG_PATTERN_H
#define PENSTOCK_CATALOG_PATTERN_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends the condition that the name of a relation matches.  `schema` and
 * `name` are SQL expressions for the names of schema and relation.  A pattern
 * without a schema matches relations in the schemas of the default search_path:
 * "public", and the schema with the name of the user.  Returns false if the
 * pattern is not valid: it or one of its names is empty, or it has more than
 * one dot or a quote that is not closed.
 */
bool pattern_append_table(Buf *sql, const char *pattern, const char *schema,
						  const char *name);

/* Appends the condition that the name of a schema matches.  Returns false if
 * the pattern is not valid, or has a dot. */
bool pattern_append_schema(Buf *sql, const char *pattern, const char *schema);

#endif /* PENSTOCK_CATALOG_PATTERN_H */
