/*
 * parts.h
 *    Tables of which a source has only a part.
 *
 * A source that is itself a node of a placement has some rows of a table, and
 * other nodes have the rest.  It knows that: see control/node_table.h.
 * Whoever takes such a table from one source alone loses what the others have.
 */
#ifndef PENSTOCK_CHECK_PARTS_H
#define PENSTOCK_CHECK_PARTS_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placement.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if the placement takes a published table from one
 * source (`all from NAME`) of which `source` has a part.
 */
MUST_CHECK Rc parts_check(const CopyCatalog *catalog,
						  const Placement *placement, PgConn *source,
						  Error *err);

#endif /* PENSTOCK_CHECK_PARTS_H */
