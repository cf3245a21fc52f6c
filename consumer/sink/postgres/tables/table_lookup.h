/*
 * table_lookup.h
 *    Looks up the target's table for changes of a relation.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H

#include "base/error.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Looks up a table; waits for the target.  RC_FAIL with ERR_CONFIG, and a hint:
 * the table or a column does not exist.  `serial` distinguishes the statements
 * of this table.  The rules are borrowed during the call, and may be NULL.
 * After success, *table is owned by the caller, who must call
 * target_table_close().
 */
MUST_CHECK Rc table_lookup(TargetTable **table, PgConn *target,
						   Relation *relation, uint32_t serial,
						   const ConflictRules *rules, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H */
