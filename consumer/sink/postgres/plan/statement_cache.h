/*
 * statement_cache.h
 *    The statements of one connection, each of which is prepared once.
 *
 * A statement is found by what its SQL depends on: its table, its kind, and
 * what each column of its rows contains.  Columns that an update has not
 * changed are not set, and if a row is found by all its columns, nulls are
 * compared differently from other values.
 *
 * A full cache is emptied before the next batch; until then, a statement that
 * it does not have is used once and not kept.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H

#include "sink/postgres/plan/statement.h"

struct Composite;

/*
 * Largest number of statements in a cache.  When it is reached, other
 * statements are parsed each time they are sent, until the next batch.
 */
#define STATEMENTS_MAX 1000

/*
 * Largest number of composites among them, and number of uses after which a
 * composite is prepared.
 */
#define COMPOSITES_MAX     100
#define COMPOSITE_USES_MIN 8

typedef struct StatementCache StatementCache;

StatementCache *statement_cache_new(void);
void statement_cache_free(StatementCache *cache);

/*
 * Sets whether statements that are requested from now on add to the counter of
 * rows (StatementCheck), if they can.
 */
void statement_cache_set_counting(StatementCache *cache, bool counting);

/*
 * Sets whether composites that are requested from now on have a condition that
 * none of their tables has changed.  The session must have the function
 * (current.h).
 */
void statement_cache_set_checking(StatementCache *cache, bool checking);

/*
 * Removes all statements.  The caller must deallocate them in the session, too.
 */
void statement_cache_reset(StatementCache *cache);

/* Whether no more statements are kept. */
bool statement_cache_is_full(const StatementCache *cache);

/*
 * Records that some statements are useless, because a table was forgotten.
 * They take up room until the next reset.
 */
void statement_cache_set_stale(StatementCache *cache);

/*
 * Whether the cache should be emptied: it is full, or has useless statements.
 */
bool statement_cache_wants_reset(const StatementCache *cache);

/*
 * Returns the statement for rows like these.  `set` is the row of new values,
 * `find` the row to find; NULL if the kind does not need it.  The pointer may
 * be valid only until the next call.
 */
Statement *statement_get(StatementCache *cache, StatementKind kind,
						 const TargetTable *table, const Value *set,
						 const Value *find);

/*
 * Returns the statement for changes like these (composite.h), or NULL: they
 * have not been requested often enough, or are too many.  The pointer may be
 * valid only until the next call.
 */
Statement *statement_get_composite(StatementCache *cache,
								   const struct Composite *composite);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H */
