/*
 * table_cache.c
 *    Chains of tables, in an array by the relation's number in the stream.
 *
 * A relation that changed its shape comes as a new Relation with the same
 * number; the newest is first in its chain.  Older ones stay for the batches
 * that still refer to them, and go when the next shape comes.
 */
#include "sink/postgres/table_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Shapes of one table that can be in use at once: those of two batches. */
#define SHAPES_KEPT 64

typedef struct CachedTable
{
	TargetTable *table;
	struct CachedTable *older;
} CachedTable;

struct TableCache
{
	CachedTable **by_number;
	size_t slot_count;
	const ConflictRules *rules;
	uint32_t serial; /* of the table that was looked up last */
};

TableCache *
table_cache_new(const ConflictRules *rules)
{
	TableCache *cache = xcalloc(1, sizeof(TableCache));

	cache->rules = rules;
	return cache;
}

static void
free_chain(CachedTable *cached)
{
	while (cached != NULL)
	{
		CachedTable *older = cached->older;

		target_table_close(cached->table);
		free(cached);
		cached = older;
	}
}

void
table_cache_free(TableCache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->slot_count; i++)
		free_chain(cache->by_number[i]);
	free(cache->by_number);
	free(cache);
}

static const TargetTable *
find(const TableCache *cache, const Relation *relation)
{
	const CachedTable *cached;

	if (relation->number >= cache->slot_count)
		return NULL;
	cached = cache->by_number[relation->number];
	while (cached != NULL && cached->table->relation != relation)
		cached = cached->older;
	return cached != NULL ? cached->table : NULL;
}

const TargetTable *
table_cache_get(void *cache, const Relation *relation)
{
	const TargetTable *table = find(cache, relation);

	CHECK(table != NULL);
	return table;
}

static void
make_slot(TableCache *cache, size_t number)
{
	size_t slot_count = cache->slot_count ? cache->slot_count : 64;

	if (number < cache->slot_count)
		return;
	while (slot_count <= number)
		slot_count *= 2;
	cache->by_number = xrealloc_array(cache->by_number, slot_count,
									  sizeof(cache->by_number[0]));
	memset(cache->by_number + cache->slot_count, 0,
		   (slot_count - cache->slot_count) * sizeof(cache->by_number[0]));
	cache->slot_count = slot_count;
}

/* Lets go of shapes that no batch can refer to any more. */
static void
trim_chain(CachedTable *cached)
{
	for (int i = 0; cached != NULL && i < SHAPES_KEPT; i++)
	{
		if (i == SHAPES_KEPT - 1)
		{
			free_chain(cached->older);
			cached->older = NULL;
		}
		cached = cached->older;
	}
}

Rc
table_cache_open(TableCache *cache, PgConn *target, Relation *relation,
				 Error *err)
{
	TargetTable *table = NULL;
	CachedTable *cached;
	Rc rc;

	if (find(cache, relation) != NULL)
		return RC_OK;
	rc = target_table_open(&table, target, relation, ++cache->serial,
						   cache->rules, err);
	if (rc != RC_OK)
		return rc;
	make_slot(cache, relation->number);
	cached = xcalloc(1, sizeof(CachedTable));
	cached->table = table;
	cached->older = cache->by_number[relation->number];
	cache->by_number[relation->number] = cached;
	trim_chain(cached);
	return RC_OK;
}

static MUST_CHECK Rc
prepare_truncated(TableCache *cache, PgConn *target,
				  const TruncateInfo *truncate, Error *err)
{
	for (int i = 0; i < truncate->relation_count; i++)
	{
		Rc rc = table_cache_open(cache, target, truncate->relations[i], err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* A frame's other tables may be none of ours. */
Rc
table_cache_prepare(TableCache *cache, PgConn *target, const Batch *batch,
					Error *err)
{
	const Relation *last = NULL;

	for (size_t i = 0; i < batch->change_count; i++)
	{
		const Change *change = batch->changes[i];
		Rc rc = RC_OK;

		if (change->kind == CHANGE_TRUNCATE)
			rc = prepare_truncated(cache, target, change->truncate, err);
		else if (change->relation != last)
			rc = table_cache_open(cache, target, change->relation, err);
		if (rc != RC_OK)
			return rc;
		last = change->relation;
	}
	return RC_OK;
}
