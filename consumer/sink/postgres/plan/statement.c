/*
 * statement.c
 *    Building SQL, and finding it again.
 *
 * A row is found by the table's key where there is one.  Where there is none it
 * is found by all columns of the old row; then several rows may be equal, and
 * exactly one of them must go: a subquery picks one, and the statement takes it
 * by its physical place, which together with the table's OID is unique also
 * when the table is partitioned.  Rows that are equal may still differ (1.0 and
 * 1.00, 0 and -0, letters of a citext): one that is the same in all respects is
 * looked for first.
 */
#include "sink/postgres/plan/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "sink/postgres/plan/composite.h"
#include "sink/postgres/plan/settle.h"

#define CACHE_ARENA_BYTES   (64 * KB)
#define PASSING_ARENA_BYTES ((size_t) 4096)

/* A power of two; doubled when half of the slots are taken. */
#define CACHE_SLOTS_FIRST 256

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
	CacheEntry **slots;
	size_t slot_count;
	size_t count;
	uint64_t made; /* statements since the start, for their names */
	Arena *arena;
	uint8_t key[KEY_BYTES_MAX];
	size_t key_length;
	bool counting;
	bool checking;

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
	cache->slots = xcalloc(CACHE_SLOTS_FIRST, sizeof(CacheEntry *));
	cache->slot_count = CACHE_SLOTS_FIRST;
	return cache;
}

void
statement_cache_free(StatementCache *cache)
{
	if (cache == NULL)
		return;
	arena_free(cache->arena);
	arena_free(cache->passing_arena);
	free(cache->slots);
	free(cache);
}

void
statement_cache_reset(StatementCache *cache)
{
	memset(cache->slots, 0, cache->slot_count * sizeof(CacheEntry *));
	cache->count = 0;
	cache->composite_count = 0;
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

/* ---- SQL ---------------------------------------------------------------- */

/* The change that a settling statement makes, if it can. */
static StatementKind
settled_kind(StatementKind kind)
{
	return kind == STATEMENT_SETTLE_INSERT   ? STATEMENT_INSERT
		   : kind == STATEMENT_SETTLE_UPDATE ? STATEMENT_UPDATE
		   : kind == STATEMENT_SETTLE_DELETE ? STATEMENT_DELETE
											 : kind;
}

/* Long enough for what a value is given by: $1600, or k.c1600. */
#define EXPRESSION_SIZE 16

/* The n-th value that the statement is given: a parameter, or a column of k. */
static void
append_given(Buf *sql, StatementKind kind, const TargetColumn *column, int n)
{
	bool many = statement_kind_is_many(kind);
	char expression[EXPRESSION_SIZE];

	if (kind == STATEMENT_UPDATE_RECORDS)
	{
		buf_printf(sql, "k.%s", column->name_sql);
		return;
	}
	snprintf(expression, sizeof(expression), many ? "k.c%d" : "$%d", n);
	target_column_append_value(sql, column, expression, many);
}

static void
append_unnest(Buf *sql, int count)
{
	/* Of several arrays, the name alone stands for that of pg_catalog. */
	buf_printf(sql, " FROM %sunnest(", count == 1 ? "pg_catalog." : "");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%s$%d", i > 1 ? ", " : "", i);
	buf_append_string(sql, ") AS k(");
	for (int i = 1; i <= count; i++)
		buf_printf(sql, "%sc%d", i > 1 ? ", " : "", i);
	buf_append_char(sql, ')');
}

/* Rows of child tables are those tables' own. */
static const char *
only(const TargetTable *table)
{
	return table->is_partitioned ? "" : "ONLY ";
}

static void
build_insert(Buf *sql, StatementKind kind, const TargetTable *table, int n)
{
	buf_printf(sql, "INSERT INTO %s", table->name_sql);
	if (table->column_count == 0)
	{
		buf_append_string(sql, " DEFAULT VALUES");
		return;
	}
	buf_append_string(sql, " (");
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_printf(sql, ") OVERRIDING SYSTEM VALUE %s",
			   statement_kind_is_many(kind) ? "SELECT " : "VALUES (");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		append_given(sql, kind, &table->columns[i], n + i + 1);
	}
	if (statement_kind_is_many(kind))
		append_unnest(sql, table->column_count);
	else
		buf_append_char(sql, ')');
}

