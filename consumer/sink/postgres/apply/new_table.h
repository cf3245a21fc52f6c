/*
 * new_table.h
 *    Whether the target has a table of the source that is new without rows.
 *
 * All rows of a new table come in the stream.  The target's table of that name
 * may be another one, though: one that it has kept when the source dropped its
 * own, or one that somebody has made and filled.  The rows of both would be
 * mixed in it.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H

#include "base/error.h"
#include "model/change.h"
#include "model/definition.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if the target has rows in the table of that name.  The
 * transaction is the source's that has made the table.  Waits.
 */
MUST_CHECK Rc new_table_check(PgConn *target, const Definition *table,
							  const TxnInfo *txn, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_NEW_TABLE_H */
