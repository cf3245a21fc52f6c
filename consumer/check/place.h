/*
 * place.h
 *    Checks the placement: whether there is a rule for every published table,
 *    and whether its rows can be distributed as the rule says.
 */
#ifndef PENSTOCK_CHECK_PLACE_H
#define PENSTOCK_CHECK_PLACE_H

#include "check/query.h"

/* Adds the findings; blocks.  Does nothing if there is no placement. */
MUST_CHECK Rc check_place(CheckContext *context, const CheckServer *source,
						  Error *err);

#endif /* PENSTOCK_CHECK_PLACE_H */
