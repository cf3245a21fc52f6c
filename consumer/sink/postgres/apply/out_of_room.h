/*
 * out_of_room.h
 *    Detects that a target has too little memory or too few locks for one
 *    transaction.
 *
 * A server has one lock table for all sessions.  A transaction takes a lock in
 * it for each table, index and partition that it uses.  A smaller transaction
 * may succeed where a large one has failed; the appliers and lanes make use of
 * that.  A single transaction of the source cannot be made smaller; whether it
 * can succeed depends on how many locks other sessions hold.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H
#define PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a smaller transaction might have succeeded. */
bool out_of_room_is(const Error *failure);

/*
 * For a failure of a transaction that cannot be made smaller: if it is about
 * locks, and other sessions hold less than half of them, repeating cannot help,
 * and the error becomes ERR_LIMIT with a hint on the setting.  Waits.
 */
void out_of_room_explain(PgConn *target, Error *failure);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_OUT_OF_ROOM_H */
