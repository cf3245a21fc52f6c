/*
 * lock_holders.h
 *    Who has the lock that a schema change did not get.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a statement failed because it did not get a lock in time. */
bool lock_holders_matter(const Error *failure);

/*
 * Adds to such a failure of `statement`, on `conn`, which sessions have locks
 * on the tables that the statement names: those that have had theirs longest,
 * some of them.  The session that failed may be in a transaction that is
 * aborted, so another one asks, `aside`.  Where that fails nothing is added.
 * Waits.
 */
void lock_holders_add(PgConn *aside, const PgConn *conn, const char *statement,
					  Error *failure);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_LOCK_HOLDERS_H */
