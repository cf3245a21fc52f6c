/*
 * foreign_keys.h
 *    Finds foreign keys that rows on a target would violate, because rows to
 *    which they refer are not copied to that target.
 *
 * A row filter may leave out a row to which a copied row of another table
 * refers, and a placement may assign the two rows to different nodes.  The
 * target would refuse to add the foreign key after all rows are copied.  So we
 * check this before the copy.
 *
 * Both functions query the source and block.  They fail with ERR_CONFIG, naming
 * the foreign key and its tables, if there is such a key.  They check the keys
 * of which rows of both tables are in the catalog, also as those of partitions,
 * and that are valid on the source; keys that are NOT VALID are not validated
 * on the target either.
 */
#ifndef PENSTOCK_CATALOG_FOREIGN_KEYS_H
#define PENSTOCK_CATALOG_FOREIGN_KEYS_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "net/pgconn.h"

/* Fails if a copied row refers to a row that a row filter leaves out. */
MUST_CHECK Rc foreign_keys_check_filters(const CopyCatalog *catalog,
										 PgConn *source, Error *err);

/*
 * Fails if rows of a table may be on nodes that do not have the rows to which
 * they refer.
 */
MUST_CHECK Rc foreign_keys_check_places(const CopyCatalog *catalog,
										const Placed *placed, PgConn *source,
										Error *err);

#endif /* PENSTOCK_CATALOG_FOREIGN_KEYS_H */
