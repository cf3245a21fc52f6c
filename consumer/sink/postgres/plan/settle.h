/*
 * settle.h
 *    Statements that settle a conflict by the table's policy and note it in
 *    penstock.conflict (see conflict_table.h).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H

#include "base/buf.h"
#include "model/change.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/*
 * Builds the statement that makes a change and settles its conflict by the
 * table's policy, in one go.  It returns one row: the number of conflicts (0 or
 * 1), the number of rows that were written in the end, and the index that an
 * insert has met, or null.
 */
void settle_build_sql(Buf *sql, const Given *given);

/* Adds the parameters that come after the change's own. */
void settle_add_params(Params *params, const char *pipeline,
					   const TxnInfo *txn);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_SETTLE_H */
