/*
 * row_key.c
 *    Hashes and compares the values of a key.
 */
#include "sink/postgres/plan/row_key.h"

#include "base/hash.h"

/* Distributes a number over all bits: the finalizer of MurmurHash3. */
static uint64_t
spread(uint64_t number)
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
	uint64_t hash = HASH_START;

	ASSERT(table->key_count > 0);
	for (int i = 0; i < table->column_count; i++)
	{
		const Value *value = &row[table->columns[i].source_index];

		if (!table->columns[i].key)
			continue;
		if (value->kind == VALUE_INTEGER)
			hash = spread(hash ^ (uint64_t) value->integer);
		else if (value->kind == VALUE_BINARY || value->kind == VALUE_TEXT)
			hash = hash_bytes(hash, value->bytes, value->length);
	}
	return spread(hash);
}

bool
row_key_is_there(const TargetTable *table, const Value *row)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const Value *value = &row[table->columns[i].source_index];

		if (table->columns[i].key &&
			(value->kind == VALUE_MISSING || value->kind == VALUE_UNCHANGED))
			return false;
	}
	return true;
}

bool
row_key_is_unique(const TargetTable *table, const Value *row)
{
	for (int i = 0; i < table->column_count; i++)
		if (table->columns[i].key &&
			row[table->columns[i].source_index].kind == VALUE_NULL)
			return false;
	return table->key_count > 0 && row_key_is_there(table, row);
}

bool
row_key_is_same(const TargetTable *table, const Value *a, const Value *b)
{
	ASSERT(table->key_count > 0);
	for (int i = 0; i < table->column_count; i++)
	{
		int index = table->columns[i].source_index;

		if (table->columns[i].key && !value_is_same(&a[index], &b[index]))
			return false;
	}
	return true;
}
