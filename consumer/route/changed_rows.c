/*
 * changed_rows.c
 *    A set of hashes, with open addressing.
 */
#include "route/changed_rows.h"

#include "base/hash.h"

static uint64_t
add_value(uint64_t hash, const Value *value)
{
	hash = hash_number(hash, value->kind);
	if (value->kind == VALUE_INTEGER)
		return hash_number(hash, (uint64_t) value->integer);
	if (value->kind != VALUE_BINARY && value->kind != VALUE_TEXT)
		return hash;
	return hash_bytes(hash, value->bytes, value->length);
}

/* Returns the hash of a row's replica identity; never 0. */
static uint64_t
hash_row(const Relation *relation, const Value *row)
{
	uint64_t hash = hash_number(HASH_START, relation->oid);

	for (int i = 0; i < relation->column_count; i++)
		if (relation->columns[i].key)
			hash = add_value(hash, &row[i]);
	return hash != 0 ? hash : 1;
}

/* Returns the slot of a hash, or the free slot where it belongs. */
static size_t
find_slot(const ChangedRows *rows, uint64_t hash)
{
	size_t slot = hash_slot(hash, CHANGED_ROWS_SLOTS);

	ASSERT(hash != 0);
	while (rows->slots[slot] != 0 && rows->slots[slot] != hash)
		slot = (slot + 1) % CHANGED_ROWS_SLOTS;
	return slot;
}

static void
add_row(ChangedRows *rows, const Relation *relation, const Value *row)
{
	uint64_t hash = hash_row(relation, row);

	rows->slots[find_slot(rows, hash)] = hash;
}

void
changed_rows_add(ChangedRows *rows, const Change *change)
{
	ASSERT(rows->count < CHANGED_ROWS_CHANGES_MAX);
	rows->count++;
	if (change->new_row != NULL)
		add_row(rows, change->relation, change->new_row);
	if (change->old_row != NULL)
		add_row(rows, change->relation, change->old_row);
}

bool
changed_rows_has(const ChangedRows *rows, const Change *change)
{
	uint64_t hash;

	ASSERT(change->kind == CHANGE_UPDATE || change->kind == CHANGE_DELETE);
	ASSERT(change_identity_row(change) != NULL);
	hash = hash_row(change->relation, change_identity_row(change));
	return rows->slots[find_slot(rows, hash)] != 0;
}
