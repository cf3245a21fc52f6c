/*
 * unique.h
 *    The rows of a target table that keep another one from being inserted.
 *
 * A row may be in the way of one to insert by any unique index or exclusion
 * constraint of the table, not only by its key.  For each of them there is a
 * condition, as the index itself compares: with its operators, its collations,
 * its expressions and its predicate.
 *
 * Left out are indexes of single partitions, and those with a column that the
 * source does not send.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H

#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Reads the unique indexes of a table into it, the key's first.  Waits for the
 * target.
 */
MUST_CHECK Rc unique_read(TargetTable *table, PgConn *target, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_UNIQUE_H */
