/*
 * hash_index.c
 *    Open addressing with linear probing: a number is in the first slot that
 *    was free, beginning with the slot of its hash.
 *
 * At least half of the slots are free, so searches are short.
 */
#include "base/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/xalloc.h"

#define SLOTS_FIRST 64

void
hash_index_release(HashIndex *index)
{
	free(index->slots);
	*index = (HashIndex){0};
}

void
hash_index_reset(HashIndex *index)
{
	if (index->count > 0)
		memset(index->slots, 0, index->slot_count * sizeof(index->slots[0]));
	index->count = 0;
}

/*
 * The slot is a part of the 32 bits of the hash that the index keeps, so that
 * grow() can compute it again.
 */
static void
put(HashIndex *index, HashSlot added)
{
	size_t slot = added.hash & (index->slot_count - 1);

	ASSERT(added.number != 0 && index->count < index->slot_count);
	while (index->slots[slot].number != 0)
		slot = (slot + 1) & (index->slot_count - 1);
	index->slots[slot] = added;
}

static void
grow(HashIndex *index)
{
	HashIndex larger = {.slot_count = index->slot_count > 0
										  ? index->slot_count * 2
										  : SLOTS_FIRST,
						.count = index->count};

	larger.slots = xcalloc(larger.slot_count, sizeof(larger.slots[0]));
	for (size_t i = 0; i < index->slot_count; i++)
		if (index->slots[i].number != 0)
			put(&larger, index->slots[i]);
	free(index->slots);
	*index = larger;
}

void
hash_index_add(HashIndex *index, uint64_t hash, size_t number)
{
	CHECK(number < UINT32_MAX);
	if (index->count * 2 >= index->slot_count)
		grow(index);
	put(index, (HashSlot){.hash = (uint32_t) (hash ^ (hash >> 32)),
						  .number = (uint32_t) number + 1});
	index->count++;
}
