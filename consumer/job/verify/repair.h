/*
 * repair.h
 *    Makes rows of the targets that differ like the source's.
 *
 * A comparison has found the keys of the rows (see verify/verdict.h).  We take
 * another anchor (see anchor.h), and repair while its fence holds the targets
 * at the LSN of the source's snapshot:
 *
 *     1. We look up a batch of keys on the source, under the snapshot, and on
 *        the target as it is now.
 *     2. A row that is the same by now, because the stream has corrected it, or
 *        that is on neither side, is left alone.
 *     3. Others are deleted, updated or inserted, in one transaction with their
 *        notes (see control/repair_table.h).  The transaction has locked the
 *        pipeline's progress row, whose LSN is that of the fence.  So no change
 *        of the stream can come in between, even if the fence has ended
 *        because our session was lost.
 *
 * With session_replication_role = replica no ordinary trigger fires and no
 * foreign key is checked, as when the stream is applied, and the transactions
 * have a replication origin of the pipeline.
 *
 * A fence lasts REPAIR_HOLD_MS; what is left is repaired under another one.
 *
 * Not repaired are tables without a key, those of which more than
 * REPAIR_ROWS_MAX rows differ in the same way, and those where more than
 * --max-delete percent of the rows would be deleted.
 */
#ifndef PENSTOCK_JOB_VERIFY_REPAIR_H
#define PENSTOCK_JOB_VERIFY_REPAIR_H

#include "base/error.h"
#include "config/config.h"
#include "verify/verdict.h"

/* Maximum number of rows of one table on one target that differ in the same
 * way and are repaired: their keys are in memory. */
#define REPAIR_ROWS_MAX 1000000

/* Time after which a fence ends, when a batch is done. */
#define REPAIR_HOLD_MS 5000

/*
 * Fails with ERR_CONFIG if the source refuses writes, because a switch has
 * moved them to the target: the source's rows are those of the past then, also
 * if the switch is not complete.  To be called before anything is compared;
 * blocks.
 */
MUST_CHECK Rc repair_check(const Config *config, Error *err);

/* Repairs the tables that differ, and adds the results to *verdict, which must
 * have all keys, up to REPAIR_ROWS_MAX; blocks. */
MUST_CHECK Rc repair_run(const Config *config, Verdict *verdict, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_REPAIR_H */
