/*
 * relations.h
 *    The tables that the source has described in this session.
 *
 * The source numbers the tables; each Relation record has its table's number.
 */
#ifndef PENSTOCK_WIRE_RELATIONS_H
#define PENSTOCK_WIRE_RELATIONS_H

#include "base/arena.h"
#include "base/error.h"
#include "model/relation.h"
#include "wire/reader.h"

/* Largest number of tables that a session can describe. */
#define RELATIONS_MAX (1024 * 1024)

/* A zeroed Relations has no tables. */
typedef struct Relations
{
	Relation **by_number; /* element n: table with number n; NULL: not
						   * described */
	size_t slots;
} Relations;

/* Releases all tables and the array. */
void relations_release(Relations *self);

/*
 * Returns the table with a number, valid until it is described again; NULL if
 * it was not described.
 */
Relation *relations_find(const Relations *self, uint64_t number);

/*
 * Reads a Relation record.  It replaces an earlier record with the same number.
 * The arena is for temporary allocations.  `keeps_record`: whether the Relation
 * keeps the record itself (Relation.record).
 */
MUST_CHECK Rc relations_decode(Relations *self, Arena *arena, Span body,
							   bool keeps_record, Error *err);

/* Sets `gone` of the tables with these numbers: see model/relation.h. */
MUST_CHECK Rc relations_note_gone(const Relations *self,
								  const uint32_t *numbers, size_t count,
								  Error *err);

#endif /* PENSTOCK_WIRE_RELATIONS_H */
