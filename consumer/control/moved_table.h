/*
 * moved_table.h
 *    The table penstock.moved on a node: values of rows that have moved to
 *    another node, kept until all nodes have applied the transaction
 *    (model/moved.h).
 */
#ifndef PENSTOCK_CONTROL_MOVED_TABLE_H
#define PENSTOCK_CONTROL_MOVED_TABLE_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a pipeline has rows in the table.  Waits. */
MUST_CHECK Rc moved_table_is_used(PgConn *target, const char *pipeline,
								  bool *used, Error *err);

/*
 * Statements.  The first reads the rows of one change; parameters: pipeline,
 * end LSN, number of the change; result: column_name and value, for which the
 * binary format is requested.  The second removes the rows of all transactions
 * after an end LSN, up to another; parameters: pipeline, the two end LSNs.  The
 * first of them is up to where the rows were removed before: while a snapshot
 * is held on the target, the removed rows stay in the index, and would be
 * looked at each time.
 */
extern const char moved_table_read_sql[];
extern const char moved_table_forget_sql[];

#endif /* PENSTOCK_CONTROL_MOVED_TABLE_H */
