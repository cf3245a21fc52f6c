/*
 * relations.h
 *    The tables that the source has described in this session, by the numbers
 *    that it gave them.
 */
#ifndef PENSTOCK_WIRE_RELATIONS_H
#define PENSTOCK_WIRE_RELATIONS_H

#include "base/arena.h"
#include "base/error.h"
#include "model/relation.h"
#include "wire/reader.h"

/* Tables that one session can describe. */
#define RELATIONS_MAX (1024 * 1024)

/* All zero: none. */
typedef struct Relations
{
	Relation **by_number; /* NULL: not described */
	size_t slots;
} Relations;

/* Gives all of them back. */
void relations_release(Relations *self);

/* The table of a number, for as long as it is not described anew; NULL: it was
 * not. */
Relation *relations_find(const Relations *self, uint64_t number);

/* Reads a Relation record, which takes the place of an earlier one of its
 * number.  The arena is for what is needed meanwhile. */
MUST_CHECK Rc relations_decode(Relations *self, Arena *arena, Span body,
							   Error *err);

/* Notes of the tables with these numbers that they are gone. */
MUST_CHECK Rc relations_note_gone(const Relations *self,
								  const uint32_t *numbers, size_t count,
								  Error *err);

#endif /* PENSTOCK_WIRE_RELATIONS_H */
