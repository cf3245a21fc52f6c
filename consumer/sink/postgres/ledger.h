/*
 * ledger.h
 *    The table on a target that holds every conflict that was skipped or
 *    overwritten.
 *
 * penstock.conflict has one row per conflict, written in the transaction that
 * the conflict is about: the change as the source made it, and the row that the
 * target had, both as JSON; of an insert also the unique index or exclusion
 * constraint by which that row was in the way.  Both are null where it is not
 * known: see unique.h.  The table is made when a policy other than "stop" is in
 * force, and never removed by us.
 */
#ifndef PENSTOCK_SINK_POSTGRES_LEDGER_H
#define PENSTOCK_SINK_POSTGRES_LEDGER_H

#include "base/buf.h"
#include "base/error.h"
#include "model/change.h"
#include "net/pgconn.h"
#include "sink/postgres/params.h"
#include "sink/postgres/statement.h"

/* Makes the ledger unless it is there. */
MUST_CHECK Rc ledger_create(PgConn *target, Error *err);

/*
 * Builds the statement that makes a change and settles its conflict by the
 * table's policy, in one go; `kind` is the change's own STATEMENT_INSERT, … .
 * It returns one row: the number of conflicts (0 or 1), the number of rows that
 * were written in the end, and the index that an insert has met, or null.
 */
void ledger_build_sql(Buf *sql, StatementKind kind, const TargetTable *table,
					  const Value *set, const Value *find);

/* Adds the parameters that come behind the change's own. */
void ledger_add_params(Params *params, const char *pipeline,
					   const TxnInfo *txn);

#endif /* PENSTOCK_SINK_POSTGRES_LEDGER_H */
