/*
 * obstacles.h
 *    Finds what would make a clone fail half way, before it writes anything.
 *
 * "penstock clone" and "penstock check" use the same list of questions about
 * source and target.  The clone stops at the first obstacle; check reports all
 * of them.
 */
#ifndef PENSTOCK_CHECK_OBSTACLES_H
#define PENSTOCK_CHECK_OBSTACLES_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/roles.h"
#include "net/pgconn.h"

/* The databases of a clone, and what it is to copy. */
typedef struct CopyPlan
{
	CopyCatalog *catalog;
	RestoreLimits limits;
	PgConn *source;
	PgConn *target;   /* may be NULL for questions about the source */
	bool schema_only; /* whether only the schema is copied */
	bool data_only;   /* whether only rows are copied */
	bool of_table;    /* whether a pipeline that exists gets one more table, or
					   * one anew: it may be there, with rows */
} CopyPlan;

typedef enum CopySide
{
	COPY_SIDE_SOURCE,
	COPY_SIDE_TARGET,
} CopySide;

/*
 * Handles an obstacle, which is an error with message and hint.  Returns RC_OK,
 * with *err reset, to continue with the next question, or RC_FAIL to stop.
 */
typedef Rc (*ObstacleTaker)(void *context, Error *err);

/*
 * Answers all questions about source or target with queries, and calls `take`
 * for each obstacle; blocks.  Returns RC_FAIL if a query has failed, or if
 * `take` has returned that.
 */
MUST_CHECK Rc obstacles_find(const CopyPlan *plan, CopySide side,
							 ObstacleTaker take, void *context, Error *err);

/* Fails with the first obstacle, if there is one; blocks. */
MUST_CHECK Rc obstacles_check(const CopyPlan *plan, CopySide side, Error *err);

#endif /* PENSTOCK_CHECK_OBSTACLES_H */
