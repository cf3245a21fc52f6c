/*
 * out_of_room.h
 *    A target that is out of memory or of locks for what one transaction does.
 *
 * A server has one table of locks for all sessions, and each table that a
 * transaction touches takes one in it, as do indexes and partitions.  A smaller
 * transaction may pass where a large one did not; see the applier and the
 * lanes. One that is a single transaction of the source cannot be made smaller:
 * whether it can pass at all depends on what others have in the table.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H
#define PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a smaller transaction might not have failed in this way. */
bool out_of_room_is(const Error *failure);

/*
 * If the failure of a transaction that cannot be made smaller is about locks,
 * and others have less than half of them, it would fail again and again: then
 * it becomes ERR_LIMIT, with the setting to be raised.  Waits.
 */
void out_of_room_explain(PgConn *target, Error *failure);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H */
