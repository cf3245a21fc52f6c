/*
 * touched.c
 *    A set of hashes.
 */
#include "route/touched.h"

/* FNV-1a, as http://www.isthe.com/chongo/tech/comp/fnv/ describes it. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t
add_number(uint64_t hash, uint64_t number)
{
	for (int i = 0; i < 8; i++, number >>= 8)
		hash = (hash ^ (number & 0xff)) * HASH_PRIME;
	return hash;
}

static uint64_t
add_value(uint64_t hash, const Value *value)
{
	hash = add_number(hash, value->kind);
	if (value->kind == VALUE_INTEGER)
		return add_number(hash, (uint64_t) value->integer);
	if (value->kind != VALUE_BINARY && value->kind != VALUE_TEXT)
		return hash;
	for (uint32_t i = 0; i < value->length; i++)
		hash = (hash ^ value->bytes[i]) * HASH_PRIME;
	return hash;
}

/* Never 0. */
static uint64_t
hash_row(const Relation *relation, const Value *row)
{
	uint64_t hash = add_number(HASH_START, relation->oid);

	for (int i = 0; i < relation->column_count; i++)
		if (relation->columns[i].key)
			hash = add_value(hash, &row[i]);
	return hash != 0 ? hash : 1;
}

/* The slot that has a hash, or that it would go to. */
static size_t
find_slot(const Touched *touched, uint64_t hash)
{
	size_t slot = (size_t) (hash ^ (hash >> 32)) % TOUCHED_SLOTS;

	while (touched->slots[slot] != 0 && touched->slots[slot] != hash)
		slot = (slot + 1) % TOUCHED_SLOTS;
	return slot;
}

static void
add_row(Touched *touched, const Relation *relation, const Value *row)
{
	uint64_t hash = hash_row(relation, row);

	touched->slots[find_slot(touched, hash)] = hash;
}

void
touched_add(Touched *touched, const Change *change)
{
	ASSERT(touched->count < TOUCHED_CHANGES_MAX);
	touched->count++;
	if (change->new_row != NULL)
		add_row(touched, change->relation, change->new_row);
	if (change->old_row != NULL)
		add_row(touched, change->relation, change->old_row);
}

bool
touched_has(const Touched *touched, const Change *change)
{
	uint64_t hash = hash_row(change->relation, change_identity_row(change));

	return touched->slots[find_slot(touched, hash)] != 0;
}
