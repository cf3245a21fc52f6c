/*
 * text.h
 *    Parts of statements, in an arena.
 */
#ifndef PENSTOCK_DDL_DIFF_TEXT_H
#define PENSTOCK_DDL_DIFF_TEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/definition.h"

/* "name" */
const char *text_quoted(Arena *arena, const char *name);

/* "schema"."name" */
const char *text_qualified(Arena *arena, const char *schema, const char *name);

/* 'text' */
const char *text_literal(Arena *arena, const char *text);

/* The contents, which go to the arena; the buffer is released. */
const char *text_taken(Arena *arena, Buf *buf);

/*
 * Of options that are name=value each: "name"='value', …, those that are in the
 * one list and not, or not so, in the other; and the names of those that are in
 * the one list and not in the other.  Empty: there are none.
 */
const char *text_options_set(Arena *arena, const StringList *of,
							 const StringList *not_in);
const char *text_options_gone(Arena *arena, const StringList *of,
							  const StringList *not_in);

/* MINVALUE … CACHE … CYCLE, and the same after INCREMENT BY. */
const char *text_sequence_bounds(Arena *arena,
								 const SequenceDefinition *sequence);
const char *text_sequence_options(Arena *arena,
								  const SequenceDefinition *sequence);

/*
 * Where a word stands in a definition outside of parentheses and quotes; NULL:
 * nowhere.
 */
const char *text_find_word(const char *definition, const char *word);

#endif /* PENSTOCK_DDL_DIFF_TEXT_H */
