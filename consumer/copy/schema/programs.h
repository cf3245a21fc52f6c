/*
 * programs.h
 *    Finding pg_dump, pg_restore and psql.
 *
 * A pg_dump reads servers up to its own major version, so it takes one that is
 * as new as the source; newer targets read what it writes.  Looked at are
 * --pg-bindir alone if it is given, else PATH and then the directories in which
 * Debian's and Red Hat's packages keep every version.  The first that is new
 * enough is taken, of several versions the oldest, for it knows nothing that
 * the target does not.
 */
#ifndef PENSTOCK_COPY_SCHEMA_PROGRAMS_H
#define PENSTOCK_COPY_SCHEMA_PROGRAMS_H

#include "base/arena.h"
#include "base/error.h"

typedef struct Programs
{
	const char *pg_dump; /* paths, or names that PATH knows */
	const char *pg_restore;
	const char *psql;
	int major; /* their version */
} Programs;

/*
 * Finds the programs for a source of major version `major`.  `bindir` is
 * NULL to search.  The strings are allocated in `arena`.
 */
MUST_CHECK Rc programs_find(Programs *programs, const char *bindir, int major,
							Arena *arena, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_PROGRAMS_H */