/* How alike a row has to be that is to be found. */
typedef enum Likeness
{
	LIKENESS_EQUAL,
	LIKENESS_SAME, /* and has the same text, where that could be another */
} Likeness;

/* That a column and a value are equal, or where that is not known for its type,
 * have the same text. */
static void
append_equal(Buf *sql, const TargetColumn *column, const char *value,
			 Likeness likeness)
{
	char *stored = xasprintf("t.%s", column->name_sql);
	bool has_equality = column->equals_sql != NULL;

	if (has_equality)
		target_column_append_equal(sql, column, stored, value);
	else
		buf_printf(sql, "%s IS DISTINCT FROM NULL", stored);
	if (!has_equality || (likeness == LIKENESS_SAME && !column->equal_is_same))
	{
		buf_append_string(sql, " AND ");
		target_column_append_same(sql, stored, value);
	}
	free(stored);
}

void
statement_append_equal(Buf *sql, const TargetColumn *column, const char *value)
{
	append_equal(sql, column, value, LIKENESS_EQUAL);
}

/* One condition of a WHERE; takes the next given value unless it is null. */
static void
append_condition(Buf *sql, StatementKind kind, const TargetColumn *column,
				 const Value *value, Likeness likeness, int *n)
{
	Buf given;

	/* IS NULL would be true of a row of nulls as well. */
	if (value->kind == VALUE_NULL && !statement_kind_is_many(kind))
	{
		buf_printf(sql, "t.%s IS NOT DISTINCT FROM NULL", column->name_sql);
		return;
	}
	buf_init(&given, BUF_TEXT_MAX);
	append_given(&given, kind, column, ++*n);
	append_equal(sql, column, given.data, likeness);
	buf_release(&given);
}

static void
append_conditions(Buf *sql, StatementKind kind, const TargetTable *table,
				  const Value *find, Likeness likeness, int *n)
{
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (!statement_finds_by_column(table, column, value))
			continue;
		buf_append_string(sql, first ? " WHERE " : " AND ");
		append_condition(sql, kind, column, value, likeness, n);
		first = false;
	}
}

/* Whether a row may be equal to this one and not be the same. */
static bool
may_be_only_equal(const TargetTable *table, const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL && column->equals_sql != NULL &&
			!column->equal_is_same)
			return true;
	}
	return false;
}

/* Its place, if there is one. */
static void
append_place(Buf *sql, const TargetTable *table, const Value *find,
			 Likeness likeness, int *n)
{
	buf_printf(sql, "SELECT t.tableoid AS tab, t.ctid AS place FROM %s%s AS t",
			   only(table), table->name_sql);
	append_conditions(sql, STATEMENT_DELETE, table, find, likeness, n);
	buf_append_string(sql, " LIMIT 1");
}

/* Without a key: one of the rows that are equal, by its place. */
static void
append_one_row(Buf *sql, const TargetTable *table, const Value *find, int *n)
{
	int first = *n;

	buf_append_string(sql, "WITH one AS MATERIALIZED (");
	if (may_be_only_equal(table, find))
	{
		/* The second part is not looked at if the first has one. */
		buf_append_char(sql, '(');
		append_place(sql, table, find, LIKENESS_SAME, n);
		buf_append_string(sql, ") UNION ALL (");
		*n = first;
		append_place(sql, table, find, LIKENESS_EQUAL, n);
		buf_append_string(sql, ") LIMIT 1");
	}
	else
		append_place(sql, table, find, LIKENESS_EQUAL, n);
	buf_append_string(sql, ") ");
}

static const char place_sql[] =
	" WHERE t.ctid OPERATOR(pg_catalog.=) one.place"
	" AND t.tableoid OPERATOR(pg_catalog.=) one.tab";

