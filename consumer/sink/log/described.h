/*
 * described.h
 *    Which tables were described in a segment or a file, and how.
 *
 * A reader of a log has to know a table before it reads a change of it, and
 * knows no more than what was written before in the same segment.
 */
#ifndef PENSTOCK_SINK_LOG_DESCRIBED_H
#define PENSTOCK_SINK_LOG_DESCRIBED_H

#include <stdbool.h>
#include <stddef.h>

#include "model/change.h"
#include "model/relation.h"

/* A zeroed Described has no tables. */
typedef struct Described
{
	Relation **by_number; /* holds references; NULL: not described */
	size_t slots;
} Described;

/* Whether the last description of the table says the same as the Relation. */
bool described_has(const Described *self, const Relation *relation);

/* Whether the table was described in another way. */
bool described_differs(const Described *self, const Relation *relation);

/*
 * Returns the Relations, *count of them, that have to be described before a
 * change.
 */
Relation *const *described_needs(const Change *change, int *count);

/* Records that a Relation was written. */
void described_add(Described *self, Relation *relation);

/* Forgets all tables and frees the memory. */
void described_release(Described *self);

#endif /* PENSTOCK_SINK_LOG_DESCRIBED_H */
