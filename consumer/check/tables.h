/*
 * tables.h
 *    Comparing the published tables with those of a target.
 */
#ifndef PENSTOCK_CHECK_TABLES_H
#define PENSTOCK_CHECK_TABLES_H

#include "check/context.h"
#include "check/query.h"

/*
 * Adds the findings on a target's tables.  A table that is missing is an error
 * only where the pipeline has progress: else "penstock clone" makes it.  Does
 * nothing if the source's tables are not known.
 */
MUST_CHECK Rc check_tables(CheckContext *context, const CheckServer *target,
						   Error *err);

#endif /* PENSTOCK_CHECK_TABLES_H */
