/*
 * buf.h
 *    A growable string of bytes with an upper limit.
 *
 * Nothing in the consumer grows without a limit, so buf_init() sets the maximal
 * length of a buffer.  An append that would exceed it appends nothing and sets
 * `overflowed`.  The caller need not check each append: it looks at
 * `overflowed` once, at the end.  data[length] is always a NUL, which `length`
 * does not count.
 *
 * A buffer begins with buf_init() and ends with buf_release(), which also
 * accepts a zeroed Buf.
 */
#ifndef PENSTOCK_BASE_BUF_H
#define PENSTOCK_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Maximal length of the buffers for SQL texts and messages that we compose. */
#define BUF_TEXT_MAX (16 * MB)

typedef struct Buf
{
	char *data;      /* bytes with a NUL after them; owned; valid until the next
					  * append */
	size_t length;   /* bytes in use, without the NUL */
	size_t capacity; /* bytes allocated, with the NUL; 0: none yet */
	size_t max;      /* maximal length */
	bool overflowed; /* an append was left out because it would have exceeded
					  * `max` */
} Buf;

/* Initialises an empty buffer whose length may reach `max` bytes. */
void buf_init(Buf *buf, size_t max);

/* Frees the buffer's memory and zeroes the Buf. */
void buf_release(Buf *buf);

/* Empties the buffer; keeps its memory for the next appends. */
void buf_reset(Buf *buf);

/* Does the work of buf_reserve() where memory may have to be allocated. */
char *buf_reserve_slow(Buf *buf, size_t more);

/*
 * Returns room for `more` bytes after the end, to be written and then counted
 * with buf_advance().  If `max` would be exceeded, returns NULL and sets
 * `overflowed`.
 */
static inline char *
buf_reserve(Buf *buf, size_t more)
{
	if (!buf->overflowed && more < buf->capacity - buf->length)
		return buf->data + buf->length;
	return buf_reserve_slow(buf, more);
}

/*
 * Adds to the length `length` bytes that the caller has written into the room
 * which buf_reserve() returned.
 */
static inline void
buf_advance(Buf *buf, size_t length)
{
	ASSERT(length < buf->capacity - buf->length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void buf_append(Buf *buf, const void *data, size_t length);
void buf_append_char(Buf *buf, char c);
void buf_append_string(Buf *buf, const char *string);
void buf_printf(Buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Append an integer in network byte order. */
void buf_append_uint16(Buf *buf, uint16_t number);
void buf_append_uint32(Buf *buf, uint32_t number);
void buf_append_uint64(Buf *buf, uint64_t number);

/*
 * Overwrites an integer that was appended before: for a length field, which has
 * to be appended before the length is known.
 */
void buf_set_uint32(Buf *buf, size_t offset, uint32_t number);

/* Appends a quoted SQL identifier, "like ""this""". */
void buf_append_identifier(Buf *buf, const char *name);

/*
 * Appends a quoted SQL literal, 'like ''this''', or E'…' if it has backslashes.
 */
void buf_append_literal(Buf *buf, const char *string);

/*
 * Appends a word for a shell, in single quotes if it needs quotes.  A word with
 * a line break or another control character is written as $'a\012b'.
 */
void buf_append_shell_word(Buf *buf, const char *word);

/* Appends a quoted element of an array in text format, "like \"this\"". */
void buf_append_element(Buf *buf, const char *text, size_t length);

#endif /* PENSTOCK_BASE_BUF_H */
