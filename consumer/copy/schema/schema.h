/*
 * schema.h
 *    The schema, by pg_dump and pg_restore.
 *
 * The dump is taken once, under the snapshot that the data is read under, and
 * restored on each target in two steps: tables and what they need before the
 * data, triggers and the like after it.  Indexes and constraints in between are
 * for others to build (see build.h).
 *
 * If one of the publications is FOR ALL TABLES the dump is of the whole
 * database; otherwise it is of the published tables, and what else these need
 * is taken from a second dump (see partial.h).
 *
 * Dumps live in a directory of our own in $TMPDIR, which schema_close()
 * removes.  Passwords reach the children through their environment only.
 */
#ifndef PENSTOCK_COPY_SCHEMA_SCHEMA_H
#define PENSTOCK_COPY_SCHEMA_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/build.h"
#include "copy/schema/build_list.h"
#include "copy/schema/partial.h"
#include "copy/schema/programs.h"
#include "net/pgconn.h"

typedef struct Schema Schema;

typedef struct SchemaOptions
{
	PgConn *source;             /* borrowed until the end */
	const CopyCatalog *catalog; /* borrowed until the end */
	const Programs *programs;   /* borrowed until the end */
	const char *snapshot;       /* exported by the source, or NULL: now */
	int jobs;                   /* for pg_restore */
	bool no_owner;
	bool no_privileges;
	bool no_tablespaces;
	bool with_data; /* views that were materialized will be again */

	/* In whose work list it is noted what is made, or NULL: nowhere. */
	const char *pipeline;

	/* What is to come after the data may be there in part. */
	bool resumed;
} SchemaOptions;

typedef enum SchemaSection
{
	SCHEMA_BEFORE_DATA,
	SCHEMA_AFTER_DATA, /* without indexes, constraints, and what fills views */
} SchemaSection;

/*
 * Dumps the schema.  On success *schema is the caller's, to be closed; the
 * snapshot is not needed any more except for schema_restore() of tables
 * without the rest of their database.
 */
MUST_CHECK Rc schema_open(Schema **schema, const SchemaOptions *options,
						  Error *err);

/*
 * From here on the source is asked through this connection, and what is to come
 * after the data may be there in part.
 */
void schema_go_on(Schema *schema, PgConn *source);

/*
 * Restores a section on a target.  The sections of one target are restored in
 * their order; other targets may come between.  A comment on a key that the
 * build has postponed and not added is left to what adds it; `build` may be
 * NULL.
 */
MUST_CHECK Rc schema_restore(Schema *schema, PgConn *target,
							 SchemaSection section, const Build *build,
							 Error *err);

/*
 * Reads what is to be built on a target between the two sections.  *list is
 * borrowed until schema_close().
 */
MUST_CHECK Rc schema_read_builds(Schema *schema, PgConn *target,
								 const BuildList **list, Error *err);

/*
 * Reads which materialized views are to be filled on a target after all else:
 * "schema"."name", those that others are known to need first.  *views is
 * borrowed until schema_close().
 */
MUST_CHECK Rc schema_read_views(Schema *schema, PgConn *target, NameList *views,
								Error *err);

/* Removes the dumps.  Accepts NULL. */
void schema_close(Schema *schema);

#endif /* PENSTOCK_COPY_SCHEMA_SCHEMA_H */
