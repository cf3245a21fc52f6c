/*
 * table_cache.c
 *    Has an array of chains of tables, by the relation's number in the stream.
 *
 * A relation that has changed its shape is a new Relation with the same number;
 * the newest is the first of its chain.
 */
#include "sink/postgres/tables/table_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sink/postgres/tables/current_check.h"
#include "sink/postgres/tables/table_lookup.h"

typedef struct CachedTable
{
	TargetTable *table;
	uint64_t round;  /* last round in which it was used */
	uint64_t listed; /* last list to which it was added */
	struct CachedTable *older;
} CachedTable;

struct TableCache
{
	CachedTable **by_number;
	size_t slot_count;
	const ConflictRules *rules;
	uint32_t serial; /* serial of the table that was looked up last */
	uint64_t round;
	uint64_t list; /* number of the current list, for `listed` */
	const TargetTable **listed;
	size_t listed_count;
	size_t listed_capacity;
};

TableCache *
table_cache_new(const ConflictRules *rules)
{
	TableCache *cache = xcalloc(1, sizeof(TableCache));

	cache->rules = rules;
	return cache;
}

static void
free_cached(CachedTable *cached)
{
	target_table_close(cached->table);
	free(cached);
}

void
table_cache_free(TableCache *cache)
{
	if (cache == NULL)
		return;
	table_cache_forget(cache, NULL, NULL);
	free(cache->by_number);
	free(cache->listed);
	free(cache);
}

static CachedTable *
find(const TableCache *cache, const Relation *relation)
{
	CachedTable *cached;

	if (relation->number >= cache->slot_count)
		return NULL;
	cached = cache->by_number[relation->number];
	while (cached != NULL && cached->table->relation != relation)
		cached = cached->older;
	return cached;
}

const TargetTable *
table_cache_get(void *cache, const Relation *relation)
{
	const CachedTable *cached = find(cache, relation);

	CHECK(cached != NULL);
	return cached->table;
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

/* Frees shapes that are not used in this round. */
static void
trim_chain(TableCache *cache, size_t number)
{
	CachedTable **at = &cache->by_number[number];
	int unused_count = 0;

	while (*at != NULL)
	{
		CachedTable *cached = *at;

		if (cached->round == cache->round ||
			++unused_count <= TABLE_CACHE_SHAPES_MAX)
		{
			at = &cached->older;
			continue;
		}
		*at = cached->older;
		free_cached(cached);
	}
}

void
table_cache_begin(TableCache *cache)
{
	cache->round++;
}

Rc
table_cache_open(TableCache *cache, PgConn *target, Relation *relation,
				 Error *err)
{
	TargetTable *table = NULL;
	CachedTable *cached = find(cache, relation);
	Rc rc;

	ASSERT(relation != NULL && cache->round > 0);
	if (cached != NULL)
	{
		cached->round = cache->round;
		return RC_OK;
	}
	rc = table_lookup(&table, target, relation, ++cache->serial, cache->rules,
					  err);
	if (rc != RC_OK)
		return rc;
	CHECK(table->relation == relation && table->serial == cache->serial);
	make_slot(cache, relation->number);
	cached = xcalloc(1, sizeof(CachedTable));
	cached->table = table;
	cached->round = cache->round;
	cached->older = cache->by_number[relation->number];
	cache->by_number[relation->number] = cached;
	trim_chain(cache, relation->number);
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

/*
 * Looks up only the tables of changes in the batch: other tables of a frame may
 * not be for this target.
 */
Rc
table_cache_prepare(TableCache *cache, PgConn *target, const Batch *batch,
					Error *err)
{
	const Relation *last = NULL;

	table_cache_begin(cache);
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

/* ---- lists -------------------------------------------------------------- */

static void
begin_list(TableCache *cache)
{
	cache->list++;
	cache->listed_count = 0;
}

static void
add_to_list(TableCache *cache, CachedTable *cached)
{
	if (cached->listed == cache->list)
		return;
	cached->listed = cache->list;
	if (cache->listed_count == cache->listed_capacity)
	{
		cache->listed_capacity = cache->listed_capacity
									 ? cache->listed_capacity * 2
									 : 64;
		cache->listed = xrealloc_array(cache->listed, cache->listed_capacity,
									   sizeof(cache->listed[0]));
	}
	cache->listed[cache->listed_count++] = cached->table;
}

CurrentTables
table_cache_all(TableCache *cache)
{
	begin_list(cache);
	for (size_t i = 0; i < cache->slot_count; i++)
		for (CachedTable *cached = cache->by_number[i]; cached != NULL;
			 cached = cached->older)
			if (cached->round == cache->round)
				add_to_list(cache, cached);
	return (CurrentTables){cache->listed, cache->listed_count};
}

CurrentTables
table_cache_of_changes(TableCache *cache, const Batch *batch,
					   size_t change_first, size_t change_end)
{
	begin_list(cache);
	for (size_t i = change_first; i < change_end; i++)
	{
		const Change *change = batch->changes[i];

		if (change->relation != NULL)
			add_to_list(cache, find(cache, change->relation));
		else
			for (int r = 0; r < change->truncate->relation_count; r++)
				add_to_list(cache, find(cache, change->truncate->relations[r]));
	}
	return (CurrentTables){cache->listed, cache->listed_count};
}

/* ---- what has changed --------------------------------------------------- */

static MUST_CHECK Rc
reopen(TableCache *cache, PgConn *target, CachedTable *cached, Error *err)
{
	TargetTable *table = NULL;
	Rc rc = table_lookup(&table, target, cached->table->relation,
						 ++cache->serial, cache->rules, err);

	if (rc != RC_OK)
		return rc;
	target_table_close(cached->table);
	cached->table = table;
	return RC_OK;
}

Rc
table_cache_refresh(TableCache *cache, PgConn *target, bool *changed,
					Error *err)
{
	CurrentTables tables = table_cache_all(cache);
	Rc rc = current_find_changed(target, &tables, changed, err);

	if (rc != RC_OK || !*changed)
		return rc;
	for (size_t i = 0; i < cache->slot_count; i++)
		for (CachedTable *cached = cache->by_number[i]; cached != NULL;
			 cached = cached->older)
		{
			if (cached->round != cache->round)
				continue;
			rc = reopen(cache, target, cached, err);
			if (rc != RC_OK)
				return rc;
		}
	return RC_OK;
}

/* ---- forgetting --------------------------------------------------------- */

static bool
is_named(const CachedTable *cached, const char *schema, const char *name)
{
	const Relation *relation = cached->table->relation;

	return schema == NULL || (strcmp(relation->schema, schema) == 0 &&
							  strcmp(relation->name, name) == 0);
}

void
table_cache_forget(TableCache *cache, const char *schema, const char *name)
{
	ASSERT((schema == NULL) == (name == NULL));
	begin_list(cache); /* the last list may have tables that are freed here */
	for (size_t i = 0; i < cache->slot_count; i++)
	{
		CachedTable **at = &cache->by_number[i];

		while (*at != NULL)
		{
			CachedTable *cached = *at;

			if (!is_named(cached, schema, name))
			{
				at = &cached->older;
				continue;
			}
			*at = cached->older;
			free_cached(cached);
		}
	}
}
