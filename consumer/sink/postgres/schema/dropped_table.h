/*
 * dropped_table.h
 *    Checks that DROP TABLE does not delete rows of tables that stay.
 *
 * DROP TABLE drops the partitions of a table with it.  The target's table may
 * have partitions that the source's did not have any more: ones whose DETACH
 * PARTITION was not followed (--on-ddl=partition:off), or that a user has
 * attached.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_DROPPED_TABLE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_DROPPED_TABLE_H

#include "base/error.h"
#include "ddl/diff/plan.h"
#include "model/change.h"
#include "model/definition.h"
#include "net/pgconn.h"

/*
 * RC_FAIL with ERR_CONFIG: the statement drops a table of which the target has
 * a partition that is a table in both `known` and `after`, the source's
 * definitions before and after the transaction.  Does nothing for other
 * statements.  Needs the search_path for statements.  Waits.
 */
MUST_CHECK Rc dropped_table_check(PgConn *target, const DdlStatement *statement,
								  const DefinitionSet *known,
								  const DefinitionSet *after,
								  const TxnInfo *txn, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_DROPPED_TABLE_H */
