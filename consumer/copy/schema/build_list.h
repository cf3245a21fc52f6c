/*
 * build_list.h
 *    What is built on a target when a table's rows are copied: its indexes and
 *    constraints, as statements.
 *
 * The statements are those of pg_restore.  A primary key or unique constraint
 * would lock its table while its index is built, so that no other index could
 * be built meanwhile; its index is therefore made like any other and then given
 * to the constraint.  A foreign key is added NOT VALID and validated later.
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

/* An index, or a constraint with or without one. */
typedef struct BuildItem
{
	const char *name;   /* "schema"."index", for people */
	const char *build;  /* statement that takes long, or NULL; the table's
						 * others may run at the same time */
	const char *finish; /* statements that lock the table, or NULL */
	int64_t bytes;      /* of the index on the source */
} BuildItem;

/* A table's items are all built before any is finished. */
typedef struct BuildTable
{
	const char *qualified;
	uint32_t copied_oid; /* of the copied table that its rows come with, itself
						  * or one above it, as the catalog's first_oid has it;
						  * 0: it gets no rows */
	int item_count;
	BuildItem *items; /* largest first */
} BuildTable;

typedef struct BuildForeignKey
{
	const char *table;    /* "schema"."name" */
	const char *name;     /* quoted */
	const char *add;      /* statement, or NULL */
	const char *validate; /* statement, or NULL */
	const char *comment;  /* statement, or NULL */
	ObjectId object;      /* on the source */
} BuildForeignKey;

typedef struct BuildList
{
	int table_count;
	BuildTable *tables;
	int item_count; /* of all tables */
	BuildItem *items;
	int attach_count; /* indexes of partitions, in this order */
	const char **attaches;
	int key_count;
	BuildForeignKey *keys;
	ObjectSet taken; /* what of the dump is in here */
} BuildList;

/*
 * Makes a list of a script's entries.  What is not on a table, such as the
 * index of a materialized view, is left to a restore.  Everything is allocated
 * in `arena`; the script's strings are borrowed.
 */
MUST_CHECK Rc build_list_read(BuildList *list, const Script *script,
							  const CopyCatalog *catalog, PgConn *source,
							  Arena *arena, Error *err);

/* Removes from the list what the target has already: see BuildItem for what is
 * NULL then. */
MUST_CHECK Rc build_list_leave_out(BuildList *list, PgConn *target, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_BUILD_LIST_H */
