/*
 * places.h
 *    The placement rule of each table in the stream (model/placement.h).
 *
 * We look up the rule of a table when its first change arrives, and again after
 * the source has described the table anew (another Relation).  The description
 * must then fit the rule: rows of a table that is placed by hash must have that
 * hash.
 */
#ifndef PENSTOCK_ROUTE_PLACES_H
#define PENSTOCK_ROUTE_PLACES_H

#include <stdbool.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/placement.h"
#include "model/relation.h"

typedef struct Places Places;

/*
 * Returns a Places without tables.  Borrows the placement, and the columns that
 * it means in the tables that the source has now; NULL: they are not known.
 */
Places *places_new(const Placement *placement,
				   const PlacedColumnsList *columns);

/* Frees a Places.  Accepts NULL. */
void places_free(Places *places);

/*
 * Finds the rule for a table; *rule is borrowed from the placement.  Fails with
 * ERR_CONFIG if there is no rule, or if the source does not send the hash that
 * the rule requires, if the table lacks the rule's column, if another column
 * has taken its name, or if it cannot be told which column the rule means.
 */
MUST_CHECK Rc places_find(Places *places, Relation *relation,
						  const PlacementRule **rule, Error *err);

/*
 * Returns the name of the column that has the key of the directory, of a table
 * whose rule places_find() has just found.
 */
const char *places_key_column(const Places *places, const Relation *relation);

/*
 * Checks the definition of a table that was created or altered; other
 * definitions are ignored.  *nowhere says that the rule assigns the table to no
 * target.  Fails with ERR_CONFIG if the table is published and has no rule.
 */
MUST_CHECK Rc places_check_defined(const Places *places,
								   const Definition *definition, bool *nowhere,
								   Error *err);

#endif /* PENSTOCK_ROUTE_PLACES_H */
