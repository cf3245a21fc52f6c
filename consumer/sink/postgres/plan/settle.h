/*
 * settle.h
 *    Statements that make a change, settle a conflict by the table's policy,
 *    and record it in penstock.conflict (conflict_table.h).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H

#include "base/buf.h"
#include "model/change.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/*
 * Appends a statement that makes a change, and settles its conflict by the
 * table's policy.  Its result has one row: the number of conflicts (0 or 1),
 * the number of rows that were written in the end, and the index that an insert
 * has violated, or null.
 */
void settle_build_sql(Buf *sql, const Given *given);

/* Adds the parameters that follow those of the change. */
void settle_add_params(Params *params, const char *pipeline,
					   const TxnInfo *txn);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H */
