/*
 * hash.h
 *    FNV-1a, a hash of bytes: http://www.isthe.com/chongo/tech/comp/fnv/.
 *
 * A hash starts as HASH_START; hash_bytes(), hash_text() and hash_number() add
 * bytes, texts and numbers to it in turn.  FNV-1a spreads its upper bits better
 * than its lower ones, so a hash table takes its slot from hash_slot(), which
 * mixes both.
 */
#ifndef PENSTOCK_BASE_HASH_H
#define PENSTOCK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static inline uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * HASH_PRIME;
	return hash;
}

/* Adds the bytes of a text, without its NUL. */
static inline uint64_t
hash_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t) *text) * HASH_PRIME;
	return hash;
}

/* Adds the eight bytes of a number, the lowest one first. */
static inline uint64_t
hash_number(uint64_t hash, uint64_t number)
{
	for (int i = 0; i < 8; i++, number >>= 8)
		hash = (hash ^ (number & 0xff)) * HASH_PRIME;
	return hash;
}

/*
 * Returns the slot of a hash in a table of `slot_count` slots, a power of two.
 */
static inline size_t
hash_slot(uint64_t hash, size_t slot_count)
{
	return (size_t) (hash ^ (hash >> 32)) & (slot_count - 1);
}

#endif /* PENSTOCK_BASE_HASH_H */
