/*
 * buf.h
 *    A growable string of bytes with an upper limit.
 *
 * Nothing in the consumer grows without bound, so a buffer is told its maximum
 * when it is set up.  An append that would pass it does nothing but mark the
 * buffer as overflowed; the caller appends as it likes and asks once, at the
 * end.  data[length] is always a NUL that does not count.
 *
 * Set up with buf_init(), give back with buf_release(), which also accepts a
 * zeroed Buf.
 */
#ifndef PENSTOCK_BASE_BUF_H
#define PENSTOCK_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* For SQL texts and messages that we write ourselves. */
#define BUF_TEXT_MAX (16 * MB)

typedef struct Buf
{
	char *data;      /* NUL-terminated; owned; valid until the next append */
	size_t length;   /* bytes in use */
	size_t capacity; /* bytes allocated, the NUL included; 0: none yet */
	size_t max;      /* length never passes this */
	bool overflowed; /* something did not fit and was not appended */
} Buf;

/* An empty buffer whose length may reach `max` bytes. */
void buf_init(Buf *buf, size_t max);

/* Frees the memory; the buffer is zeroed. */
void buf_release(Buf *buf);

/* Empties it and keeps the memory. */
void buf_reset(Buf *buf);

/* Makes room; for buf_reserve(). */
char *buf_reserve_slow(Buf *buf, size_t more);

/* Room for `more` bytes after the end; NULL and overflowed if too many. */
static inline char *
buf_reserve(Buf *buf, size_t more)
{
	if (!buf->overflowed && more < buf->capacity - buf->length)
		return buf->data + buf->length;
	return buf_reserve_slow(buf, more);
}

/* Counts bytes that were written to what was reserved. */
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

/* Integers in network byte order. */
void buf_append_uint16(Buf *buf, uint16_t number);
void buf_append_uint32(Buf *buf, uint32_t number);
void buf_append_uint64(Buf *buf, uint64_t number);

/* Overwrites one, for lengths that are known when what they count is there. */
void buf_set_uint32(Buf *buf, size_t offset, uint32_t number);

/* A quoted SQL identifier, "like ""this""". */
void buf_append_identifier(Buf *buf, const char *name);

/* A quoted SQL literal, 'like ''this''', or E'…' where it has backslashes. */
void buf_append_literal(Buf *buf, const char *string);

/*
 * A word for a shell, in single quotes where it has to be; or, with a line
 * break or another control character in it, as $'a\012b'.
 */
void buf_append_shell_word(Buf *buf, const char *word);

/* A quoted element of an array in text format, "like \"this\"". */
void buf_append_element(Buf *buf, const char *text, size_t length);

#endif /* PENSTOCK_BASE_BUF_H */
