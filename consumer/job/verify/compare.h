/*
 * compare.h
 *    Compares one table with all targets, in the snapshots of an anchor.
 *
 *     1. begin a transaction on each server, which takes the snapshot over,
 *        locks the table (ACCESS SHARE) and looks whether the snapshot still
 *        shows its rows, and its columns are those of the snapshot
 *     2. ask all servers for the sums, at once
 *     3. where these differ, for the sums of ranges, and then for the rows of
 *        ranges that differ
 *     4. end the transactions
 */
#ifndef PENSTOCK_JOB_VERIFY_COMPARE_H
#define PENSTOCK_JOB_VERIFY_COMPARE_H

#include <stdint.h>

#include "base/error.h"
#include "job/verify/anchor.h"
#include "job/verify/tables.h"
#include "verify/verdict.h"

/* Sessions with all servers; each worker has its own. */
typedef struct Comparer
{
	const Anchor *anchor;
	Verdict *verdict;
	int64_t deadline_us; /* monotonic; when the snapshots are too old */
	PgConn *source;
	PgConn *targets[CONFIG_TARGETS_MAX];
} Comparer;

typedef enum CompareOutcome
{
	COMPARE_DONE,    /* its verdicts are there */
	COMPARE_BUSY,    /* somebody has locked it: try again later */
	COMPARE_CHANGED, /* the snapshots do not show it any more */
	COMPARE_LATE,    /* there was no time left */
} CompareOutcome;

/* Opens the sessions; to be closed also after a failure.  Wait. */
MUST_CHECK Rc comparer_open(Comparer *comparer, Error *err);
void comparer_close(Comparer *comparer);

/*
 * Compares a table with the targets for which its verdict is pending.  What a
 * server refuses becomes the verdict.  Waits.
 */
MUST_CHECK Rc comparer_run(Comparer *comparer, ComparedTable *table,
						   CompareOutcome *outcome, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_COMPARE_H */
