/*
 * dependencies.h
 *    Finds out which transactions of a batch may be applied at the same time.
 *
 * Two transactions may be applied at the same time if they change no row in
 * common.  Rows are compared by a hash of table and key; two rows with the same
 * hash count as one, which only costs time.  If keys do not determine the
 * dependencies (tables without a key, with other unique indexes or with
 * triggers that fire, and TRUNCATE), the transaction waits for all transactions
 * before it, and all after it wait for it.
 *
 * An undetected dependency does no harm, and only costs time.  Transactions are
 * always committed in order; and if a row is locked by a later transaction, or
 * does not exist yet, a transaction fails and is applied again alone.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H
#define PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H

#include <stddef.h>
#include <stdint.h>

#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/plan.h"

typedef struct Dependencies Dependencies;

Dependencies *dependencies_new(void);

/* Frees everything.  Accepts NULL. */
void dependencies_free(Dependencies *dependencies);

/*
 * Returns for each transaction of the batch the index plus one of the last
 * earlier transaction that must be committed before it begins; 0: none.  An
 * earlier transaction counts as committed if it is `window` or more before.
 * The array is valid until the next call.
 */
const uint32_t *dependencies_find(Dependencies *dependencies,
								  const Batch *batch, TableLookup lookup,
								  void *lookup_context, size_t window);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H */
