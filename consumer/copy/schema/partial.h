/*
 * partial.h
 *    Finds the objects that are needed to create some tables of a database
 *    without the others, and those that cannot be created without the others.
 *
 * "pg_dump --table" dumps tables with their indexes, constraints, triggers and
 * the sequences that they own, and nothing else.  But the types of their
 * columns, the functions of their triggers and defaults, and the schemas and
 * extensions that contain these have to be created, too.  We find them in
 * pg_depend of the source.  And a foreign key to a table that is not copied
 * cannot be created.
 */
#ifndef PENSTOCK_COPY_SCHEMA_PARTIAL_H
#define PENSTOCK_COPY_SCHEMA_PARTIAL_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* An object, identified as in pg_depend and in a dump's table of contents: OID
 * of its system catalog, and its own OID. */
typedef struct ObjectId
{
	uint32_t class_oid;
	uint32_t oid;
} ObjectId;

/* A set of objects, sorted by object_set_sort(). */
typedef struct ObjectSet
{
	int count;
	ObjectId *objects; /* allocated in the caller's arena */
} ObjectSet;

typedef struct NameList
{
	int count;
	const char **names; /* allocated in the caller's arena */
} NameList;

/*
 * Sets *missing to the source's objects, other than relations, on which the
 * catalog's relations depend and which do not exist on the target.  Blocks.
 */
MUST_CHECK Rc partial_read_missing(ObjectSet *missing,
								   const CopyCatalog *catalog, PgConn *source,
								   PgConn *target, Arena *arena, Error *err);

/*
 * Queries which objects do not exist on the target; blocks.  `needed` has a row
 * for each object, sorted by system catalog: OID of the catalog, OID of the
 * object, name of the catalog, and identity of pg_identify_object().  *result
 * has the numbers of those rows whose objects are missing, in order.
 */
MUST_CHECK Rc partial_find_missing(const PGresult *needed, PgConn *target,
								   PGresult **result, Error *err);

/*
 * Sets *dangling to the source's relations that are not copied, and to the
 * objects that cannot be created without them, such as foreign keys, triggers
 * and views.  Warns in the log about those that would be part of the copy
 * otherwise; fails if a table is among these.  Blocks.
 */
MUST_CHECK Rc partial_read_dangling(ObjectSet *dangling,
									const CopyCatalog *catalog, PgConn *source,
									Arena *arena, Error *err);

/*
 * Sets *sequences to the names, as "schema"."name", of the sequences that
 * defaults of the catalog's relations use and that no table owns.  Blocks.
 */
MUST_CHECK Rc partial_read_sequences(NameList *sequences,
									 const CopyCatalog *catalog, PgConn *source,
									 Arena *arena, Error *err);

/* Sorts a set; to be called when it is filled, before object_set_has(). */
void object_set_sort(ObjectSet *set);

/* Whether the set contains the object. */
bool object_set_has(const ObjectSet *set, ObjectId object);

#endif /* PENSTOCK_COPY_SCHEMA_PARTIAL_H */
