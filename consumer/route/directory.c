/*
 * directory.c
 *    A hash table of keys that grows, filled by changes of the directory's
 *    table.
 */
#include "route/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/own_command.h"
#include "base/xalloc.h"

#define ARENA_BLOCK_BYTES (64 * KB)
#define BUCKETS_FIRST     256

/* Largest size of a key in bytes. */
#define KEY_BYTES_MAX (16 * MB)

/* Target of an entry that was removed. */
#define TARGET_NONE (-1)

typedef struct Entry
{
	struct Entry *next; /* next entry of the same bucket */
	const char *key;
	int target;
} Entry;

struct Directory
{
	const PlacementDirectory *place;
	uint32_t oid; /* OID of the table on the source; 0: not known */
	Lsn lsn;
	Arena *arena; /* memory of the entries */
	Entry **buckets;
	size_t bucket_count; /* number of buckets, a power of two */
	size_t entry_count;
};

static void
empty(Directory *directory)
{
	arena_free(directory->arena);
	free(directory->buckets);
	directory->arena = arena_new(ARENA_BLOCK_BYTES);
	directory->buckets = xcalloc(BUCKETS_FIRST, sizeof(Entry *));
	directory->bucket_count = BUCKETS_FIRST;
	directory->entry_count = 0;
}

Directory *
directory_new(const PlacementDirectory *place, Lsn lsn)
{
	Directory *directory = xcalloc(1, sizeof(Directory));

	ASSERT(place->target_names != NULL && place->target_count > 0);
	ASSERT(place->default_target < place->target_count);
	directory->place = place;
	directory->lsn = lsn;
	empty(directory);
	return directory;
}

void
directory_free(Directory *directory)
{
	if (directory == NULL)
		return;
	arena_free(directory->arena);
	free(directory->buckets);
	free(directory);
}

/* ---- the table ---------------------------------------------------------- */

static size_t
bucket_of(const Directory *directory, const char *key)
{
	ASSERT((directory->bucket_count & (directory->bucket_count - 1)) == 0);
	return hash_slot(hash_text(HASH_START, key), directory->bucket_count);
}

static Entry *
find_entry(const Directory *directory, const char *key)
{
	Entry *entry = directory->buckets[bucket_of(directory, key)];

	while (entry != NULL && strcmp(entry->key, key) != 0)
		entry = entry->next;
	return entry;
}

static void
link_entry(Directory *directory, Entry *entry)
{
	Entry **bucket = &directory->buckets[bucket_of(directory, entry->key)];

	entry->next = *bucket;
	*bucket = entry;
}

static void
grow(Directory *directory)
{
	Entry **old = directory->buckets;
	size_t count = directory->bucket_count;

	directory->bucket_count = 2 * count;
	directory->buckets = xcalloc(directory->bucket_count, sizeof(Entry *));
	for (size_t i = 0; i < count; i++)
	{
		Entry *next;

		for (Entry *entry = old[i]; entry != NULL; entry = next)
		{
			next = entry->next;
			link_entry(directory, entry);
		}
	}
	free(old);
}

static MUST_CHECK Rc
find_target(const Directory *directory, const char *key, const char *node,
			int *target, Error *err)
{
	const PlacementDirectory *place = directory->place;

	for (int i = 0; i < place->target_count; i++)
	{
		const char *name = place->target_names[i];

		if (name == NULL || strcmp(name, node) != 0)
			continue;
		*target = i;
		return RC_OK;
	}
	return error_set(err, ERR_CONFIG,
					 "the directory \"%s\".\"%s\" lists key \"%s\" with target "
					 "\"%s\", which is not there",
					 place->schema, place->table, key, node);
}

static MUST_CHECK Rc
refuse_other_target(const Directory *directory, const Entry *entry,
					const char *node, Error *err)
{
	const char *name = directory->place->target_names[entry->target];
	Rc rc = error_set(err, ERR_CONFIG,
					  "key \"%s\" is listed with another target, \"%s\": its "
					  "rows would have to move there",
					  entry->key, node);

	ASSERT(entry->target != TARGET_NONE);
	error_detail(err, "The rows of this key are on target \"%s\".", name);
	error_hint(err,
			   "Run \"%s\" and clone again.  To move a key, delete its rows "
			   "and its entry on the source before it is listed anew, and then "
			   "insert the rows again.",
			   OWN_COMMAND("drop"));
	return rc;
}

