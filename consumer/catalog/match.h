/*
 * match.h
 *    Checks whether a target can receive the tables of a catalog.
 */
#ifndef PENSTOCK_CATALOG_MATCH_H
#define PENSTOCK_CATALOG_MATCH_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* Fails if a relation that a clone is to create exists on the target already.
 * Blocks. */
MUST_CHECK Rc match_check_missing(const CopyCatalog *catalog, PgConn *target,
								  Error *err);

/*
 * Fails unless every table exists on the target, with all its columns.  Sets
 * what match_target() sets, but for `skip`.  Blocks.
 */
MUST_CHECK Rc match_target_columns(CopyCatalog *catalog, PgConn *target,
								   Error *err);

/*
 * Fails unless every table exists on the target, with all its columns, and,
 * unless it is `done`, without rows.  Sets the members of CopyTable and
 * CopyColumn that depend on the target, such as the format of COPY.  Blocks.
 */
MUST_CHECK Rc match_target(CopyCatalog *catalog, PgConn *target, Error *err);

#endif /* PENSTOCK_CATALOG_MATCH_H */
