/*
 * guard.h
 *    Locks a table on the source while its rows are read, and makes sure that
 *    the exported snapshot still shows its rows.
 *
 * A table may be truncated, rewritten or replaced after the snapshot was taken
 * and before its rows are read.  Then the snapshot shows no rows of it: the old
 * file is removed, and the rows of the new file are younger than the snapshot.
 * VACUUM FULL, CLUSTER and REPACK keep the old rows but move them to other
 * blocks, so that parts, which are ranges of ctid, would contain some rows
 * twice and miss others.
 *
 * So we read each part in a transaction of its own.  It imports the snapshot,
 * locks the table, and then compares the file that the table had as of the
 * snapshot with the file that it has now.  If they differ, this table cannot be
 * read under the snapshot any more, and a newer one is needed.  Of a
 * partitioned table, the files of all partitions are compared.
 *
 * The lock is ACCESS SHARE.  A session that wants to truncate or alter the
 * table waits until this transaction ends, and not until the whole copy ends.
 * We wait for the lock for GUARD_LOCK_MS; after that, the copiers may copy
 * other tables before they try this one again.
 */
#ifndef PENSTOCK_COPY_ROWS_GUARD_H
#define PENSTOCK_COPY_ROWS_GUARD_H

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* The lock_timeout of one attempt to lock a table. */
#ifdef PENSTOCK_FAULTS
/* Shorter in builds for tests, which wait for it. */
#define GUARD_LOCK_MS 500
#else
#define GUARD_LOCK_MS 5000
#endif

/* Minimum time between two log lines which say that one table is locked. */
#define GUARD_SAY_MS 60000

/* Whether a table could be read on the source, and if not, why. */
typedef enum GuardVerdict
{
	GUARD_PASSED,  /* the table could be read */
	GUARD_BUSY,    /* another session has locked the table: try again later */
	GUARD_CHANGED, /* the snapshot does not show the table's rows any more */
	GUARD_FAILED,  /* any other error */
} GuardVerdict;

/*
 * Appends the statements that begin the transaction, import the snapshot, lock
 * the table, and compare its files.  They fail unless the table can be read
 * now.  The caller appends what reads the table, and COMMIT.
 */
void guard_append_begin(Buf *sql, const CopyTable *table, const char *snapshot);

/* Returns what an error of the statements of guard_append_begin(), or of those
 * that the caller has appended, means for the table. */
GuardVerdict guard_judge(const Error *err);

/*
 * To be called when the verdict is GUARD_BUSY or GUARD_CHANGED: reads the
 * remaining results from the source, and rolls the transaction back.  For
 * GUARD_BUSY, logs which sessions have locked the table or wait for a lock on
 * it, not more often than once in GUARD_SAY_MS.
 * Blocks until the source has answered.
 */
MUST_CHECK Rc guard_step_back(PgConn *source, CopyTable *table,
							  GuardVerdict verdict, Error *err);

#endif /* PENSTOCK_COPY_ROWS_GUARD_H */
