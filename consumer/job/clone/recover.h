/*
 * recover.h
 *    Continues a clone automatically after it has lost a server, as --resume
 *    would do.
 *
 * When a server is restarted, or cannot be reached for a while, a clone loses
 * the snapshot and the parts that were being copied.  But the slot still
 * exists, and the work lists on the targets say which tables are done.  So we
 * wait until all servers can be reached, take another snapshot, and copy the
 * remaining tables.  We keep the dump of the schema.
 *
 * If rows of several sources are copied into one table, the table is done when
 * the rows of all sources are copied.  The target cannot distinguish the rows
 * of one source from those of another.  So we empty tables that are not done,
 * and copy them again from all sources.
 */
#ifndef PENSTOCK_JOB_CLONE_RECOVER_H
#define PENSTOCK_JOB_CLONE_RECOVER_H

#include <stdbool.h>

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Whether the clone can continue after this failure: the error is transient, or
 * a connection to a server is lost, whatever the error is.
 */
bool clone_can_recover(const Clone *clone, const Error *failure);

/*
 * Logs the failure, and blocks until the clone can continue.  On success, all
 * connections are open, the work lists are claimed again, *failure is reset,
 * and there is no snapshot.  Fails, with another error in *failure, if another
 * process has claimed the clone, or if its work list or slot does not exist any
 * more.
 */
MUST_CHECK Rc clone_recover(Clone *clone, Error *failure);

#endif /* PENSTOCK_JOB_CLONE_RECOVER_H */
