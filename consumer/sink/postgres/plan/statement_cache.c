/*
 * statement_cache.c
 *    Finds statements by keys that are made of what their SQL depends on.
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

/* What a column contains, as a byte of a statement's key. */
enum
{
	HOLDS_NOTHING = '.',
	HOLDS_NULL = 'n',
	HOLDS_VALUE = 'v',
};

/*
 * Largest key: kind, whether it adds to the counter, table, and up to one byte
 * for each column of both rows.
 */
#define KEY_BYTES_MAX (2 + sizeof(uint32_t) + PARAMS_MAX)

/* Largest key of a composite; one with a longer key is not made. */
#define COMPOSITE_KEY_BYTES_MAX 1024
#define COMPOSITE_KEY_MARK      0xff /* is not a kind */

/* Number of composites whose uses are counted; a power of two. */
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
	HashIndex index; /* indexes of the entries by their keys */
	uint64_t made;   /* number of statements that were made, for their names */
	Arena *arena;
	uint8_t key[KEY_BYTES_MAX];
	size_t key_length;
	bool counting;
	bool checking;
	bool stale; /* see statement_cache_set_stale() */

	Statement passing; /* statement that is not kept, and has no name */
	Arena *passing_arena;

	size_t composite_count;
	uint8_t composite_key[COMPOSITE_KEY_BYTES_MAX];
	struct
	{
		uint64_t hash; /* hash of the key of the composite that was requested
						* last, … */
		int uses;      /* … and the number of requests */
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
		case VALUE_MISSING:
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
 * Makes the key of a statement, only of what its SQL depends on, so that rows
 * which differ in other nulls share the statement.
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
	CHECK((size_t) (at - cache->key) <= KEY_BYTES_MAX);
	cache->key_length = (size_t) (at - cache->key);
}

static uint64_t
hash_key(const uint8_t *key, size_t length)
{
	return hash_bytes(HASH_START, key, length);
}

/* Returns the statement with a key, or NULL. */
static Statement *
find_entry(const StatementCache *cache, const uint8_t *key, size_t length)
{
	HashSearch search = hash_search_begin(&cache->index, hash_key(key, length));
	size_t number;

	while (hash_search_next(&search, &number))
	{
		CacheEntry *entry = cache->entries[number];

		ASSERT(number < cache->count);
		if (entry->key_length == length && memcmp(entry->key, key, length) == 0)
			return &entry->statement;
	}
	return NULL;
}

/*
 * Returns the check for a statement.  The counter is for a whole transaction,
 * so a statement that may change too many rows must not use it: it could
 * compensate for another one that changes too few.
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

/*
 * Appends a statement that also adds the number of changed rows to the counter.
 */
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

/*
 * Makes a statement without a name in an arena.  Takes ownership of the
 * contents of `sql`.
 */
static Statement
make_statement(Arena *arena, Buf *sql, const GivenParam *params, int count)
{
	Statement made = {.param_count = count};

	CHECK(!sql->overflowed);
	ASSERT(count >= 0 && count <= PARAMS_MAX);
	made.sql = arena_strdup(arena, sql->data);
	made.params = arena_dup(arena, params, (size_t) count * sizeof(GivenParam));
	buf_release(sql);
	return made;
}

/* Adds a statement with its key; there must be room. */
static Statement *
add_entry(StatementCache *cache, const uint8_t *key, size_t key_length,
		  Buf *sql, const GivenParam *params, int count)
{
	CacheEntry *entry = arena_calloc(cache->arena, 1, sizeof(CacheEntry));

	ASSERT(!statement_cache_is_full(cache));
	ASSERT(key_length > 0);
	entry->key_length = key_length;
	entry->key = arena_dup(cache->arena, key, key_length);
	entry->statement = make_statement(cache->arena, sql, params, count);
	snprintf(entry->statement.name, sizeof(entry->statement.name),
			 "penstock_%llu", (unsigned long long) ++cache->made);
	hash_index_add(&cache->index, hash_key(key, key_length), cache->count);
	cache->entries[cache->count++] = entry;
	return &entry->statement;
}

/* Sets the statement that is not kept. */
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

/* Makes the key of a composite; returns its length, or 0 if it is too long. */
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

/*
 * Whether a composite has been requested often enough.  Approximate, because
 * composites may have the same hash or the same slot.
 */
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

	ASSERT(composite->part_count > 0);
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
