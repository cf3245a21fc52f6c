/*
 * obstacles.h
 *    What would make a clone fail half way, found before anything is written.
 */
#ifndef PENSTOCK_CHECK_OBSTACLES_H
#define PENSTOCK_CHECK_OBSTACLES_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/roles.h"
#include "net/pgconn.h"

/*
 * One list of questions serves the clone, which stops at the first obstacle,
 * and "penstock check", which wants all of them.
 */

/* Between which databases, and what is to be done. */
typedef struct CopyPlan
{
	CopyCatalog *catalog;
	RestoreLimits limits;
	PgConn *source;
	PgConn *target; /* not needed for the questions about the source */
	bool schema_only;
	bool data_only;
} CopyPlan;

typedef enum CopySide
{
	COPY_SIDE_SOURCE,
	COPY_SIDE_TARGET,
} CopySide;

/*
 * Takes an obstacle that was found: an error with what is in the way and a
 * hint.  RC_OK, with *err emptied: go on with the next question.
 */
typedef Rc (*ObstacleTaker)(void *context, Error *err);

/*
 * Asks all questions about one side.  RC_FAIL: a question could not be asked,
 * or `take` has returned that.
 */
MUST_CHECK Rc obstacles_find(const CopyPlan *plan, CopySide side,
							 ObstacleTaker take, void *context, Error *err);

/* Fails at the first obstacle. */
MUST_CHECK Rc obstacles_check(const CopyPlan *plan, CopySide side, Error *err);

#endif /* PENSTOCK_CHECK_OBSTACLES_H */
