/*
 * citus.h
 *    Refuses databases that have the extension Citus, which we support neither
 *    as source nor as target.
 *
 * As a source, a Citus coordinator would seem empty: the rows of distributed
 * tables are in shards, and the changes of shards are decoded on the workers
 * under other names.
 *
 * As a target, a coordinator does not honour session_replication_role, loses a
 * TRUNCATE, and commits on its workers apart from our progress.  A crash
 * between two such commits would lose changes or apply them twice.
 */
#ifndef PENSTOCK_NET_CITUS_H
#define PENSTOCK_NET_CITUS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if the database of `conn` has the extension Citus.
 * Waits for one answer of the server.
 */
MUST_CHECK Rc citus_refuse(PgConn *conn, Error *err);

#endif /* PENSTOCK_NET_CITUS_H */
