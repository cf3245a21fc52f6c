/*
 * placed.h
 *    Finds the placement rule of each published table, and checks that the rule
 *    can be applied.  See model/placement.h for placements.
 *
 * A placement that would fail later is refused before anything is copied.
 * Problems are: a table for which there is no rule, and a column of a hash that
 * does not exist, whose type has no hash function, or which is not in the
 * replica identity, so that the node of an old row cannot be computed.
 */
#ifndef PENSTOCK_CATALOG_PLACED_H
#define PENSTOCK_CATALOG_PLACED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placed_columns.h"
#include "model/placement.h"
#include "net/pgconn.h"

typedef struct PlacedTable
{
	const CopyTable *table;    /* borrowed from the catalog */
	const PlacementRule *rule; /* rule for the table, with the names that its
								* columns have now, borrowed from the placement
								* or the Placed; NULL: there is none */

	/*
	 * SQL for the source.  For a table of PLACEMENT_HASH: a list of expressions
	 * for the hash, or null, of each of the rule's columns; see hash.h.  For a
	 * table of PLACEMENT_DIRECTORY: an expression for the number of the target.
	 * NULL for other tables, and if there is a problem.
	 */
	const char *hash_sql;

	/*
	 * The columns that the rule means in the source's catalog; its `oid` is 0
	 * if there are none.
	 */
	PlacedColumns columns;
} PlacedTable;

typedef struct PlacedProblem
{
	bool is_error;       /* whether the problem is an error; else a warning */
	const char *object;  /* object with the problem: table "public"."a" */
	const char *message; /* lower case, no period */
	const char *fix;     /* statement for the source, or line for the
						  * configuration file, that fixes the
						  * problem; or NULL */
} PlacedProblem;

typedef struct Placed
{
	int table_count;
	PlacedTable *tables; /* in the order of the catalog's tables */
	int problem_count;
	PlacedProblem *problems;
	Arena *arena; /* holds the arrays above, and this struct */
} Placed;

/*
 * Finds the rules of a catalog's tables, and queries the source about their
 * columns; blocks.  On success the caller owns *placed, which borrows catalog
 * and placement until placed_free().  Returns RC_OK also if there are problems;
 * if one of them is an error, `problems` has an error.  Fails with ERR_CHANGED
 * if a column has another name than in the catalog.
 */
MUST_CHECK Rc placed_read(Placed **placed, const CopyCatalog *catalog,
						  const Placement *placement, PgConn *source,
						  Error *err);

/* Accepts NULL. */
void placed_free(Placed *placed);

/* Fails with the first problem that is an error, if there is one. */
MUST_CHECK Rc placed_require_good(const Placed *placed, Error *err);

/* Adds the columns of all tables to an empty list. */
void placed_list_columns(const Placed *placed, PlacedColumnsList *list);

/*
 * Appends the value of the plugin's option `distribution`; nothing if no table
 * is hashed.  The value contains tables whose rules have their full names also
 * if they are not published now, because older changes of them may be in the
 * stream.  `noted` has the `count` lists of the targets, or NULL for a target
 * whose list is not known: the plugin is told the columns that they have, not
 * what a name means now.
 */
void placed_append_distribution(const Placed *placed,
								const Placement *placement,
								const PlacedColumnsList *const *noted,
								int count, Buf *buf);

#endif /* PENSTOCK_CATALOG_PLACED_H */
