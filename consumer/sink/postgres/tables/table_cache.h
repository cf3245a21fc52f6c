/*
 * table_cache.h
 *    The target's tables that were looked up, by source relation.
 *
 * The cache is used in rounds; a round is for one batch, or for some relations.
 * Tables that were opened in a round stay until the next round begins.  Of
 * former shapes of a table, only some are kept.  A table may have changed
 * since; see current.h.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H
#define PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H

#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/plan/target_table.h"

/*
 * Number of shapes of one table that are kept in addition to those that a round
 * uses.
 */
#define TABLE_CACHE_SHAPES_MAX 16

typedef struct TableCache TableCache;

/* Makes an empty cache; `rules` are borrowed, and may be NULL. */
TableCache *table_cache_new(const ConflictRules *rules);

/* Frees a cache.  Accepts NULL. */
void table_cache_free(TableCache *cache);

/*
 * Begins a round and looks up every table that a batch changes.  Waits for the
 * target if a table is new.  If a table is not usable, it fails before anything
 * is written.
 */
MUST_CHECK Rc table_cache_prepare(TableCache *cache, PgConn *target,
								  const Batch *batch, Error *err);

/*
 * Begins a round for relations that are opened one by one with
 * table_cache_open(), which waits for the target.
 */
void table_cache_begin(TableCache *cache);
MUST_CHECK Rc table_cache_open(TableCache *cache, PgConn *target,
							   Relation *relation, Error *err);

/* Returns a table that was opened; never NULL.  Has the type TableLookup. */
const TargetTable *table_cache_get(void *cache, const Relation *relation);

/*
 * Returns all tables of the round, valid until the next call of any function
 * here.
 */
CurrentTables table_cache_all(TableCache *cache);

/*
 * Returns the tables of a range of the batch's changes, all of which are open;
 * valid as above.
 */
CurrentTables table_cache_of_changes(TableCache *cache, const Batch *batch,
									 size_t change_first, size_t change_end);

/*
 * If one of the round's tables has changed, looks up all of them again.  No
 * pointer to one of them may be in use.  Waits.
 */
MUST_CHECK Rc table_cache_refresh(TableCache *cache, PgConn *target,
								  bool *changed, Error *err);

/*
 * Forgets all shapes of a source table, by its name, so that the table is
 * looked up again; with schema and name NULL, forgets all tables.  No pointer
 * to one of them may be in use.  Statements for forgotten tables are useless;
 * see applier_forget_table().
 */
void table_cache_forget(TableCache *cache, const char *schema,
						const char *name);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_TABLE_CACHE_H */
