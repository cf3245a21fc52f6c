/*
 * refusal.h
 *    Tables that refuse writes, because the writes were moved elsewhere.
 *
 * A refusal is a function in schema penstock, and triggers that call it before
 * each INSERT, UPDATE, DELETE and TRUNCATE.  The triggers are ENABLE ALWAYS, so
 * that they fire for owners, superusers and other subscriptions.  The function
 * lets only one kind of session pass: those that apply the pipeline of the
 * other direction (net/origin.h).
 *
 * A statement trigger fires only for the table that a statement names.  So a
 * table that can also be written through a parent that is not moved has a row
 * trigger in addition, and a partitioned table has one as well, which the
 * server copies to partitions that are created later.
 *
 * Writes are let through again by replacing the function, which takes no lock
 * on a table.  The triggers, which cost little then, are dropped later.
 */
#ifndef PENSTOCK_CONTROL_REFUSAL_H
#define PENSTOCK_CONTROL_REFUSAL_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

typedef struct RefusedTable
{
	const char *name; /* schema-qualified, in SQL */
	bool has_rows;    /* whether it needs the row trigger */
} RefusedTable;

typedef struct Refusal
{
	const char *pipeline; /* its source refuses writes */
	const char *way_back; /* pipeline that may write; NULL: none */
	const char *place;    /* where writes go, for the message */
	const RefusedTable *tables;
	int count;
} Refusal;

/*
 * Makes the tables refuse writes when the current transaction commits.  It has
 * to hold a lock on them that lets no writer in, at least SHARE ROW EXCLUSIVE;
 * no stronger lock is taken.  Waits.
 */
MUST_CHECK Rc refusal_create(PgConn *conn, const Refusal *refusal, Error *err);

/* Lets writes pass when the current transaction commits; waits. */
MUST_CHECK Rc refusal_open(PgConn *conn, const char *pipeline, Error *err);

/*
 * Drops the triggers, one table at a time, and then the function; outside of a
 * transaction.  `lock_ms` limits the wait for each table's lock.  *left is the
 * number of tables whose lock was not to be had; then the function stays, too.
 * *dropped is the number of tables whose triggers were dropped.  Waits.
 */
MUST_CHECK Rc refusal_drop(PgConn *conn, const char *pipeline, int lock_ms,
						   int *dropped, int *left, Error *err);

/* Counts the tables that have triggers of the refusal; waits. */
MUST_CHECK Rc refusal_count(PgConn *conn, const char *pipeline, int *count,
							Error *err);

#endif /* PENSTOCK_CONTROL_REFUSAL_H */
