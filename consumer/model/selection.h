/*
 * selection.h
 *    A selection of tables and schemas of a database, by patterns like those
 *    of pg_dump.
 *
 * A pattern is a name, or the name of a schema, a dot and a name.  In a pattern
 * * matches any characters and ? matches one; [a-z] and the like are as in
 * regular expressions; letters are folded to lower case.  In double quotes
 * every character matches itself.
 *
 * If no tables and schemas are selected, all are.  Exclusion takes precedence.
 */
#ifndef PENSTOCK_MODEL_SELECTION_H
#define PENSTOCK_MODEL_SELECTION_H

#include <stdbool.h>

/* Largest number of patterns in a list. */
#define SELECTION_PATTERNS_MAX 256

typedef struct PatternList
{
	int count;
	const char *patterns[SELECTION_PATTERNS_MAX]; /* borrowed */
} PatternList;

typedef struct Selection
{
	PatternList tables;  /* selected tables; not together with `schemas` */
	PatternList schemas; /* schemas of which all tables are selected */
	PatternList exclude_tables;
	PatternList exclude_schemas;
} Selection;

static inline bool
selection_is_all(const Selection *selection)
{
	return selection->tables.count == 0 && selection->schemas.count == 0 &&
		   selection->exclude_tables.count == 0 &&
		   selection->exclude_schemas.count == 0;
}

#endif /* PENSTOCK_MODEL_SELECTION_H */
