/*
 * row_changes.h
 *		Sends the change of a row.
 */
#ifndef PENSTOCK_ROW_CHANGES_H
#define PENSTOCK_ROW_CHANGES_H

#include "replication/reorderbuffer.h"
#include "utils/relcache.h"

#include "session/session.h"

/*
 * A row was inserted, updated or deleted.  Raises an error if the change is
 * published but cannot be represented.  See frame.h for the order of calls.
 */
extern void penstock_frame_row(PenstockSession *session, ReorderBufferTXN *txn,
							   Relation relation, ReorderBufferChange *source);

#endif /* PENSTOCK_ROW_CHANGES_H */
