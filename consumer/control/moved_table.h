/*
 * moved_table.h
 *    penstock.moved on a node: values of rows that have moved to another node,
 *    until all nodes have the transaction; see model/moved.h.
 */
#ifndef PENSTOCK_CONTROL_MOVED_TABLE_H
#define PENSTOCK_CONTROL_MOVED_TABLE_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Whether a pipeline has entries. */
MUST_CHECK Rc moved_table_is_used(PgConn *target, const char *pipeline,
								  bool *used, Error *err);

/*
 * Statements: the entries of one change (parameters: pipeline, end LSN, number
 * of the change; results column_name and value, to be had in binary format),
 * and the removal of those of all transactions up to one (pipeline, end LSN).
 */
extern const char moved_table_read_sql[];
extern const char moved_table_forget_sql[];

#endif /* PENSTOCK_CONTROL_MOVED_TABLE_H */
