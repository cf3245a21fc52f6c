/*
 * standby.h
 *    Exports a snapshot on a physical standby of the source, so that rows are
 *    copied from the standby.
 *
 * The replication slot is on the primary, and we have to know which of the
 * slot's transactions the snapshot shows.  So we pause the replay of the
 * standby for a moment.  The snapshot then shows exactly the transactions that
 * the standby has replayed, and its replay LSN is the watermark of the copy.
 * The watermark must not be before the slot's start.  The follower leaves out
 * the slot's transactions up to the watermark.
 */
#ifndef PENSTOCK_COPY_ROWS_STANDBY_H
#define PENSTOCK_COPY_ROWS_STANDBY_H

#include <stddef.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Connects to a standby; blocks.  Fails if the server is no standby, is older
 * than PostgreSQL 14, or if the role has no privilege to pause replay.  The
 * caller closes *standby if it is not NULL, after a failure too.
 */
MUST_CHECK Rc standby_open(PgConn **standby, const char *conninfo, Error *err);

/*
 * Blocks until the standby has replayed up to `least`; then pauses the replay,
 * exports a snapshot, and resumes the replay unless it was paused before.
 * Writes the snapshot's name to `name`, and its LSN to *position.  The snapshot
 * exists until the connection is closed.
 */
MUST_CHECK Rc standby_export(PgConn *standby, Lsn least, char *name,
							 size_t name_size, Lsn *position, Error *err);

#endif /* PENSTOCK_COPY_ROWS_STANDBY_H */
