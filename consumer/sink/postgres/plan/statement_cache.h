/*
 * statement_cache.h
 *    Statements of one connection, each prepared once and found again by what
 *    its SQL depends on.
 *
 * A statement is told apart by its table, what it does, and what each column of
 * the rows it is for holds: columns that an update left alone are not set, and
 * where a row is found by all its columns, nulls are compared otherwise than
 * values.  When the cache is full it is emptied, before the next batch; until
 * then what is not in it is made for once.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H

#include "sink/postgres/plan/statement.h"

struct Composite;

/* Statements that one connection keeps.  When there are so many, others are
 * prepared each time that they are sent, until the next batch. */
#define STATEMENTS_MAX 1000

/* Of these, composites; and how often one must have been asked for. */
#define COMPOSITES_MAX     100
#define COMPOSITE_USES_MIN 8

typedef struct StatementCache StatementCache;

StatementCache *statement_cache_new(void);
void statement_cache_free(StatementCache *cache);

/* Whether the statements that are asked for from now on count their rows, if
 * they can. */
void statement_cache_set_counting(StatementCache *cache, bool counting);

/* Whether composites that are asked for from now on have a condition that none
 * of their tables has changed; the session must be set up for it. */
void statement_cache_set_checking(StatementCache *cache, bool checking);

/* Forgets all statements; the session's must be deallocated as well. */
void statement_cache_reset(StatementCache *cache);

/* Whether no more are kept. */
bool statement_cache_is_full(const StatementCache *cache);

/* Some are of no use any more, because what is known of a table was forgotten.
 * They take up room until the next reset. */
void statement_cache_set_stale(StatementCache *cache);

/* Whether it is time to forget them all: it is full, or some are stale. */
bool statement_cache_wants_reset(const StatementCache *cache);

/*
 * The statement for rows like these.  `set` is the row of new values, `find`
 * the one by which the row is found; either is NULL where the kind does not
 * need it.  Returns a pointer into the cache, which may be good until the next
 * call only.
 */
Statement *statement_get(StatementCache *cache, StatementKind kind,
						 const TargetTable *table, const Value *set,
						 const Value *find);

/*
 * The statement for changes like these; see composite.h.  Returns a pointer
 * into the cache, or NULL: they have not been asked for often enough to be
 * worth it, or are too many.
 */
Statement *statement_get_composite(StatementCache *cache,
								   const struct Composite *composite);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_CACHE_H */
