/*
 * statistics.h
 *    The planner's statistics of the copied tables, without which the first
 *    queries, and ours, would be planned blindly.
 */
#ifndef PENSTOCK_COPY_STATISTICS_H
#define PENSTOCK_COPY_STATISTICS_H

#include "base/error.h"
#include "copy/catalog.h"
#include "net/pgconn.h"

/*
 * Analyzes the tables on the target.  One that the role may not analyze is left
 * to autovacuum; the server says so.
 */
MUST_CHECK Rc statistics_gather(const CopyCatalog *catalog, PgConn *target,
								Error *err);

#endif /* PENSTOCK_COPY_STATISTICS_H */
