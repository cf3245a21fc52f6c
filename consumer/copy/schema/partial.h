/*
 * partial.h
 *    What it takes to create some tables of a database without the rest.
 *
 * pg_dump's --table gives the tables with their indexes, constraints, triggers
 * and the sequences that they own, and nothing else.  The types of their
 * columns, the functions of their triggers and defaults, the schemas and
 * extensions that these live in have to come from somewhere: the source's
 * dependencies tell which they are.  And a foreign key to a table that does not
 * come along cannot be created at all.
 */
#ifndef PENSTOCK_COPY_SCHEMA_PARTIAL_H
#define PENSTOCK_COPY_SCHEMA_PARTIAL_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* An object, as pg_depend and the contents of a dump name it. */
typedef struct ObjectId
{
	uint32_t class_oid;
	uint32_t oid;
} ObjectId;

/* Sorted by object_set_sort(). */
typedef struct ObjectSet
{
	int count;
	ObjectId *objects; /* in the arena given */
} ObjectSet;

typedef struct NameList
{
	int count;
	const char **names; /* in the arena given */
} NameList;

/*
 * The objects, other than relations, that the catalog's relations build on and
 * that are not on the target.
 */
MUST_CHECK Rc partial_read_missing(ObjectSet *missing,
								   const CopyCatalog *catalog, PgConn *source,
								   PgConn *target, Arena *arena, Error *err);

/*
 * Asks the target which of some objects it does not have.  `needed` has a row
 * for each: class OID, OID, name of the system catalog, identity as
 * pg_identify_object() tells it; in the order of the catalogs.  The result has
 * the numbers of the rows whose objects are missing, in their order.
 */
MUST_CHECK Rc partial_find_missing(const PGresult *needed, PgConn *target,
								   PGresult **result, Error *err);

/*
 * The relations that are left out, and what cannot be created without them,
 * such as foreign keys, triggers and views; warns about what of that would be
 * part of the copy.  That a table would be is an error.
 */
MUST_CHECK Rc partial_read_dangling(ObjectSet *dangling,
									const CopyCatalog *catalog, PgConn *source,
									Arena *arena, Error *err);

/*
 * Sequences that defaults of the catalog's relations use, but that no table
 * owns: "schema"."name".
 */
MUST_CHECK Rc partial_read_sequences(NameList *sequences,
									 const CopyCatalog *catalog, PgConn *source,
									 Arena *arena, Error *err);

/* Has to be called when a set is filled. */
void object_set_sort(ObjectSet *set);

bool object_set_has(const ObjectSet *set, ObjectId object);

#endif /* PENSTOCK_COPY_SCHEMA_PARTIAL_H */
