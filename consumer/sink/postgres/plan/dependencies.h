/*
 * dependencies.h
 *    Which transactions of a batch may be applied at once.
 *
 * Two transactions that change no row in common may be.  Rows are told apart by
 * their tables and keys: by a hash of both, so that now and then two are taken
 * for one, which only costs time.  Where a key does not say all (tables without
 * one, with other unique indexes, with triggers that fire, TRUNCATE), a
 * transaction waits for all before it, and all after it wait for it.
 *
 * What is overlooked here cannot do harm, only cost more time: transactions
 * are committed in order whatever happens, and a row that is locked by a later
 * transaction, or not there yet, makes an earlier or later one fail, after
 * which it is applied alone.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H
#define PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H

#include <stddef.h>
#include <stdint.h>

#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/plan.h"

typedef struct Dependencies Dependencies;

Dependencies *dependencies_new(void);

/* Accepts NULL. */
void dependencies_free(Dependencies *dependencies);

/*
 * For each transaction of the batch the index plus one of the last one before
 * it that has to be committed before it begins, or 0 if none has to.  A
 * transaction `window` or more before it counts as committed.  The array lives
 * until the next call.
 */
const uint32_t *dependencies_find(Dependencies *dependencies,
								  const Batch *batch, TableLookup lookup,
								  void *lookup_context, size_t window);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_DEPENDENCIES_H */