Rc
directory_add(Directory *directory, const char *key, const char *node,
			  Error *err)
{
	Entry *entry = find_entry(directory, key);
	int target = TARGET_NONE;
	Rc rc = find_target(directory, key, node, &target, err);

	if (rc != RC_OK)
		return rc;
	ASSERT(target >= 0 && target < directory->place->target_count);
	if (entry != NULL && entry->target != TARGET_NONE &&
		entry->target != target)
		return refuse_other_target(directory, entry, node, err);
	if (entry != NULL)
	{
		entry->target = target;
		return RC_OK;
	}
	if (directory->entry_count == DIRECTORY_KEYS_MAX)
		return error_set(err, ERR_LIMIT, "the directory has more than %d keys",
						 DIRECTORY_KEYS_MAX);
	if (directory->entry_count++ >= directory->bucket_count)
		grow(directory);
	entry = arena_calloc(directory->arena, 1, sizeof(Entry));
	entry->key = arena_strdup(directory->arena, key);
	entry->target = target;
	link_entry(directory, entry);
	return RC_OK;
}

/* ---- values ------------------------------------------------------------- */

/* Appends a UUID, such as 00112233-4455-6677-8899-aabbccddeeff. */
static void
append_uuid(Buf *buf, const Value *value)
{
	for (uint32_t i = 0; i < value->length; i++)
		buf_printf(buf, "%s%02x",
				   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				   value->bytes[i]);
}

/*
 * Appends the value of a column as the server prints it.  Returns false if the
 * row has no value there.
 */
static bool
append_column(Buf *buf, const Relation *relation, const char *column,
			  const Value *row)
{
	int i = 0;

	while (i < relation->column_count &&
		   strcmp(relation->columns[i].name, column) != 0)
		i++;
	if (i == relation->column_count)
		return false;
	switch ((ValueKind) row[i].kind)
	{
		case VALUE_INTEGER:
			value_append_integer(buf, relation->columns[i].type_oid,
								 row[i].integer);
			return true;
		case VALUE_BINARY:
			if (relation->columns[i].type_oid == TYPE_UUID)
				append_uuid(buf, &row[i]);
			else
				buf_append(buf, row[i].bytes, row[i].length);
			return true;
		case VALUE_TEXT:
			buf_append(buf, row[i].bytes, row[i].length);
			return true;
		case VALUE_MISSING:
		case VALUE_NULL:
		case VALUE_UNCHANGED:
			break;
	}
	return false;
}

/* ---- changes ------------------------------------------------------------ */

void
directory_set_oid(Directory *directory, uint32_t oid)
{
	directory->oid = oid;
}

static bool
is_directory(const Directory *directory, const Relation *relation)
{
	if (directory->oid != 0 && directory->oid == relation->oid)
		return true;
	return strcmp(directory->place->schema, relation->schema) == 0 &&
		   strcmp(directory->place->table, relation->name) == 0;
}

static bool
has_column(const Relation *relation, const char *name)
{
	for (int i = 0; i < relation->column_count; i++)
		if (strcmp(relation->columns[i].name, name) == 0)
			return true;
	return false;
}

/*
 * Fails if the table or a column was renamed: no change of it could be applied,
 * and keys that are new would go to the default.
 */
static MUST_CHECK Rc
require_names(const Directory *directory, const Relation *relation, Error *err)
{
	const PlacementDirectory *place = directory->place;
	Rc rc;

	if (strcmp(place->schema, relation->schema) == 0 &&
		strcmp(place->table, relation->name) == 0 &&
		has_column(relation, place->key) && has_column(relation, place->node))
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "the directory, table \"%s\".\"%s\" with columns \"%s\" and "
				   "\"%s\", was renamed, or a column of it",
				   place->schema, place->table, place->key, place->node);
	error_detail(err, "The table is called \"%s\".\"%s\" on the source.",
				 relation->schema, relation->name);
	error_hint(
		err,
		"Run \"%s\", give section [directory] the names that there are "
		"now, and clone again.  Names that have not been used for a change "
		"of the directory can be changed back on the source.",
		OWN_COMMAND("drop"));
	return rc;
}

/*
 * Appends the value of a column; *found is false if the row has none.  A value
 * that is cut off would be another key.
 */
static MUST_CHECK Rc
read_column(const Directory *directory, Buf *buf, const Relation *relation,
			const char *column, const Value *row, bool *found, Error *err)
{
	*found = append_column(buf, relation, column, row);
	if (!buf->overflowed)
		return RC_OK;
	return error_set(err, ERR_LIMIT,
					 "a value in column \"%s\" of the directory "
					 "\"%s\".\"%s\" is longer than %zu bytes",
					 column, directory->place->schema, directory->place->table,
					 (size_t) KEY_BYTES_MAX);
}

static MUST_CHECK Rc
remove_row(Directory *directory, const Relation *relation, const Value *row,
		   Error *err)
{
	Buf key;
	bool found;
	Rc rc;

	ASSERT(row != NULL);
	buf_init(&key, KEY_BYTES_MAX);
	buf_append_string(&key, "");
	rc = read_column(directory, &key, relation, directory->place->key, row,
					 &found, err);
	if (rc == RC_OK && found)
	{
		Entry *entry = find_entry(directory, key.data);

		if (entry != NULL)
			entry->target = TARGET_NONE;
	}
	buf_release(&key);
	return rc;
}

