/*
 * match.h
 *    Whether a target is fit to receive what the catalog has.
 */
#ifndef PENSTOCK_CATALOG_MATCH_H
#define PENSTOCK_CATALOG_MATCH_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* Fails if a relation that is to be created is on the target already. */
MUST_CHECK Rc match_check_absent(const CopyCatalog *catalog, PgConn *target,
								 Error *err);

/*
 * Fails unless every table is on the target, with all its columns and without
 * rows unless it is done, and decides on each table's format.
 */
MUST_CHECK Rc match_target(CopyCatalog *catalog, PgConn *target, Error *err);

#endif /* PENSTOCK_CATALOG_MATCH_H */
