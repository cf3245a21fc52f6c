/*
 * lock_holders.h
 *    Finds the sessions that hold a lock for which a schema change has waited
 *    in vain.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a statement failed because it did not get a lock in time. */
bool lock_holders_matter(const Error *failure);

/*
 * Adds to such an error of `statement` on `conn` which sessions hold locks on
 * the tables that the statement mentions: some of them, the oldest transactions
 * first.  The query runs on the connection `aside`, because the failed session
 * may be in an aborted transaction.  If the query fails, nothing is added.
 * Waits.
 */
void lock_holders_add(PgConn *aside, const PgConn *conn, const char *statement,
					  Error *failure);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H */
