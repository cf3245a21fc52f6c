/*
 * standby.h
 *    A snapshot on a physical standby of the source, to copy rows from.
 *
 * The slot is on the primary, and what has to be known is which of the slot's
 * transactions the snapshot has.  So the standby's replay is paused for a
 * moment: what it has replayed is then exactly what the snapshot shows, and the
 * position up to which it has is the watermark of the copy.  That position has
 * to be after the slot's start; following leaves out what lies between.
 */
#ifndef PENSTOCK_COPY_ROWS_STANDBY_H
#define PENSTOCK_COPY_ROWS_STANDBY_H

#include <stddef.h>

#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/*
 * Connects to a standby, and fails if it is none or not new enough.  Also after
 * a failure *standby is the caller's to close, if it is not NULL.
 */
MUST_CHECK Rc standby_open(PgConn **standby, const char *conninfo, Error *err);

/*
 * Waits until the standby has replayed up to `least`, pauses its replay,
 * exports a snapshot, and lets it go on.  The snapshot, whose name goes to
 * `name`, lives as long as the connection; *position says where it stands.
 */
MUST_CHECK Rc standby_export(PgConn *standby, Lsn least, char *name,
							 size_t name_size, Lsn *position, Error *err);

#endif /* PENSTOCK_COPY_ROWS_STANDBY_H */
