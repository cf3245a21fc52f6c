/*
 * table_cache.h
 *    The target tables that have been looked up, by source relation.
 *
 * They are used in rounds, each for one batch, or for some relations.  Tables
 * that have been opened in a round stay until the next one begins; of shapes
 * that a table had before, only some are kept.  What is here may not be so any
 * more: see current.h.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H

#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/plan/target_table.h"

/* Shapes of one table that are kept beyond those that a round uses. */
#define TABLE_CACHE_SHAPES_MAX 16

typedef struct TableCache TableCache;

/* `rules` are borrowed, and may be NULL. */
TableCache *table_cache_new(const ConflictRules *rules);

/* Accepts NULL. */
void table_cache_free(TableCache *cache);

/*
 * Begins a round and looks up every table that a batch's changes go to.  Waits
 * for the target when one is new; fails before anything is written if one is
 * not as it must be.
 */
MUST_CHECK Rc table_cache_prepare(TableCache *cache, PgConn *target,
								  const Batch *batch, Error *err);

/* Begins a round for relations that are opened one by one. */
void table_cache_begin(TableCache *cache);
MUST_CHECK Rc table_cache_open(TableCache *cache, PgConn *target,
							   Relation *relation, Error *err);

/* A table that was opened; never NULL.  Of the type TableLookup. */
const TargetTable *table_cache_get(void *cache, const Relation *relation);

/* All tables of the round, until the next call of any of these functions. */
CurrentTables table_cache_all(TableCache *cache);

/* The same of a range of the batch's changes; all have been opened. */
CurrentTables table_cache_of_changes(TableCache *cache, const Batch *batch,
									 size_t change_first, size_t change_end);

/*
 * If one of the round's tables has changed, opens each of them anew; nobody may
 * hold on to one.  Waits.
 */
MUST_CHECK Rc table_cache_refresh(TableCache *cache, PgConn *target,
								  bool *changed, Error *err);

/*
 * Forgets all shapes of a table of the source, by its name there, so that it is
 * looked up again when it is needed next; without a schema and a name (both
 * NULL), forgets all tables.  Nobody may hold on to one of them, and statements
 * that were made for them are of no use any more: see applier_forget_table().
 */
void table_cache_forget(TableCache *cache, const char *schema,
						const char *name);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H */
