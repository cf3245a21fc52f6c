/*
 * hash_index.h
 *    A hash table of numbers: an index into an array of the caller.
 *
 * The index does not see the elements of the array.  The caller adds the number
 * of an element with the hash of its key.  A search returns the numbers that
 * were added with a hash, and the caller compares the elements themselves:
 *
 *     HashSearch search = hash_search_begin(&index, hash);
 *
 *     while (hash_search_next(&search, &number))
 *         if (is_same(things[number], wanted))
 *             return number;
 *     hash_index_add(&index, hash, count);
 *
 * The index keeps 32 bits of each hash, so a search seldom returns a number
 * that was added with another hash.  A single number cannot be removed.
 */
#ifndef PENSTOCK_BASE_HASH_INDEX_H
#define PENSTOCK_BASE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

typedef struct HashSlot
{
	uint32_t hash;   /* 32 bits of the hash */
	uint32_t number; /* the number plus one; 0: the slot is free */
} HashSlot;

/* A zeroed HashIndex is empty. */
typedef struct HashIndex
{
	HashSlot *slots;
	size_t slot_count; /* a power of two, at least twice `count`; or 0 */
	size_t count;
} HashIndex;

typedef struct HashSearch
{
	const HashIndex *index;
	size_t slot; /* slot that is compared next */
	uint32_t hash;
} HashSearch;

/* Frees the index's memory.  Accepts a zeroed HashIndex. */
void hash_index_release(HashIndex *index);

/* Empties the index; keeps its memory for the next numbers. */
void hash_index_reset(HashIndex *index);

/* Adds a number with its hash.  The number must be less than UINT32_MAX. */
void hash_index_add(HashIndex *index, uint64_t hash, size_t number);

/* Begins a search for a hash.  The search is invalid after hash_index_add(). */
static inline HashSearch
hash_search_begin(const HashIndex *index, uint64_t hash)
{
	return (HashSearch){.index = index,
						.slot = hash_slot(hash, index->slot_count),
						.hash = (uint32_t) (hash ^ (hash >> 32))};
}

/*
 * Returns in *number the next number that was added with the hash; false if
 * there is none left.
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
