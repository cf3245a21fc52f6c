/*
 * contents.h
 *    The table of contents of a dump, from which a restore can be told what to
 *    leave out.
 *
 * "pg_restore --list" writes a line for each entry,
 *
 *     217; 1259 16405 TABLE public orders alice
 *
 * with the entry's number, the object's catalog and OID on the source (0 0 for
 * what is not an object of its own, such as a comment), its kind and its name.
 * With --verbose the numbers of the entries that it depends on follow,
 *
 *     ;	depends on: 3 215
 *
 * "pg_restore --use-list" restores what such a file says.
 */
#ifndef PENSTOCK_COPY_SCHEMA_CONTENTS_H
#define PENSTOCK_COPY_SCHEMA_CONTENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "copy/schema/partial.h"

/* Longest line of a list; a name in it has at most 63 bytes, but a function's
 * has its argument types too. */
#define CONTENTS_LINE_MAX 65536

/* Numbers of entries, in order. */
typedef struct EntryNumbers
{
	int count;
	unsigned *numbers; /* in the arena given */
} EntryNumbers;

typedef struct ContentsFilter
{
	const EntryNumbers *entries; /* nothing but these, or NULL */
	const ObjectSet *only;       /* nothing but these, or NULL */
	const ObjectSet *without;    /* nothing of these, nor what belongs to them,
								  * such as a comment; or NULL */
	const ObjectSet *built;   /* nothing of these, nor what attaches indexes of
							   * partitions; but what belongs to them; or NULL */
	const ObjectSet *present; /* nothing of these, but what belongs to them; or
							   * NULL */
	bool without_views;       /* nothing that fills materialized views */
	bool only_builds;         /* nothing but indexes and constraints */
	bool without_extension_comments;
} ContentsFilter;

/*
 * Copies the list in file `from` to file `to`, as far as the filter lets it.
 */
MUST_CHECK Rc contents_filter(const char *from, const char *to,
							  const ContentsFilter *filter, Error *err);

/* Reads which objects a list has; they are allocated in the arena. */
MUST_CHECK Rc contents_read_objects(const char *file, ObjectSet *objects,
									Arena *arena, Error *err);

/* Reads the numbers of a list's entries; they are allocated in the arena. */
MUST_CHECK Rc contents_read_numbers(const char *file, EntryNumbers *entries,
									Arena *arena, Error *err);

/*
 * Reads which materialized views a list fills, as objects, in their order; they
 * are allocated in the arena.
 */
MUST_CHECK Rc contents_read_views(const char *file, ObjectSet *views,
								  Arena *arena, Error *err);

/* Whether the filter lets a line pass. */
bool contents_line_passes(const char *line, const ContentsFilter *filter);

#endif /* PENSTOCK_COPY_SCHEMA_CONTENTS_H */
