/*
 * table_lookup.h
 *    Looking up the table of the target that a relation's changes go to.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H

#include "base/error.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Looks it up; waits for the target.  ERR_CONFIG, with what to do, if the table
 * or a column does not exist.  `serial` tells this table's statements from
 * those of others.  The rules are borrowed during the call, and may be NULL.
 * On success *table is the caller's: see target_table_close().
 */
MUST_CHECK Rc table_lookup(TargetTable **table, PgConn *target,
						   Relation *relation, uint32_t serial,
						   const ConflictRules *rules, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TABLE_LOOKUP_H */
