/*
 * wrap.h
 *    Text in lines of a certain width.
 */
#ifndef PENSTOCK_BASE_WRAP_H
#define PENSTOCK_BASE_WRAP_H

#include "base/buf.h"

typedef struct Wrap
{
	const char *prefix; /* of each line but the first */
	size_t column;      /* where the text starts in each line, from 0 */
	size_t width;       /* of the longest line, unless one word is longer */
} Wrap;

/*
 * Appends the words of a text, which are separated by blanks, with line breaks
 * in between where it has to be; none after the last.
 */
void wrap_append(Buf *buf, const char *text, const Wrap *wrap);

#endif /* PENSTOCK_BASE_WRAP_H */
