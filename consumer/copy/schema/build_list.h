/*
 * build_list.h
 *    List of the statements that build indexes and constraints on a target
 *    after the rows of their tables are copied.
 *
 * pg_restore writes the statements.  ADD PRIMARY KEY or ADD UNIQUE would lock
 * the table while it builds the index, so that no other index of the table
 * could be built meanwhile.  So we build such an index with CREATE INDEX first,
 * and then add the constraint with USING INDEX.  A foreign key is added NOT
 * VALID and validated later.
 */
#ifndef PENSTOCK_COPY_SCHEMA_BUILD_LIST_H
#define PENSTOCK_COPY_SCHEMA_BUILD_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/partial.h"
#include "copy/schema/script.h"
#include "net/pgconn.h"

/* An index, or a constraint with or without an index. */
typedef struct BuildItem
{
	const char *name;   /* "schema"."index" or "schema"."constraint" */
	const char *build;  /* statement that takes long, such as CREATE INDEX, or
						 * NULL; several of a table run at the same time */
	const char *finish; /* statements that lock the table, or NULL */
	int64_t bytes;      /* size of the index on the source */
} BuildItem;

/* A table with items.  The `build` statements of all items are run before any
 * `finish` statement. */
typedef struct BuildTable
{
	const char *qualified; /* "schema"."name" */
	uint32_t copied_oid;   /* first_oid of the table of the catalog that is
							* copied with this table's rows: this table, or a
							* partitioned table above it; 0: no rows are copied
							* into this table */
	int item_count;
	BuildItem *items; /* largest first */
} BuildTable;

typedef struct BuildForeignKey
{
	const char *table;    /* "schema"."name" */
	const char *name;     /* name of the constraint, quoted */
	const char *add;      /* ADD CONSTRAINT; NULL: the key exists already */
	const char *validate; /* VALIDATE CONSTRAINT; NULL: nothing to validate */
	const char *comment;  /* COMMENT ON CONSTRAINT; NULL: no comment */
	ObjectId object;      /* the constraint's catalog and OID on the source */
} BuildForeignKey;

typedef struct BuildList
{
	int table_count;
	BuildTable *tables;
	int item_count; /* number of items of all tables */
	BuildItem *items;
	int attach_count;
	const char **attaches; /* statements that attach indexes of partitions, in
							* the order to run them in */
	int key_count;
	BuildForeignKey *keys;
	ObjectSet taken; /* objects of the dump that the list builds */
} BuildList;

/*
 * Makes a list of the entries of a script that pg_restore has written, and
 * queries the source about them; blocks.  Leaves out indexes of other relations
 * than tables, such as materialized views, which pg_restore creates after the
 * data.  Everything is allocated in `arena`; the script's strings are borrowed.
 */
MUST_CHECK Rc build_list_read(BuildList *list, const Script *script,
							  const CopyCatalog *catalog, PgConn *source,
							  Arena *arena, Error *err);

/* Sets statements of the list to NULL whose indexes and constraints exist on
 * the target already; blocks. */
MUST_CHECK Rc build_list_leave_out(BuildList *list, PgConn *target, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_BUILD_LIST_H */
