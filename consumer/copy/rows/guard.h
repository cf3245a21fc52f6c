/*
 * guard.h
 *    Holds a table on the source for as long as it is read, and no longer, and
 *    makes sure that the snapshot still shows its rows.
 *
 * A table may be truncated, rewritten or replaced between the moment of a
 * snapshot and the moment at which its rows are read.  Then the snapshot finds
 * nothing: the old file is gone, and the rows of the new one are younger than
 * the snapshot.  VACUUM FULL, CLUSTER and REPACK keep old rows, but move them,
 * so that what is read by ranges of ctid would be read twice or not at all.
 *
 * So each reading is a transaction of its own, which takes the snapshot over,
 * locks the table and then compares two answers: which file the table had as of
 * the snapshot, and which file it has now.  Where these differ, the snapshot is
 * of no use for this table any more, and a newer one is needed.  A partitioned
 * table is compared with all its partitions.
 *
 * The lock is ACCESS SHARE.  Somebody who wants to truncate or change the table
 * waits for the end of the transaction, never for the whole copy.  We wait for
 * him for GUARD_LOCK_MS; after that, other tables may have their turn before
 * this one is tried again.
 */
#ifndef PENSTOCK_COPY_ROWS_GUARD_H
#define PENSTOCK_COPY_ROWS_GUARD_H

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* How long one attempt to lock a table may wait. */
#ifdef PENSTOCK_FAULTS
/* So that tests need not wait for long. */
#define GUARD_LOCK_MS 500
#else
#define GUARD_LOCK_MS 5000
#endif

/* How often it is said of one table that it is still waited for. */
#define GUARD_SAY_MS 60000

/* Why a table could not be read. */
typedef enum GuardVerdict
{
	GUARD_PASSED,  /* it could */
	GUARD_BUSY,    /* somebody has locked it: try again later */
	GUARD_CHANGED, /* the snapshot does not show its rows any more */
	GUARD_FAILED,  /* something else went wrong */
} GuardVerdict;

/*
 * Appends the statements that begin the transaction.  They fail unless the
 * table can be read now.  COMMIT ends it.
 */
void guard_append_begin(Buf *sql, const CopyTable *table, const char *snapshot);

/* What an error of these statements, or of what was sent with them, means. */
GuardVerdict guard_judge(const Error *err);

/*
 * After GUARD_BUSY or GUARD_CHANGED: takes what else the server says, and ends
 * the transaction.  Says, not too often, who holds a table that is busy.  Waits
 * for the answers.
 */
MUST_CHECK Rc guard_step_back(PgConn *source, CopyTable *table,
							  GuardVerdict verdict, Error *err);

#endif /* PENSTOCK_COPY_ROWS_GUARD_H */