/*
 * Whether an update with these new values has to set a column.  Those that
 * find the row in a set-wise update have not changed.
 */
static bool
is_set(StatementKind kind, const TargetColumn *column, const Value *set)
{
	if (column->key &&
		(kind == STATEMENT_UPDATE_MANY || kind == STATEMENT_UPDATE_RECORDS))
		return false;
	if (kind == STATEMENT_REPLACE)
		return set[column->source_index].kind != VALUE_UNCHANGED;
	return statement_sets_column(column, &set[column->source_index]);
}

static void
append_settings(Buf *sql, StatementKind kind, const TargetTable *table,
				const Value *set, int *n)
{
	bool first = true;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (!is_set(kind, column, set))
			continue;
		buf_printf(sql, "%s%s = ", first ? "" : ", ", column->name_sql);
		append_given(sql, kind, column, ++*n);
		first = false;
	}

	/* Nothing to set: the row must be there all the same. */
	for (int i = 0; first && i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (column->identity_always)
			continue;
		buf_printf(sql, "%s = t.%s", column->name_sql, column->name_sql);
		first = false;
	}
}

static void
build_update(Buf *sql, const TargetTable *table, const Value *set,
			 const Value *find, int n)
{
	if (table->key_count == 0)
		append_one_row(sql, table, find, &n);
	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE, table, set, &n);
	if (table->key_count == 0)
		buf_printf(sql, " FROM one%s", place_sql);
	else
		append_conditions(sql, STATEMENT_UPDATE, table, find, LIKENESS_EQUAL,
						  &n);
}

static void
build_delete(Buf *sql, const TargetTable *table, const Value *find, int n)
{
	if (table->key_count == 0)
		append_one_row(sql, table, find, &n);
	buf_printf(sql, "DELETE FROM %s%s AS t", only(table), table->name_sql);
	if (table->key_count == 0)
		buf_printf(sql, " USING one%s", place_sql);
	else
		append_conditions(sql, STATEMENT_DELETE, table, find, LIKENESS_EQUAL,
						  &n);
}

/* How many parameters the row that is to be found gives. */
static int
count_find_params(const TargetTable *table, const Value *find)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL)
			count++;
	}
	return count;
}

bool
statement_needs_replace(const TargetTable *table, const Value *set,
						const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		int index = column->source_index;

		if (!column->identity_always || set[index].kind == VALUE_UNCHANGED)
			continue;

		/* Beside the key, nobody knows what it was before. */
		if (!statement_finds_by_column(table, column, &find[index]) ||
			!value_is_same(&set[index], &find[index]))
			return true;
	}
	return false;
}

/* What is not known keeps the value that the row had. */
static void
build_replace(Buf *sql, const TargetTable *table, const Value *set,
			  const Value *find)
{
	int n = count_find_params(table, find);

	buf_append_string(sql, "WITH gone AS (");
	build_delete(sql, table, find, 0);
	buf_printf(sql, " RETURNING t.*) INSERT INTO %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", %s", table->extra_names_sql[i]);
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		buf_append_string(sql, i > 0 ? ", " : "");
		if (set[column->source_index].kind == VALUE_UNCHANGED)
			buf_printf(sql, "gone.%s", column->name_sql);
		else
			append_given(sql, STATEMENT_REPLACE, column, ++n);
	}
	for (int i = 0; i < table->extra_count; i++)
		buf_printf(sql, ", gone.%s", table->extra_names_sql[i]);
	buf_append_string(sql, " FROM gone");
}

static void
build_fetch(Buf *sql, const TargetTable *table, const Value *row,
			const Value *find)
{
	bool first = true;
	int n = 0;

	buf_append_string(sql, "SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		char *stored;

		if (!statement_fetches_column(&table->columns[i], row))
			continue;
		buf_append_string(sql, first ? "" : ", ");
		stored = xasprintf("t.%s", table->columns[i].name_sql);
		target_column_append_fetched(sql, &table->columns[i], stored);
		free(stored);
		first = false;
	}
	buf_printf(sql, " FROM %s%s AS t", only(table), table->name_sql);
	append_conditions(sql, STATEMENT_FETCH, table, find, LIKENESS_EQUAL, &n);
}

