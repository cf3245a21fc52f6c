/*
 * statement_cache.c
 *    Finding a statement again by what its SQL depends on.
 */
#include "sink/postgres/plan/statement_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/xalloc.h"
#include "sink/postgres/plan/composite.h"
#include "sink/postgres/plan/settle.h"

#define CACHE_ARENA_BYTES   (64 * KB)
#define PASSING_ARENA_BYTES ((size_t) 4096)

/* What a column holds, in a statement's key. */
enum
{
	HOLDS_NOTHING = '.',
	HOLDS_NULL = 'n',
	HOLDS_VALUE = 'v',
};

/* Kind, whether it counts, table, then up to one byte for each column of both
 * rows. */
#define KEY_BYTES_MAX (2 + sizeof(uint32_t) + PARAMS_MAX)

/* The same of a composite, which is not made if it would be longer. */
#define COMPOSITE_KEY_BYTES_MAX 1024
#define COMPOSITE_KEY_MARK      0xff /* no kind */

/* Composites that are remembered until they are worth being made.  A power of
 * two. */
#define CANDIDATES_MAX 1024

typedef struct CacheEntry
{
	Statement statement;
	size_t key_length;
	const uint8_t *key;
} CacheEntry;

struct StatementCache
{
	CacheEntry *entries[STATEMENTS_MAX];
	size_t count;
	HashIndex index; /* of the entries, by their keys */
	uint64_t made;   /* statements since the start, for their names */
	Arena *arena;
	uint8_t key[KEY_BYTES_MAX];
	size_t key_length;
	bool counting;
	bool checking;
	bool stale; /* see statement_cache_set_stale() */

	Statement passing; /* one that is not kept: nameless */
	Arena *passing_arena;

	size_t composite_count;
	uint8_t composite_key[COMPOSITE_KEY_BYTES_MAX];
	struct
	{
		uint64_t hash; /* of the key of the one that was asked for last, … */
		int uses;      /* … and how often */
	} candidates[CANDIDATES_MAX];
};

StatementCache *
statement_cache_new(void)
{
	StatementCache *cache = xcalloc(1, sizeof(StatementCache));

	cache->arena = arena_new(CACHE_ARENA_BYTES);
	cache->passing_arena = arena_new(PASSING_ARENA_BYTES);
	return cache;
}

void
statement_cache_free(StatementCache *cache)
{
	if (cache == NULL)
		return;
	arena_free(cache->arena);
	arena_free(cache->passing_arena);
	hash_index_release(&cache->index);
	free(cache);
}

void
statement_cache_reset(StatementCache *cache)
{
	hash_index_reset(&cache->index);
	cache->count = 0;
	cache->composite_count = 0;
	cache->stale = false;
	arena_reset(cache->arena);
}

void
statement_cache_set_counting(StatementCache *cache, bool counting)
{
	cache->counting = counting;
}

void
statement_cache_set_checking(StatementCache *cache, bool checking)
{
	cache->checking = checking;
}

bool
statement_cache_is_full(const StatementCache *cache)
{
	return cache->count >= STATEMENTS_MAX;
}

void
statement_cache_set_stale(StatementCache *cache)
{
	cache->stale = cache->count > 0;
}

bool
statement_cache_wants_reset(const StatementCache *cache)
{
	return cache->stale || statement_cache_is_full(cache);
}

/* ---- keys --------------------------------------------------------------- */

static uint8_t
holds(const Value *value)
{
	switch ((ValueKind) value->kind)
	{
		case VALUE_ABSENT:
		case VALUE_UNCHANGED:
			return HOLDS_NOTHING;
		case VALUE_NULL:
			return HOLDS_NULL;
		case VALUE_INTEGER:
		case VALUE_BINARY:
		case VALUE_TEXT:
			return HOLDS_VALUE;
	}
	return HOLDS_NOTHING;
}

/*
 * The key of a statement: only what its SQL depends on, so that rows which
 * differ in nulls elsewhere share it.
 */
