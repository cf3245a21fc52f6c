/*
 * described.c
 *    An array of Relations, by the number that the session gives them.
 */
#include "sink/log/described.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define SLOTS_FIRST 64

bool
described_has(const Described *self, const Relation *relation)
{
	const Relation *last;

	if (relation->number >= self->slots)
		return false;
	last = self->by_number[relation->number];
	return last == relation ||
		   (last != NULL && last->record_bytes == relation->record_bytes &&
			memcmp(last->record, relation->record, last->record_bytes) == 0);
}

bool
described_differs(const Described *self, const Relation *relation)
{
	return relation->number < self->slots &&
		   self->by_number[relation->number] != NULL &&
		   !described_has(self, relation);
}

Relation *const *
described_needs(const Change *change, int *count)
{
	if (change->kind == CHANGE_TRUNCATE)
	{
		*count = change->truncate->relation_count;
		return change->truncate->relations;
	}
	*count = change->relation != NULL ? 1 : 0;
	return &change->relation;
}

void
described_add(Described *self, Relation *relation)
{
	size_t number = relation->number;

	if (number >= self->slots)
	{
		size_t slots = self->slots > 0 ? self->slots : SLOTS_FIRST;

		while (slots <= number)
			slots *= 2;
		self->by_number = xrealloc_array(self->by_number, slots,
										 sizeof(self->by_number[0]));
		memset(self->by_number + self->slots, 0,
			   (slots - self->slots) * sizeof(self->by_number[0]));
		self->slots = slots;
	}
	relation_ref(relation);
	relation_unref(self->by_number[number]);
	self->by_number[number] = relation;
}

void
described_release(Described *self)
{
	for (size_t i = 0; i < self->slots; i++)
		relation_unref(self->by_number[i]);
	free(self->by_number);
	*self = (Described){0};
}
