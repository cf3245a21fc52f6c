/*
 * dependencies.c
 *    Remembers the last transaction that changed each key, by the key's hash.
 */
#include "sink/postgres/plan/dependencies.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sink/postgres/plan/row_key.h"

/*
 * Number of hashes of keys; a power of two.  It is much larger than the number
 * of keys in the few transactions that are in progress at the same time, unless
 * they are large.
 */
#define KEY_SLOTS (1 << 16)

struct Dependencies
{
	uint32_t last[KEY_SLOTS]; /* index plus one of a transaction; 0: none */
	uint32_t barrier;         /* index plus one of the last transaction for
							   * which all later ones wait */
	uint32_t *found;
	size_t found_capacity;
	const Relation *relation; /* relation that was looked up last … */
	const TargetTable *table; /* … and its table */
};

Dependencies *
dependencies_new(void)
{
	return xcalloc(1, sizeof(Dependencies));
}

void
dependencies_free(Dependencies *dependencies)
{
	if (dependencies == NULL)
		return;
	free(dependencies->found);
	free(dependencies);
}

/*
 * Records that transaction `number` changes a row; returns the transaction that
 * changed it before.
 */
static uint32_t
touch(Dependencies *self, const TargetTable *table, const Value *row,
	  uint32_t number)
{
	uint64_t hash = row_key_hash(table, row) ^ table->top_hash;
	uint32_t *last = &self->last[hash & (KEY_SLOTS - 1)];
	uint32_t before = *last != number ? *last : 0;

	ASSERT(number > 0 && row_key_is_there(table, row));
	*last = number;
	return before;
}

static uint32_t
later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * Returns the transaction for which a change must wait; sets *barrier if the
 * change waits for all transactions before it, and all after it wait for the
 * change.
 */
static uint32_t
add_change(Dependencies *self, const TargetTable *table, const Change *change,
		   uint32_t number, bool *barrier)
{
	const Value *old_row = change->old_row;
	const Value *new_row = change->new_row;
	uint32_t before = 0;

	if (table->key_count == 0 && change->kind == CHANGE_INSERT &&
		table->has_independent_rows)
		return 0;
	if (!table->has_independent_rows || table->key_count == 0 ||
		table->policy != CONFLICT_STOP ||
		(old_row != NULL && !row_key_is_there(table, old_row)) ||
		(new_row != NULL && !row_key_is_there(table, new_row)))
	{
		*barrier = true;
		return 0;
	}
	if (old_row != NULL)
		before = touch(self, table, old_row, number);
	if (new_row != NULL)
		before = later(before, touch(self, table, new_row, number));
	return before;
}

static uint32_t
add_txn(Dependencies *self, const Batch *batch, size_t index,
		TableLookup lookup, void *lookup_context)
{
	uint32_t number = (uint32_t) index + 1;
	uint32_t before = self->barrier;
	bool barrier = false;

	ASSERT(index < batch->txn_count);
	for (size_t i = batch->txns[index].change_first;
		 i < batch_txn_end(batch, index) && !barrier; i++)
	{
		const Change *change = batch->changes[i];

		if (change->relation == NULL)
		{
			barrier = true; /* a TRUNCATE */
			continue;
		}
		if (change->relation != self->relation)
		{
			self->relation = change->relation;
			self->table = lookup(lookup_context, change->relation);
		}
		before = later(before,
					   add_change(self, self->table, change, number, &barrier));
	}
	/* A transaction that waits for itself or a later one waits for ever. */
	CHECK(before < number);
	if (!barrier)
		return before;
	self->barrier = number;
	return number - 1;
}

static void
begin(Dependencies *self, size_t txn_count)
{
	memset(self->last, 0, sizeof(self->last));
	self->barrier = 0;
	self->relation = NULL;
	if (txn_count <= self->found_capacity)
		return;
	self->found_capacity = txn_count;
	self->found = xrealloc_array(self->found, txn_count,
								 sizeof(self->found[0]));
}

const uint32_t *
dependencies_find(Dependencies *dependencies, const Batch *batch,
				  TableLookup lookup, void *lookup_context, size_t window)
{
	Dependencies *self = dependencies;

	ASSERT(window > 0);
	begin(self, batch->txn_count);
	for (size_t t = 0; t < batch->txn_count; t++)
	{
		uint32_t before = add_txn(self, batch, t, lookup, lookup_context);

		/* `before` is an index plus one. */
		self->found[t] = before + window > t + 1 ? before : 0;
		ASSERT(self->found[t] <= t);
	}
	return self->found;
}
