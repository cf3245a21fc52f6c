/*
 * places.h
 *    The placement rule of each table in the stream (model/placement.h).
 *
 * We look up the rule of a table when its first change arrives, and again after
 * the source has described the table anew (another Relation).  The description
 * must then fit the rule: rows of a table that is placed by hash must have that
 * hash, and the rule's names must mean the columns by which the rows of the
 * table were placed before.
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
 * Returns a Places without tables.  Borrows the placement, and the lists of
 * `target_count` targets; see RouterOptions.noted.
 */
Places *places_new(const Placement *placement,
				   const PlacedColumnsList *const *noted, int target_count);

/* Frees a Places.  Accepts NULL. */
void places_free(Places *places);

/*
 * Finds the rule for a table; *rule is borrowed from the placement.  Fails with
 * ERR_CONFIG if there is no rule, or if the source does not send the hash that
 * the rule requires, if the table lacks the rule's column, if rows of the table
 * were placed by another column, or if it cannot be told which column the rule
 * means.
 */
MUST_CHECK Rc places_find(Places *places, Relation *relation,
						  const PlacementRule **rule, Error *err);

/*
 * Returns the name of the column that has the key of the directory, of a table
 * whose rule places_find() has just found.
 */
const char *places_key_column(const Places *places, const Relation *relation);

/*
 * Returns the columns by which a table is placed, whose rule places_find() has
 * just found; NULL: all targets have noted them, or there are none.
 */
const PlacedColumns *places_columns(const Places *places,
									const Relation *relation);

/* Whether a target has noted them; and that it has. */
bool places_is_noted(const Places *places, const Relation *relation,
					 int target);
void places_set_noted(Places *places, const Relation *relation, int target);

/*
 * Checks the definition of a table that was created or altered; other
 * definitions are ignored.  *nowhere says that the rule assigns the table to no
 * target.  Fails with ERR_CONFIG if the table is published and has no rule.
 */
MUST_CHECK Rc places_check_defined(const Places *places,
								   const Definition *definition, bool *nowhere,
								   Error *err);

#endif /* PENSTOCK_ROUTE_PLACES_H */
