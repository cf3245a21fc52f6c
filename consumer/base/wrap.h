/*
 * wrap.h
 *    Breaks a text into lines of a certain width.
 */
#ifndef PENSTOCK_BASE_WRAP_H
#define PENSTOCK_BASE_WRAP_H

#include "base/buf.h"

typedef struct Wrap
{
	const char *prefix; /* text that begins each line but the first */
	size_t column;      /* column, from 0, in which the text starts in each
						 * line */
	size_t width;       /* width of the longest line, unless one word is
						 * longer */
} Wrap;

/*
 * Appends the words of a text, which are separated by blanks, and breaks lines
 * where needed.  Appends no line break after the last word.
 */
void wrap_append(Buf *buf, const char *text, const Wrap *wrap);

#endif /* PENSTOCK_BASE_WRAP_H */
