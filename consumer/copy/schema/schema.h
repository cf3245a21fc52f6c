/*
 * schema.h
 *    Copies the source's schema to targets with pg_dump and pg_restore.
 *
 * We dump the schema once, under the snapshot under which the rows are copied,
 * and restore it on each target in two sections: before the data, the tables
 * and the objects that they need; after the data, triggers and the like.
 * pg_restore does not create indexes and constraints: build.h builds them
 * between the two sections.
 *
 * If one of the publications is FOR ALL TABLES, we dump the whole database.
 * Otherwise we dump the published tables, and restore the other objects that
 * they need from a second dump, of the whole database (see partial.h).
 *
 * Dumps are files in a directory of our own in $TMPDIR, which schema_close()
 * removes.  Passwords are passed to the child processes in their environment
 * only.
 *
 * All functions with an Rc run programs or queries, and block.
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
	PgConn *source;             /* borrowed until schema_close() */
	const CopyCatalog *catalog; /* borrowed until schema_close() */
	const Programs *programs;   /* borrowed until schema_close() */
	const char *snapshot;       /* name of the snapshot that the source exports;
								 * NULL: dump the schema as it is now */
	int jobs;                   /* option --jobs of pg_restore */
	bool no_owner;              /* options of pg_restore */
	bool no_privileges;
	bool no_tablespaces;
	bool with_data; /* whether to fill materialized views after the data */

	/* Pipeline in whose work list we record the objects that we create, or
	 * NULL: they are not recorded. */
	const char *pipeline;

	/* Whether some objects of SCHEMA_AFTER_DATA, indexes and constraints may
	 * exist on the targets, because an interrupted clone is resumed. */
	bool resumed;
} SchemaOptions;

typedef enum SchemaSection
{
	SCHEMA_BEFORE_DATA,
	SCHEMA_AFTER_DATA, /* without the indexes and constraints of build.h, and
						* without the contents of materialized views */
} SchemaSection;

/*
 * Dumps the schema.  On success the caller owns *schema and has to close it.
 * After this call the snapshot is needed only by schema_restore(), and there
 * only if not the whole database is copied.
 */
MUST_CHECK Rc schema_open(Schema **schema, const SchemaOptions *options,
						  Error *err);

/*
 * Replaces the connection to the source, when the clone continues after an
 * interruption: sets `source`, `snapshot` to NULL, and `resumed`.
 */
void schema_go_on(Schema *schema, PgConn *source);

/*
 * Restores a section on a target, where SCHEMA_BEFORE_DATA has to be restored
 * first.  Leaves out comments on foreign keys that `build` has postponed and
 * not added: the statement that adds the key later writes the comment, too.
 * `build` may be NULL.
 */
MUST_CHECK Rc schema_restore(Schema *schema, PgConn *target,
							 SchemaSection section, const Build *build,
							 Error *err);

/*
 * Sets *list to the indexes and constraints that are to be built on a target
 * between the two sections; valid until schema_close().
 */
MUST_CHECK Rc schema_read_builds(Schema *schema, PgConn *target,
								 const BuildList **list, Error *err);

/*
 * Sets *views to the names, as "schema"."name", of the materialized views that
 * are to be filled on a target at the end.  Views on which others depend come
 * first.  The names are valid until schema_close().
 */
MUST_CHECK Rc schema_read_views(Schema *schema, PgConn *target, NameList *views,
								Error *err);

/* Removes the dumps and frees `schema`.  Accepts NULL. */
void schema_close(Schema *schema);

#endif /* PENSTOCK_COPY_SCHEMA_SCHEMA_H */
