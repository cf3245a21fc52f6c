/*
 * programs.h
 *    Finds the programs pg_dump, pg_restore and psql.
 *
 * pg_dump dumps servers up to its own major version, so we need one that is at
 * least as new as the source; a newer target can restore its dumps.  If
 * --pg-bindir is given, we search that directory only.  Otherwise we search
 * PATH, and if that has no such pg_dump, the directories in which the packages
 * of Debian and Red Hat install each version.  Of several versions
 * there that are new enough we use the oldest, because it writes no statements
 * that are new to the target.
 */
#ifndef PENSTOCK_COPY_SCHEMA_PROGRAMS_H
#define PENSTOCK_COPY_SCHEMA_PROGRAMS_H

#include "base/arena.h"
#include "base/error.h"

typedef struct Programs
{
	/* Paths of the programs, or names to be searched in PATH. */
	const char *pg_dump;
	const char *pg_restore;
	const char *psql;
	int major; /* major version of the programs */
} Programs;

/*
 * Finds the programs for a source of major version `major`; runs pg_dump to
 * learn its version, and blocks meanwhile.  `bindir` is the directory to search
 * in, or NULL.  The strings are allocated in `arena`.
 */
MUST_CHECK Rc programs_find(Programs *programs, const char *bindir, int major,
							Arena *arena, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_PROGRAMS_H */
