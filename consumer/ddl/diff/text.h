/*
 * text.h
 *    Parts of statements, allocated in an arena.
 */
#ifndef PENSTOCK_DDL_DIFF_TEXT_H
#define PENSTOCK_DDL_DIFF_TEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/definition.h"

/*
 * Maximal length of a statement.  A definition has at most 64 MB, whether it
 * comes in the stream (wire/schema.h) or as JSON (ddl/json.h).  Quotes can
 * double it, and what a statement adds to the texts of a definition is shorter
 * than they are.
 */
#define TEXT_BYTES_MAX (256 * MB)

/* Returns "name". */
const char *text_quoted(Arena *arena, const char *name);

/* Returns "schema"."name". */
const char *text_qualified(Arena *arena, const char *schema, const char *name);

/* Returns 'text'. */
const char *text_literal(Arena *arena, const char *text);

/*
 * Returns the contents of a buffer, copied to the arena; releases the buffer,
 * which must not have overflowed.
 */
const char *text_taken(Arena *arena, Buf *buf);

/*
 * For lists of options (name=value): text_options_set() returns "name"='value',
 * … of options in `of` that `not_in` does not have with the same value;
 * text_options_gone() returns the names of options that only `of` has.  Empty:
 * there are none.
 */
const char *text_options_set(Arena *arena, const StringList *of,
							 const StringList *not_in);
const char *text_options_gone(Arena *arena, const StringList *of,
							  const StringList *not_in);

/* Return MINVALUE … CACHE … CYCLE, without and with INCREMENT BY. */
const char *text_sequence_bounds(Arena *arena,
								 const SequenceDefinition *sequence);
const char *text_sequence_options(Arena *arena,
								  const SequenceDefinition *sequence);

/*
 * Returns a pointer to a word in a definition outside of parentheses and
 * quotes, or NULL.
 */
const char *text_find_word(const char *definition, const char *word);

#endif /* PENSTOCK_DDL_DIFF_TEXT_H */
