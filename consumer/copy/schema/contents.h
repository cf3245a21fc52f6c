/*
 * contents.h
 *    Reads and filters the table of contents of a dump, so that pg_restore
 *    restores only some of its entries.
 *
 * "pg_restore --list" writes a line for each entry of a dump,
 *
 *     217; 1259 16405 TABLE public orders alice
 *
 * with the entry's number, the OID of the object's system catalog, the object's
 * OID on the source, its kind and its name.  Both OIDs are 0 if the entry is
 * not an object of its own, such as a comment.  With --verbose, the next line
 * has the numbers of the entries that this entry depends on,
 *
 *     ;	depends on: 3 215
 *
 * "pg_restore --use-list" restores the entries that are listed in such a file.
 */
#ifndef PENSTOCK_COPY_SCHEMA_CONTENTS_H
#define PENSTOCK_COPY_SCHEMA_CONTENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "copy/schema/partial.h"

/* Maximum size of a line of a list.  A name has at most 63 bytes, but that of a
 * function is followed by the types of all its arguments. */
#define CONTENTS_LINE_MAX 65536

/* The numbers of some entries of a dump, sorted. */
typedef struct EntryNumbers
{
	int count;
	unsigned *numbers; /* allocated in the caller's arena */
} EntryNumbers;

/* Which entries of a list pass.  An entry passes if all of the following hold;
 * a set that is NULL, and a flag that is false, hold for all entries. */
typedef struct ContentsFilter
{
	/* The entry has one of these numbers. */
	const EntryNumbers *entries;

	/* The entry's object is one of these. */
	const ObjectSet *only;

	/* The entry's object is none of these, and the entry is not a comment or
	 * another entry without an object that depends on one of these. */
	const ObjectSet *without;

	/* The entry's object is none of these, and it does not attach the index of
	 * a partition.  Comments on these objects pass. */
	const ObjectSet *built;

	/* The entry's object is none of these.  Comments on these objects pass. */
	const ObjectSet *present;

	bool without_views; /* the entry does not fill a materialized view */
	bool only_builds;   /* the entry is an index or a constraint */
	bool without_extension_comments;
} ContentsFilter;

/*
 * Copies those lines of the list in file `from` that the filter lets pass to
 * file `to`.
 */
MUST_CHECK Rc contents_filter(const char *from, const char *to,
							  const ContentsFilter *filter, Error *err);

/*
 * Reads the objects of the entries in a list that pg_restore has written;
 * *objects is allocated in the arena.
 */
MUST_CHECK Rc contents_read_objects(const char *file, ObjectSet *objects,
									Arena *arena, Error *err);

/*
 * Reads the numbers of the entries in a list that pg_restore has written;
 * *entries is allocated in the arena.
 */
MUST_CHECK Rc contents_read_numbers(const char *file, EntryNumbers *entries,
									Arena *arena, Error *err);

/*
 * Reads the materialized views that a list's entries fill into *views,
 * allocated in the arena, in the order of the list and with class_oid 0.
 */
MUST_CHECK Rc contents_read_views(const char *file, ObjectSet *views,
								  Arena *arena, Error *err);

/* Whether the filter lets a line pass, apart from what the next line says about
 * its dependencies. */
bool contents_line_passes(const char *line, const ContentsFilter *filter);

#endif /* PENSTOCK_COPY_SCHEMA_CONTENTS_H */
