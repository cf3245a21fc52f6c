/*
 * tables.h
 *    Compares the published tables with those of a target.
 */
#ifndef PENSTOCK_CHECK_TABLES_H
#define PENSTOCK_CHECK_TABLES_H

#include "check/context.h"
#include "check/query.h"

/*
 * Adds the findings about a target's tables; blocks.  A missing table is an
 * error only if the target has progress of the pipeline: otherwise "penstock
 * clone" creates it.  Does nothing if context->tables is NULL.
 */
MUST_CHECK Rc check_tables(CheckContext *context, const CheckServer *target,
						   Error *err);

#endif /* PENSTOCK_CHECK_TABLES_H */
