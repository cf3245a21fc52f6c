/*
 * programs.c
 *    Runs "pg_dump --version" of each pg_dump that may be used.
 */
#include "copy/schema/programs.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/child.h"

/* Directories in which packages install the programs of each major version. */
static const char *const package_patterns[] = {
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
};

/*
 * Sets *major to the major version in the output of --version, such as
 * "pg_dump (PostgreSQL) 15.4 (Debian …)", or to 0 if the program does not exist
 * or cannot be run.
 */
static Rc
read_major(const char *pg_dump, int *major, Error *err)
{
	const char *argv[] = {pg_dump, "--version", NULL};
	const ChildCommand command = {.argv = argv};
	const char *number;
	Buf output;
	Rc rc;

	*major = 0;
	buf_init(&output, CHILD_OUTPUT_MAX);
	rc = child_run(&command, &output, err);
	if (rc == RC_FAIL && err->code == ERR_IO)
	{
		error_reset(err);
		rc = RC_OK;
	}
	else if (rc == RC_OK && output.length > 0)
	{
		number = strstr(output.data, ") ");
		if (number != NULL)
			*major = (int) strtol(number + 2, NULL, 10);
	}
	buf_release(&output);
	return rc;
}

/*
 * Uses the programs in a directory (NULL: in PATH) if they are new enough, and
 * older than those found so far.
 */
static Rc
try_directory(Programs *programs, const char *directory, int major,
			  Arena *arena, Error *err)
{
	const char *prefix = directory ? directory : "";
	const char *slash = directory ? "/" : "";
	const char *pg_dump = arena_printf(arena, "%s%spg_dump", prefix, slash);
	int found;
	Rc rc = read_major(pg_dump, &found, err);

	ASSERT(major > 0);
	if (rc != RC_OK || found < major ||
		(programs->pg_dump != NULL && found >= programs->major))
		return rc;
	*programs = (Programs){
		.pg_dump = pg_dump,
		.pg_restore = arena_printf(arena, "%s%spg_restore", prefix, slash),
		.psql = arena_printf(arena, "%s%spsql", prefix, slash),
		.major = found,
	};
	return RC_OK;
}

static Rc
try_packages(Programs *programs, int major, Arena *arena, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < LENGTH_OF(package_patterns); i++)
	{
		glob_t found = {0};

		if (glob(package_patterns[i], 0, NULL, &found) == 0)
			for (size_t n = 0; n < found.gl_pathc && rc == RC_OK; n++)
				rc = try_directory(programs, found.gl_pathv[n], major, arena,
								   err);
		globfree(&found);
	}
	return rc;
}

static Rc
not_found(const char *bindir, int major, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "could not find pg_dump of PostgreSQL %d or later",
					  major);

	if (bindir != NULL)
		error_detail(err, "Looked in \"%s\".", bindir);
	else
		error_detail(err, "Looked in PATH, %s and %s.", package_patterns[0],
					 package_patterns[1]);
	error_hint(err,
			   "Install package postgresql-client-%d, or say with --pg-bindir "
			   "where the program is.",
			   major);
	return rc;
}

Rc
programs_find(Programs *programs, const char *bindir, int major, Arena *arena,
			  Error *err)
{
	Rc rc;

	*programs = (Programs){0};
	rc = try_directory(programs, bindir, major, arena, err);
	if (rc == RC_OK && programs->pg_dump == NULL && bindir == NULL)
		rc = try_packages(programs, major, arena, err);
	if (rc == RC_OK && programs->pg_dump == NULL)
		rc = not_found(bindir, major, err);
	ASSERT(rc != RC_OK || programs->major >= major);
	return rc;
}
