/*
 * table_cache.h
 *    The target tables that have been looked up, by source relation.
 */
#ifndef PENSTOCK_SINK_POSTGRES_TABLE_CACHE_H
#define PENSTOCK_SINK_POSTGRES_TABLE_CACHE_H

#include "sink/postgres/batch.h"
#include "sink/postgres/target_table.h"

typedef struct TableCache TableCache;

/* `rules` are borrowed, and may be NULL. */
TableCache *table_cache_new(const ConflictRules *rules);

/* Accepts NULL. */
void table_cache_free(TableCache *cache);

/*
 * Looks up every table that a batch's changes go to.  Waits for the target when
 * one is new; fails before anything is written if one is not as it must be.
 */
MUST_CHECK Rc table_cache_prepare(TableCache *cache, PgConn *target,
								  const Batch *batch, Error *err);

/* The same for the table of one relation. */
MUST_CHECK Rc table_cache_open(TableCache *cache, PgConn *target,
							   Relation *relation, Error *err);

/* A table that was prepared; never NULL.  Of the type TableLookup. */
const TargetTable *table_cache_get(void *cache, const Relation *relation);

#endif /* PENSTOCK_SINK_POSTGRES_TABLE_CACHE_H */