static MUST_CHECK Rc
add_row(Directory *directory, const Relation *relation, const Value *row,
		Error *err)
{
	const PlacementDirectory *place = directory->place;
	bool has_key;
	bool has_node = false;
	Rc rc;
	Buf key;
	Buf node;

	ASSERT(row != NULL);
	buf_init(&key, KEY_BYTES_MAX);
	buf_init(&node, KEY_BYTES_MAX);
	buf_append_string(&key, "");
	buf_append_string(&node, "");
	rc = read_column(directory, &key, relation, place->key, row, &has_key, err);
	if (rc == RC_OK)
		rc = read_column(directory, &node, relation, place->node, row,
						 &has_node, err);
	if (rc == RC_OK && has_key && has_node)
		rc = directory_add(directory, key.data, node.data, err);
	buf_release(&key);
	buf_release(&node);
	return rc;
}

/* Whether an update gives an entry another key. */
static MUST_CHECK Rc
has_other_key(const Directory *directory, const Change *change, bool *other,
			  Error *err)
{
	const char *column = directory->place->key;
	bool found;
	Rc rc;
	Buf old_key;
	Buf key;

	ASSERT(change->kind == CHANGE_UPDATE && change->old_row != NULL);
	buf_init(&old_key, KEY_BYTES_MAX);
	buf_init(&key, KEY_BYTES_MAX);
	buf_append_string(&old_key, "");
	buf_append_string(&key, "");
	rc = read_column(directory, &old_key, change->relation, column,
					 change->old_row, &found, err);
	if (rc == RC_OK)
		rc = read_column(directory, &key, change->relation, column,
						 change->new_row, &found, err);
	*other = rc == RC_OK && strcmp(old_key.data, key.data) != 0;
	buf_release(&old_key);
	buf_release(&key);
	return rc;
}

/* If the key is unchanged, directory_add() checks that its target is, too. */
static MUST_CHECK Rc
note_row(Directory *directory, const Change *change, Error *err)
{
	bool removes = change->kind == CHANGE_DELETE;
	Rc rc = RC_OK;

	ASSERT(change_has_row(change));
	if (change->kind == CHANGE_UPDATE && change->old_row != NULL)
		rc = has_other_key(directory, change, &removes, err);
	if (rc == RC_OK && removes)
		rc = remove_row(directory, change->relation, change->old_row, err);
	if (rc != RC_OK || change->kind == CHANGE_DELETE)
		return rc;
	return add_row(directory, change->relation, change->new_row, err);
}

Rc
directory_note(Directory *directory, const Change *change, Lsn end_lsn,
			   Error *err)
{
	Rc rc;

	if (end_lsn <= directory->lsn)
		return RC_OK;
	if (change->kind == CHANGE_TRUNCATE)
	{
		for (int i = 0; i < change->truncate->relation_count; i++)
			if (is_directory(directory, change->truncate->relations[i]))
				empty(directory);
		return RC_OK;
	}
	if (change->relation == NULL || !is_directory(directory, change->relation))
		return RC_OK;
	rc = require_names(directory, change->relation, err);
	if (rc != RC_OK)
		return rc;
	if (change->kind == CHANGE_REWRITE)
	{
		empty(directory);
		return RC_OK;
	}
	return note_row(directory, change, err);
}

/* ---- finding ------------------------------------------------------------ */

Rc
directory_find(const Directory *directory, const Relation *relation,
			   const char *column, const Value *row, int *target, Error *err)
{
	const Entry *entry = NULL;
	bool has_key;
	Buf key;
	Rc rc = RC_OK;

	buf_init(&key, KEY_BYTES_MAX);
	has_key = append_column(&key, relation, column, row);
	if (has_key && !key.overflowed)
		entry = find_entry(directory, key.data != NULL ? key.data : "");
	if (entry != NULL && entry->target != TARGET_NONE)
		*target = entry->target;
	else if (directory->place->default_target >= 0)
		*target = directory->place->default_target;
	else
	{
		rc = error_set(err, ERR_CONFIG,
					   "row of table \"%s\".\"%s\" has %s%s%s, which the "
					   "directory does not list",
					   relation->schema, relation->name,
					   has_key ? "key \"" : "no key", has_key ? key.data : "",
					   has_key ? "\"" : "");
		error_hint(err, "List a key before, or together with, its first row; "
						"or give a default in section [directory].");
	}
	CHECK(rc != RC_OK ||
		  (*target >= 0 && *target < directory->place->target_count));
	buf_release(&key);
	return rc;
}
