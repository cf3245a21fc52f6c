/*
 * compare.h
 *    Compares one table of the source with those of all targets, under the
 *    snapshots of an anchor.
 *
 *     1. We begin a transaction on each server, which imports the snapshot,
 *        locks the table (ACCESS SHARE), and checks whether the snapshot still
 *        shows its rows and whether its columns are those of the snapshot.
 *     2. We query all servers, at the same time, for the sum of the hashes of
 *        all rows.
 *     3. If the sums differ, we query for the sums of ranges of rows, and then
 *        for the rows of the ranges whose sums differ.
 *     4. We end the transactions.
 */
#ifndef PENSTOCK_JOB_VERIFY_COMPARE_H
#define PENSTOCK_JOB_VERIFY_COMPARE_H

#include <stdint.h>

#include "base/error.h"
#include "job/verify/anchor.h"
#include "job/verify/tables.h"
#include "verify/verdict.h"

/* Sessions with all servers, for comparing one table at a time. */
typedef struct Comparer
{
	const Anchor *anchor;
	Verdict *verdict;
	int64_t deadline_us; /* monotonic time from which on the snapshots are too
						  * old to be used */
	PgConn *source;
	PgConn *targets[CONFIG_TARGETS_MAX];
} Comparer;

typedef enum CompareOutcome
{
	COMPARE_DONE,    /* the table was compared; its verdicts are set */
	COMPARE_BUSY,    /* another session has locked the table: try again later */
	COMPARE_CHANGED, /* a snapshot does not show the table's rows any more */
	COMPARE_LATE,    /* the deadline was reached */
	COMPARE_LOST,    /* a snapshot cannot be imported any more */
} CompareOutcome;

/* Opens the sessions; blocks.  The caller calls comparer_close(), after a
 * failure too. */
MUST_CHECK Rc comparer_open(Comparer *comparer, Error *err);
void comparer_close(Comparer *comparer);

/*
 * Compares a table with the targets for which its verdict is pending; blocks.
 * If a server refuses a query, the verdict is that the table cannot be
 * compared.
 */
MUST_CHECK Rc comparer_run(Comparer *comparer, ComparedTable *table,
						   CompareOutcome *outcome, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_COMPARE_H */
