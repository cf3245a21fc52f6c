/*
 * hash_index.h
 *    Numbers, found by a hash: an index of things that the caller has in an
 *    array of its own.
 *
 * The index does not know the things.  It hands out the numbers that were added
 * with a hash, and the caller looks whether one is what it searches for:
 *
 *     HashSearch search = hash_search_begin(&index, hash);
 *
 *     while (hash_search_next(&search, &number))
 *         if (is_same(things[number], wanted))
 *             return number;
 *     hash_index_add(&index, hash, count);
 *
 * It keeps 32 bits of a hash, so a number that was added with another hash may
 * come, too, though seldom.  Numbers are never taken out one by one.
 */
#ifndef PENSTOCK_BASE_HASH_INDEX_H
#define PENSTOCK_BASE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

typedef struct HashSlot
{
	uint32_t hash;   /* 32 bits of it */
	uint32_t number; /* plus one; 0: the slot is free */
} HashSlot;

/* A zeroed one is empty. */
typedef struct HashIndex
{
	HashSlot *slots;
	size_t slot_count; /* a power of two, at least twice `count`; or 0 */
	size_t count;
} HashIndex;

typedef struct HashSearch
{
	const HashIndex *index;
	size_t slot; /* that is looked at next */
	uint32_t hash;
} HashSearch;

/* Gives its memory back.  Accepts a zeroed one. */
void hash_index_release(HashIndex *index);

/* Empties it, and keeps its memory. */
void hash_index_reset(HashIndex *index);

/* Adds a number, which is less than UINT32_MAX. */
void hash_index_add(HashIndex *index, uint64_t hash, size_t number);

/* Begins a search, which ends when something is added. */
static inline HashSearch
hash_search_begin(const HashIndex *index, uint64_t hash)
{
	return (HashSearch){.index = index,
						.slot = hash_slot(hash, index->slot_count),
						.hash = (uint32_t) (hash ^ (hash >> 32))};
}

/* The next number that was added with this hash; false if there is none left.
 */
static inline bool
hash_search_next(HashSearch *search, size_t *number)
{
	const HashIndex *index = search->index;

	while (index->slot_count > 0 && index->slots[search->slot].number != 0)
	{
		const HashSlot *slot = &index->slots[search->slot];

		search->slot = (search->slot + 1) & (index->slot_count - 1);
		if (slot->hash != search->hash)
			continue;
		*number = slot->number - 1;
		return true;
	}
	return false;
}

#endif /* PENSTOCK_BASE_HASH_INDEX_H */
