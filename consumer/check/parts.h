/*
 * parts.h
 *    Finds tables of which a source has only some of the rows.
 *
 * A source that is also a node of another placement has some rows of a spread
 * table, and other nodes have the other rows.  The source's table penstock.node
 * records that: see control/node_table.h.  A pipeline that takes such a table
 * from one source only would miss the rows of the other nodes.
 */
#ifndef PENSTOCK_CHECK_PARTS_H
#define PENSTOCK_CHECK_PARTS_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/placement.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if `source` has only some rows of a published table,
 * and the placement takes the table from one source (`all from NAME`).  Blocks.
 */
MUST_CHECK Rc parts_check(const CopyCatalog *catalog,
						  const Placement *placement, PgConn *source,
						  Error *err);

#endif /* PENSTOCK_CHECK_PARTS_H */