static int
count_set(const TargetTable *table, const Value *set)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
		count += is_set(STATEMENT_UPDATE_MANY, &table->columns[i], set) ? 1 : 0;
	return count;
}

static void
build_update_many(Buf *sql, const TargetTable *table, const Value *set)
{
	int n = 0;

	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE_MANY, table, set, &n);
	append_unnest(sql, count_set(table, set) + table->key_count);
	append_conditions(sql, STATEMENT_UPDATE_MANY, table, set, LIKENESS_EQUAL,
					  &n);
}

static void
build_update_records(Buf *sql, const TargetTable *table, const Value *set)
{
	int n = 0;

	buf_printf(sql, "UPDATE %s%s AS t SET ", only(table), table->name_sql);
	append_settings(sql, STATEMENT_UPDATE_RECORDS, table, set, &n);
	buf_append_string(sql, " FROM pg_catalog.unnest($1) AS k");
	append_conditions(sql, STATEMENT_UPDATE_RECORDS, table, set, LIKENESS_EQUAL,
					  &n);
}

static void
build_delete_many(Buf *sql, const TargetTable *table, const Value *find)
{
	int n = 0;

	buf_printf(sql, "DELETE FROM %s%s AS t USING (SELECT *", only(table),
			   table->name_sql);
	append_unnest(sql, table->key_count);
	buf_append_string(sql, ") AS k");
	append_conditions(sql, STATEMENT_DELETE_MANY, table, find, LIKENESS_EQUAL,
					  &n);
}

void
statement_build(Buf *sql, StatementKind kind, const TargetTable *table,
				const Value *set, const Value *find, int n)
{
	ASSERT(n == 0 || kind == STATEMENT_INSERT || kind == STATEMENT_UPDATE ||
		   kind == STATEMENT_DELETE);
	switch (kind)
	{
		case STATEMENT_INSERT:
		case STATEMENT_INSERT_MANY:
			build_insert(sql, kind, table, n);
			return;
		case STATEMENT_REPLACE:
			build_replace(sql, table, set, find);
			return;
		case STATEMENT_UPDATE:
			build_update(sql, table, set, find, n);
			return;
		case STATEMENT_DELETE:
			build_delete(sql, table, find, n);
			return;
		case STATEMENT_FETCH:
			build_fetch(sql, table, set, find);
			return;
		case STATEMENT_UPDATE_MANY:
			build_update_many(sql, table, set);
			return;
		case STATEMENT_UPDATE_RECORDS:
			build_update_records(sql, table, set);
			return;
		case STATEMENT_DELETE_MANY:
			build_delete_many(sql, table, find);
			return;
		case STATEMENT_SETTLE_INSERT:
		case STATEMENT_SETTLE_UPDATE:
		case STATEMENT_SETTLE_DELETE:
			settle_build_sql(sql, settled_kind(kind), table, set, find);
			return;
	}
}

/* How many the row of new values gives. */
static int
count_set_params(StatementKind kind, const TargetTable *table, const Value *set)
{
	int count = 0;

	for (int i = 0; i < table->column_count; i++)
		if (kind == STATEMENT_INSERT || is_set(kind, &table->columns[i], set))
			count++;
	return count;
}

int
statement_count_params(StatementKind kind, const TargetTable *table,
					   const Value *set, const Value *find)
{
	int count = 0;

	if (kind != STATEMENT_DELETE)
		count += count_set_params(kind, table, set);
	if (kind != STATEMENT_INSERT)
		count += count_find_params(table, find);
	return count;
}