static void
make_key(StatementCache *cache, StatementKind kind, const TargetTable *table,
		 const Value *set, const Value *find)
{
	StatementKind made = statement_settled_kind(kind);
	bool sets = made == STATEMENT_UPDATE || made == STATEMENT_UPDATE_MANY ||
				made == STATEMENT_REPLACE;
	bool finds_by_all = table->key_count == 0 &&
						(made == STATEMENT_UPDATE || made == STATEMENT_DELETE ||
						 made == STATEMENT_REPLACE || made == STATEMENT_FETCH);
	uint8_t *at = cache->key;

	*at++ = (uint8_t) kind;
	*at++ = cache->counting ? 1 : 0;
	memcpy(at, &table->serial, sizeof(table->serial));
	at += sizeof(table->serial);
	for (int i = 0; sets && i < table->column_count; i++)
		*at++ = statement_sets(made, &table->columns[i], set) ? HOLDS_VALUE
															  : HOLDS_NOTHING;
	for (int i = 0; made == STATEMENT_FETCH && i < table->column_count; i++)
		*at++ = statement_fetches_column(&table->columns[i], set)
					? HOLDS_VALUE
					: HOLDS_NOTHING;
	for (int i = 0; finds_by_all && i < table->column_count; i++)
		*at++ = holds(&find[table->columns[i].source_index]);
	cache->key_length = (size_t) (at - cache->key);
}

static uint64_t
hash_key(const uint8_t *key, size_t length)
{
	return hash_bytes(HASH_START, key, length);
}

/* The statement that has a key, or NULL. */
static Statement *
find_entry(const StatementCache *cache, const uint8_t *key, size_t length)
{
	HashSearch search = hash_search_begin(&cache->index, hash_key(key, length));
	size_t number;

	while (hash_search_next(&search, &number))
	{
		CacheEntry *entry = cache->entries[number];

		if (entry->key_length == length && memcmp(entry->key, key, length) == 0)
			return &entry->statement;
	}
	return NULL;
}

/*
 * The count is that of a whole transaction.  Where a statement may change more
 * rows than it should, that could make up for another one that changes fewer.
 */
static StatementCheck
check_of(const StatementCache *cache, StatementKind kind,
		 const TargetTable *table)
{
	bool inserts = kind == STATEMENT_INSERT || kind == STATEMENT_INSERT_MANY;

	if ((inserts && table->nothing_fires) || kind == STATEMENT_FETCH)
		return CHECK_NONE;
	if (!cache->counting || kind == STATEMENT_REPLACE ||
		(!inserts && !table->finds_one_row) ||
		statement_settled_kind(kind) != kind)
		return CHECK_RESULT;
	return CHECK_COUNTED;
}

#define ADD_TO_COUNT_SQL(number)                                               \
	"pg_catalog.set_config('penstock.rows', (pg_catalog.current_setting("      \
	"'penstock.rows')::bigint OPERATOR(pg_catalog.+) " number                  \
	")::pg_catalog.text, true)"

/* The statement, which also adds the rows that it has changed to the count. */
static void
build_counting(Buf *sql, const Given *given)
{
	bool many = statement_kind_is_many(given->kind);

	buf_append_string(sql, many ? "WITH changed AS (" : "");
	statement_build(sql, given);
	buf_append_string(sql, many ? " RETURNING 1) SELECT " ADD_TO_COUNT_SQL(
									  "pg_catalog.count(*)") " FROM changed"
								: " RETURNING " ADD_TO_COUNT_SQL("1"));
}

/* A statement without a name, in an arena.  Takes ownership of what `sql` has.
 */
static Statement
make_statement(Arena *arena, Buf *sql, const GivenParam *params, int count)
{
	Statement made = {.param_count = count};

	CHECK(!sql->overflowed);
	made.sql = arena_strdup(arena, sql->data);
	made.params = arena_dup(arena, params, (size_t) count * sizeof(GivenParam));
	buf_release(sql);
	return made;
}

