/*
 * place.h
 *    Whether every published table can be where the placement puts it.
 */
#ifndef PENSTOCK_CHECK_PLACE_H
#define PENSTOCK_CHECK_PLACE_H

#include "check/query.h"

/* Does nothing without a placement. */
MUST_CHECK Rc check_place(CheckContext *context, const CheckServer *source,
						  Error *err);

#endif /* PENSTOCK_CHECK_PLACE_H */
