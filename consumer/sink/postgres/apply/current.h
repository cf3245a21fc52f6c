/*
 * current.h
 *    Whether what was looked up of target tables is still so.
 *
 * Somebody may alter a table of the target while it is followed: a column's
 * type, an index, a trigger, or put another table in its place.  What was
 * looked up of it (target_table.h) has a fingerprint of all the rows of the
 * catalogs that it was read from, taken by the same statement.  A transaction
 * of the target only commits if the fingerprints of all tables that it wrote to
 * were compared in it, behind what it wrote:  it then has locks of these
 * tables, which keep everybody from altering them until it is over.
 *
 * That is one statement more, which reads catalogs.  For a small transaction
 * that would be much.  A statement that is prepared can do without: the server
 * keeps its plan until one of its tables is altered, and computes the constant
 * parts of it when it plans.  So a condition that calls a function with
 * constants is looked at exactly when it may have become false, while the
 * statement already has its locks, and costs nothing otherwise.  The function
 * is a temporary one of the session; it says that it is immutable, so that it
 * is computed then.  What it calls says that it is volatile, and so sees what
 * was committed by then, and not only what was when the statement was sent.
 *
 * Only the tables that a plan names count for that.  An INSERT into a
 * partitioned table does not name its partitions: for these there is the
 * statement that compares, once in a round.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_H
#define PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/target_table.h"

/* A list of tables, borrowed. */
typedef struct CurrentTables
{
	const TargetTable *const *tables;
	size_t count;
} CurrentTables;

/* With parameters; fails if one of the tables has changed. */
extern const char current_check_sql[];

/* What a condition fails with if one of its tables has changed. */
extern const char current_changed_sqlstate[];

/* Adds the parameters of the statement; there are tables. */
void current_add_params(Params *params, const CurrentTables *tables);

/*
 * Makes the function that conditions call, in the session.  *made is false if
 * the role may not.  Waits.
 */
MUST_CHECK Rc current_set_up(PgConn *target, bool *made, Error *err);

/* Appends the condition that none of the tables has changed. */
void current_append_condition(Buf *sql, const CurrentTables *tables);

/* Whether one of the tables has changed.  Waits. */
MUST_CHECK Rc current_find_changed(PgConn *target, const CurrentTables *tables,
								   bool *changed, Error *err);

/* The error for that. */
MUST_CHECK Rc current_set_changed(const char *label, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_H */
