/*
 * selection.h
 *    Which tables and schemas of a database are meant, by patterns as pg_dump
 *    has them.
 *
 * A pattern is a name, or a schema's and a name with a dot between them.  In it
 * * stands for any characters and ? for one, [a-z] and the like are as in
 * regular expressions, and letters are folded to lower case; in double quotes
 * everything stands for itself.
 *
 * Without tables and schemas to take, all are taken; what is excluded wins.
 */
#ifndef PENSTOCK_MODEL_SELECTION_H
#define PENSTOCK_MODEL_SELECTION_H

#include <stdbool.h>

/* Patterns of one kind. */
#define SELECTION_PATTERNS_MAX 256

typedef struct PatternList
{
	int count;
	const char *patterns[SELECTION_PATTERNS_MAX]; /* borrowed */
} PatternList;

typedef struct Selection
{
	PatternList tables;  /* not together with schemas */
	PatternList schemas; /* all that is in them */
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
