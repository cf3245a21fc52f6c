/*
 * unique.h
 *    Reads the unique indexes and exclusion constraints of a target table,
 *    which may prevent inserting a row.
 *
 * A row to insert may violate any of them, not only the key.  For each there is
 * a condition for the conflicting rows, which compares like the index itself:
 * with its operators, collations, expressions and predicate.  Indexes of single
 * partitions, and those with a column that the source does not send, are left
 * out.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H

#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Reads the unique indexes of a table into *table, that of the key first.
 * Waits for the target.
 */
MUST_CHECK Rc unique_read(TargetTable *table, PgConn *target, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H */
