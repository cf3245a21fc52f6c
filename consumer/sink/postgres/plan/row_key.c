/*
 * row_key.c
 *    Hashing and comparing the values that identify a row.
 */
#include "sink/postgres/plan/row_key.h"

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

/* Spreads the bits of a number: the finalizer of MurmurHash3. */
static uint64_t
hash_number(uint64_t number)
{
	number ^= number >> 33;
	number *= UINT64_C(0xff51afd7ed558ccd);
	number ^= number >> 33;
	number *= UINT64_C(0xc4ceb9fe1a85ec53);
	return number ^ (number >> 33);
}

uint64_t
row_key_hash(const TargetTable *table, const Value *row)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (int i = 0; i < table->column_count; i++)
	{
		const Value *value = &row[table->columns[i].source_index];

		if (!table->columns[i].key)
			continue;
		if (value->kind == VALUE_INTEGER)
			hash = hash_number(hash ^ (uint64_t) value->integer);
		else if (value->kind == VALUE_BINARY || value->kind == VALUE_TEXT)
			hash = hash_bytes(hash, value->bytes, value->length);
	}
	return hash_number(hash);
}

bool
row_key_is_same(const TargetTable *table, const Value *a, const Value *b)
{
	for (int i = 0; i < table->column_count; i++)
	{
		int index = table->columns[i].source_index;

		if (table->columns[i].key && !value_is_same(&a[index], &b[index]))
			return false;
	}
	return true;
}
