/*
 * new_table.h
 *    Checks that the target's table for a new table of the source has no rows.
 *
 * All rows of a new table are in the stream.  But the target may have another
 * table with its name: one that was kept when the source dropped its own, or
 * that a user has created and filled.  Then the rows of both would be mixed.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H

#include "base/error.h"
#include "model/change.h"
#include "model/definition.h"
#include "net/pgconn.h"

/*
 * RC_FAIL with ERR_CONFIG: the target's table with that name has rows.  `txn`
 * is the source transaction that has created the table.  Waits.
 */
MUST_CHECK Rc new_table_check(PgConn *target, const Definition *table,
							  const TxnInfo *txn, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H */
