/*
 * placed.h
 *    The published tables and where a placement puts them.
 *
 * What would make a placement fail later is found here before anything starts:
 * tables that no rule places, hashed columns that do not exist, cannot be
 * hashed, or are not in the replica identity, so that the place of an old row
 * could not be told.
 */
#ifndef PENSTOCK_CATALOG_PLACED_H
#define PENSTOCK_CATALOG_PLACED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placement.h"
#include "net/pgconn.h"

typedef struct PlacedTable
{
	const CopyTable *table;    /* borrowed from the catalog */
	const PlacementRule *rule; /* borrowed from the placement; NULL: none */

	/*
	 * Of a table that is placed by a directory: an expression that gives, on
	 * the source, the number of the target.  Of a hashed table: expressions
	 * that give, on the source, the hash of each of the rule's columns, or
	 * null; see hash.h.  NULL if there is a problem.
	 */
	const char *hash_sql;
} PlacedTable;

typedef struct PlacedProblem
{
	bool is_error;
	const char *object;  /* table "public"."a" */
	const char *message; /* lower case, no period */
	const char *fix;     /* a statement for the source, or a line; or NULL */
} PlacedProblem;

typedef struct Placed
{
	int table_count;
	PlacedTable *tables; /* as in the catalog */
	int problem_count;
	PlacedProblem *problems;
	Arena *arena; /* holds all of the above, and this */
} Placed;

/*
 * Places the tables of a catalog.  Borrows catalog and placement while *placed
 * lives, which is the caller's.  Problems do not make it fail.
 */
MUST_CHECK Rc placed_read(Placed **placed, const CopyCatalog *catalog,
						  const Placement *placement, PgConn *source,
						  Error *err);

/* Accepts NULL. */
void placed_free(Placed *placed);

/* Fails with the first error among the problems, if there is one. */
MUST_CHECK Rc placed_require_good(const Placed *placed, Error *err);

/*
 * Appends what the plugin's option `distribution` must be: nothing if no table
 * is hashed.  Tables that a rule names in full are in it whether or not they
 * are published now: changes from before may be.
 */
void placed_append_distribution(const Placed *placed,
								const Placement *placement, Buf *buf);

#endif /* PENSTOCK_CATALOG_PLACED_H */
