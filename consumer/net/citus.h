/*
 * citus.h
 *    Databases that belong to Citus, which is neither source nor target yet.
 *
 * On a coordinator the rows of distributed tables are in shards, whose changes
 * are decoded on the workers under other names: as a source it would be empty.
 * As a target it forgets what it was told with session_replication_role, loses
 * a TRUNCATE, and commits on its workers apart from our progress, so that a
 * crash in between breaks exactly once.
 */
#ifndef PENSTOCK_NET_CITUS_H
#define PENSTOCK_NET_CITUS_H

#include "base/error.h"
#include "net/pgconn.h"

/* ERR_CONFIG if the database has the extension; waits for one answer. */
MUST_CHECK Rc citus_refuse(PgConn *conn, Error *err);

#endif /* PENSTOCK_NET_CITUS_H */
