/*
 * foreign_keys.h
 *    Foreign keys that a copy cannot fulfil, because it leaves out rows that
 *    others refer to.
 *
 * A row filter may leave out a row that a row of another table refers to, and
 * a placement may put the two on different nodes.  The target would refuse the
 * key when all rows are copied.  That is to be known before.
 *
 * Both functions fail with ERR_CONFIG, and name the key and the tables, if
 * there is one.  They wait.  A key is looked at if both tables are in the
 * catalog, and if it is valid on the source: others are not validated on the
 * target either.
 */
#ifndef PENSTOCK_CATALOG_FOREIGN_KEYS_H
#define PENSTOCK_CATALOG_FOREIGN_KEYS_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "net/pgconn.h"

/* Looks for rows that refer to some that row filters leave out. */
MUST_CHECK Rc foreign_keys_check_filters(const CopyCatalog *catalog,
										 PgConn *source, Error *err);

/*
 * Looks for tables whose rows may be on nodes where those that they refer to
 * are not.
 */
MUST_CHECK Rc foreign_keys_check_places(const CopyCatalog *catalog,
										const Placed *placed, PgConn *source,
										Error *err);

#endif /* PENSTOCK_CATALOG_FOREIGN_KEYS_H */
