/*
 * places.h
 *    The placement rule of each table in the stream.
 *
 * A rule is looked up when a table is first met, and again when a new Relation
 * takes the place of the old one.  What the stream says of the table must then
 * go with the rule.
 */
#ifndef PENSTOCK_ROUTE_PLACES_H
#define PENSTOCK_ROUTE_PLACES_H

#include <stdbool.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/placement.h"
#include "model/relation.h"

typedef struct Places Places;

/* Borrows the placement. */
Places *places_new(const Placement *placement);

/* Accepts NULL. */
void places_free(Places *places);

/*
 * Finds the rule for a table; borrowed from the placement.  RC_FAIL with
 * ERR_CONFIG: there is none, or rows of the table do not come with the hash
 * that the rule wants.
 */
MUST_CHECK Rc places_find(Places *places, Relation *relation,
						  const PlacementRule **rule, Error *err);

/*
 * What becomes of a table that is made or altered; of other definitions
 * nothing.  *nowhere: it is placed nowhere, and so on no target.  RC_FAIL with
 * ERR_CONFIG: it is published, and there is no rule for it.
 */
MUST_CHECK Rc places_check_defined(const Places *places,
								   const Definition *definition, bool *nowhere,
								   Error *err);

#endif /* PENSTOCK_ROUTE_PLACES_H */