bool
statement_append_given(Buf *sql, StatementKind kind, const TargetTable *table,
					   const Value *set, const Value *find, bool of_find,
					   int column)
{
	/* Without a key what finds the row comes first; see append_one_row(). */
	bool find_first = table->key_count == 0;
	int n = 0;

	if (of_find && kind == STATEMENT_UPDATE && !find_first)
		n = count_set_params(kind, table, set);
	if (!of_find && kind == STATEMENT_UPDATE && find_first)
		n = count_find_params(table, find);
	for (int i = 0; i <= column; i++)
	{
		const TargetColumn *at = &table->columns[i];
		const Value *value = of_find ? &find[at->source_index]
									 : &set[at->source_index];
		bool given = of_find
						 ? statement_finds_by_column(table, at, value) &&
							   value->kind != VALUE_NULL
						 : kind == STATEMENT_INSERT || is_set(kind, at, set);

		n += given ? 1 : 0;
		if (i < column)
			continue;
		if (given)
			append_given(sql, kind, at, n);
		else if (of_find && value->kind == VALUE_NULL)
			buf_append_string(sql, "NULL");
		else
			return false;
	}
	return true;
}

void
statement_append_conditions(Buf *sql, StatementKind kind,
							const TargetTable *table, const Value *find, int n)
{
	append_conditions(sql, kind, table, find, LIKENESS_EQUAL, &n);
}

/* ---- the cache ---------------------------------------------------------- */

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
	StatementKind made = settled_kind(kind);
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
		*at++ = is_set(kind, &table->columns[i], set) ? HOLDS_VALUE
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

/* The slot that has a key, or that it would go to. */
static CacheEntry **
find_slot(const StatementCache *cache, const uint8_t *key, size_t length)
{
	size_t slot = hash_slot(hash_key(key, length), cache->slot_count);

	while (cache->slots[slot] != NULL)
	{
		const CacheEntry *entry = cache->slots[slot];

		if (entry->key_length == length && memcmp(entry->key, key, length) == 0)
			break;
		slot = (slot + 1) & (cache->slot_count - 1);
	}
	return &cache->slots[slot];
}

static void
grow_slots(StatementCache *cache)
{
	CacheEntry **old_slots = cache->slots;
	size_t old_count = cache->slot_count;

	cache->slot_count *= 2;
	cache->slots = xcalloc(cache->slot_count, sizeof(CacheEntry *));
	for (size_t i = 0; i < old_count; i++)
	{
		CacheEntry *entry = old_slots[i];

		if (entry != NULL)
			*find_slot(cache, entry->key, entry->key_length) = entry;
	}
	free(old_slots);
}

static StatementCheck
check_of(const StatementCache *cache, StatementKind kind,
		 const TargetTable *table)
{
	bool inserts = kind == STATEMENT_INSERT || kind == STATEMENT_INSERT_MANY;

	if ((inserts && table->nothing_fires) || kind == STATEMENT_FETCH)
		return CHECK_NONE;
	if (!cache->counting || kind == STATEMENT_REPLACE ||
		settled_kind(kind) != kind)
		return CHECK_RESULT;
	return CHECK_COUNTED;
}

#define ADD_TO_COUNT_SQL(number)                                               \
	"pg_catalog.set_config('penstock.rows', (pg_catalog.current_setting("      \
	"'penstock.rows')::bigint OPERATOR(pg_catalog.+) " number                  \
	")::pg_catalog.text, true)"

/* The statement, which also adds the rows that it has changed to the count. */
static void
build_counting(Buf *sql, StatementKind kind, const TargetTable *table,
			   const Value *set, const Value *find)
{
	bool many = statement_kind_is_many(kind);

	buf_append_string(sql, many ? "WITH changed AS (" : "");
	statement_build(sql, kind, table, set, find, 0);
	buf_append_string(sql, many ? " RETURNING 1) SELECT " ADD_TO_COUNT_SQL(
									  "pg_catalog.count(*)") " FROM changed"
								: " RETURNING " ADD_TO_COUNT_SQL("1"));
}

/* The slot for a key, in a table that has room for one more. */
static CacheEntry **
find_or_free_slot(StatementCache *cache, const uint8_t *key, size_t length)
{
	if (cache->count >= cache->slot_count / 2)
		grow_slots(cache);
	return find_slot(cache, key, length);
}