/* Keeps a statement, by its key; there is room. */
static Statement *
add_entry(StatementCache *cache, const uint8_t *key, size_t key_length,
		  Buf *sql, const GivenParam *params, int count)
{
	CacheEntry *entry = arena_calloc(cache->arena, 1, sizeof(CacheEntry));

	ASSERT(!statement_cache_is_full(cache));
	entry->key_length = key_length;
	entry->key = arena_dup(cache->arena, key, key_length);
	entry->statement = make_statement(cache->arena, sql, params, count);
	snprintf(entry->statement.name, sizeof(entry->statement.name),
			 "penstock_%llu", (unsigned long long) ++cache->made);
	hash_index_add(&cache->index, hash_key(key, key_length), cache->count);
	cache->entries[cache->count++] = entry;
	return &entry->statement;
}

/* The same for a statement that is not kept. */
static Statement *
set_passing(StatementCache *cache, Buf *sql, const GivenParam *params,
			int count)
{
	arena_reset(cache->passing_arena);
	cache->passing = make_statement(cache->passing_arena, sql, params, count);
	return &cache->passing;
}

Statement *
statement_get(StatementCache *cache, StatementKind kind,
			  const TargetTable *table, const Value *set, const Value *find)
{
	StatementCheck check;
	Statement *made;
	Given given;
	Buf sql;

	ASSERT(table->column_count <= RELATION_COLUMNS_MAX);
	make_key(cache, kind, table, set, find);
	made = find_entry(cache, cache->key, cache->key_length);
	if (made != NULL)
		return made;
	given_init(&given, kind, table, set, find, 0);
	buf_init(&sql, BUF_TEXT_MAX);
	check = check_of(cache, kind, table);
	if (check == CHECK_COUNTED)
		build_counting(&sql, &given);
	else if (given.kind != kind)
		settle_build_sql(&sql, &given);
	else
		statement_build(&sql, &given);
	made = statement_cache_is_full(cache)
			   ? set_passing(cache, &sql, given.params, given.count)
			   : add_entry(cache, cache->key, cache->key_length, &sql,
						   given.params, given.count);
	made->check = check;
	made->binary = kind == STATEMENT_FETCH;
	return made;
}

/* Its length, or 0: it is too long. */
static size_t
make_composite_key(StatementCache *cache, const Composite *composite)
{
	uint8_t *key = cache->composite_key;
	size_t length = 0;

	key[length++] = COMPOSITE_KEY_MARK;
	key[length++] = composite->moves_progress ? 1 : 0;
	for (int i = 0; i < composite->part_count; i++)
	{
		const CompositePart *part = &composite->parts[i];

		make_key(cache, part->kind, part->table, part->set, part->find);
		if (length + cache->key_length > COMPOSITE_KEY_BYTES_MAX)
			return 0;
		memcpy(key + length, cache->key, cache->key_length);
		length += cache->key_length;
	}
	return length;
}

/* Most likely: another one may have had the same hash, or taken its place. */
static bool
is_worth_making(StatementCache *cache, uint64_t hash)
{
	size_t at = hash_slot(hash, CANDIDATES_MAX);

	if (cache->composite_count >= COMPOSITES_MAX ||
		statement_cache_is_full(cache))
		return false;
	if (cache->candidates[at].hash != hash)
		cache->candidates[at].uses = 0;
	cache->candidates[at].hash = hash;
	return ++cache->candidates[at].uses > COMPOSITE_USES_MIN;
}

Statement *
statement_get_composite(StatementCache *cache, const Composite *composite)
{
	size_t length = make_composite_key(cache, composite);
	GivenParam params[COMPOSITE_PARAMS_MAX];
	int param_count;
	Statement *made;
	Buf sql;

	if (length == 0)
		return NULL;
	made = find_entry(cache, cache->composite_key, length);
	if (made != NULL)
		return made;
	if (!is_worth_making(cache, hash_key(cache->composite_key, length)))
		return NULL;
	buf_init(&sql, BUF_TEXT_MAX);
	param_count = composite_build(&sql, composite, cache->checking, params);
	cache->composite_count++;
	made = add_entry(cache, cache->composite_key, length, &sql, params,
					 param_count);
	made->check = CHECK_NONE;
	made->checked = cache->checking;
	return made;
}