/* Takes ownership of what `sql` has. */
static Statement *
add_entry(StatementCache *cache, CacheEntry **slot, const uint8_t *key,
		  size_t key_length, StatementCheck check, Buf *sql)
{
	CacheEntry *entry = arena_calloc(cache->arena, 1, sizeof(CacheEntry));

	CHECK(!sql->overflowed);
	entry->key_length = key_length;
	entry->key = arena_dup(cache->arena, key, key_length);
	entry->statement.check = check;
	entry->statement.sql = arena_strdup(cache->arena, sql->data);
	buf_release(sql);
	snprintf(entry->statement.name, sizeof(entry->statement.name),
			 "penstock_%llu", (unsigned long long) ++cache->made);
	cache->count++;
	*slot = entry;
	return &entry->statement;
}

/* The same for a statement that is not kept. */
static Statement *
set_passing(StatementCache *cache, StatementCheck check, Buf *sql)
{
	CHECK(!sql->overflowed);
	arena_reset(cache->passing_arena);
	cache->passing = (Statement){
		.sql = arena_strdup(cache->passing_arena, sql->data), .check = check};
	buf_release(sql);
	return &cache->passing;
}

Statement *
statement_get(StatementCache *cache, StatementKind kind,
			  const TargetTable *table, const Value *set, const Value *find)
{
	StatementCheck check;
	CacheEntry **slot;
	Statement *made;
	Buf sql;

	make_key(cache, kind, table, set, find);
	slot = find_or_free_slot(cache, cache->key, cache->key_length);
	if (*slot != NULL)
		return &(*slot)->statement;
	buf_init(&sql, BUF_TEXT_MAX);
	check = check_of(cache, kind, table);
	if (check == CHECK_COUNTED)
		build_counting(&sql, kind, table, set, find);
	else
		statement_build(&sql, kind, table, set, find, 0);
	made = statement_cache_is_full(cache)
			   ? set_passing(cache, check, &sql)
			   : add_entry(cache, slot, cache->key, cache->key_length, check,
						   &sql);
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
	CacheEntry **slot;
	Statement *made;
	Buf sql;

	if (length == 0)
		return NULL;
	slot = find_or_free_slot(cache, cache->composite_key, length);
	if (*slot != NULL)
		return &(*slot)->statement;
	if (!is_worth_making(cache, hash_key(cache->composite_key, length)))
		return NULL;
	buf_init(&sql, BUF_TEXT_MAX);
	composite_build(&sql, composite, cache->checking);
	cache->composite_count++;
	made = add_entry(cache, slot, cache->composite_key, length, CHECK_NONE,
					 &sql);
	made->checked = cache->checking;
	return made;
}

/* ---- parameters --------------------------------------------------------- */

static void
add_find_params(Params *params, const TargetTable *table, const Value *find)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];
		const Value *value = &find[column->source_index];

		if (statement_finds_by_column(table, column, value) &&
			value->kind != VALUE_NULL)
			params_add(params, column, value);
	}
}

static void
add_set_params(Params *params, StatementKind kind, const TargetTable *table,
			   const Value *set)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (kind == STATEMENT_INSERT || is_set(kind, column, set))
			params_add(params, column, &set[column->source_index]);
	}
}

void
statement_add_params(Params *params, StatementKind kind,
					 const TargetTable *table, const Value *set,
					 const Value *find)
{
	bool find_first;

	ASSERT(!statement_kind_is_many(kind));
	kind = kind == STATEMENT_FETCH ? STATEMENT_DELETE : settled_kind(kind);

	/* Where a part before the statement finds the row, that comes first. */
	find_first = table->key_count == 0 || kind == STATEMENT_REPLACE;
	if (kind != STATEMENT_INSERT && find_first)
		add_find_params(params, table, find);
	if (kind != STATEMENT_DELETE)
		add_set_params(params, kind, table, set);
	if (kind != STATEMENT_INSERT && !find_first)
		add_find_params(params, table, find);
}
