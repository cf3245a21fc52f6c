/*
 * buf.c
 *    Growable bytes.  The capacity is doubled, up to the buffer's maximum.
 */
#include "base/buf.h"

#include <ctype.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define BUF_CAPACITY_FIRST 256

void
buf_init(Buf *buf, size_t max)
{
	ASSERT(max < SIZE_MAX / 4);
	*buf = (Buf){.max = max};
}

void
buf_release(Buf *buf)
{
	free(buf->data);
	*buf = (Buf){0};
}

void
buf_reset(Buf *buf)
{
	buf->length = 0;
	buf->overflowed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

char *
buf_reserve_slow(Buf *buf, size_t more)
{
	if (buf->overflowed || more > buf->max - buf->length)
	{
		buf->overflowed = true;
		return NULL;
	}
	if (buf->length + more + 1 > buf->capacity)
	{
		size_t capacity = buf->capacity ? buf->capacity : BUF_CAPACITY_FIRST;

		while (capacity < buf->length + more + 1)
			capacity *= 2;
		if (capacity > buf->max + 1)
			capacity = buf->max + 1;
		buf->data = xrealloc_array(buf->data, capacity, 1);
		buf->capacity = capacity;
	}
	return buf->data + buf->length;
}

void
buf_append(Buf *buf, const void *data, size_t length)
{
	char *end = buf_reserve(buf, length);

	if (end == NULL)
		return;
	if (length > 0)
		memcpy(end, data, length);
	buf_advance(buf, length);
}

void
buf_append_char(Buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void
buf_append_string(Buf *buf, const char *string)
{
	buf_append(buf, string, strlen(string));
}

void
buf_printf(Buf *buf, const char *format, ...)
{
	va_list args;
	int length;
	char *end;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(length >= 0);
	end = buf_reserve(buf, (size_t) length);
	if (end == NULL)
		return;
	va_start(args, format);
	vsnprintf(end, (size_t) length + 1, format, args);
	va_end(args);
	buf->length += (size_t) length;
}

void
buf_append_uint16(Buf *buf, uint16_t number)
{
	unsigned char bytes[2] = {(unsigned char) (number >> 8),
							  (unsigned char) number};

	buf_append(buf, bytes, sizeof(bytes));
}

void
buf_append_uint32(Buf *buf, uint32_t number)
{
	number = htobe32(number);
	buf_append(buf, &number, sizeof(number));
}

void
buf_set_uint32(Buf *buf, size_t offset, uint32_t number)
{
	ASSERT(offset + sizeof(number) <= buf->length);
	number = htobe32(number);
	memcpy(buf->data + offset, &number, sizeof(number));
}

void
buf_append_uint64(Buf *buf, uint64_t number)
{
	number = htobe64(number);
	buf_append(buf, &number, sizeof(number));
}

static void
append_doubling(Buf *buf, const char *string, char quote, bool backslashes)
{
	for (const char *c = string; *c != '\0'; c++)
	{
		if (*c == quote || (backslashes && *c == '\\'))
			buf_append_char(buf, *c);
		buf_append_char(buf, *c);
	}
}

void
buf_append_identifier(Buf *buf, const char *name)
{
	buf_append_char(buf, '"');
	append_doubling(buf, name, '"', false);
	buf_append_char(buf, '"');
}

void
buf_append_literal(Buf *buf, const char *string)
{
	bool backslashes = strchr(string, '\\') != NULL;

	if (backslashes)
		buf_append_string(buf, " E");
	buf_append_char(buf, '\'');
	append_doubling(buf, string, '\'', backslashes);
	buf_append_char(buf, '\'');
}

/*
 * Appends a word as $'…', which bash, ksh and zsh understand, but not every sh.
 * A line break is written as \012, because where the word is printed a real
 * line break would be lost.
 */
static void
append_escaped_word(Buf *buf, const char *word)
{
	buf_append_string(buf, "$'");
	for (; *word != '\0'; word++)
	{
		if (iscntrl((unsigned char) *word))
			buf_printf(buf, "\\%03o", (unsigned char) *word);
		else
		{
			buf_append_string(buf, strchr("'\\", *word) ? "\\" : "");
			buf_append_char(buf, *word);
		}
	}
	buf_append_char(buf, '\'');
}

static bool
has_control(const char *word)
{
	while (*word != '\0' && !iscntrl((unsigned char) *word))
		word++;
	return *word != '\0';
}

void
buf_append_shell_word(Buf *buf, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
								"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
								"_-+.,:/@%=";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
	{
		buf_append_string(buf, word);
		return;
	}
	if (has_control(word))
	{
		append_escaped_word(buf, word);
		return;
	}
	buf_append_char(buf, '\'');
	for (; *word != '\0'; word++)
	{
		if (*word == '\'')
			buf_append_string(buf, "'\\'");
		buf_append_char(buf, *word);
	}
	buf_append_char(buf, '\'');
}

void
buf_append_element(Buf *buf, const char *text, size_t length)
{
	size_t plain = 0; /* where the bytes begin that are still to be copied */

	buf_append_char(buf, '"');
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] != '"' && text[i] != '\\')
			continue;
		buf_append(buf, text + plain, i - plain);
		buf_append_char(buf, '\\');
		plain = i;
	}
	buf_append(buf, text + plain, length - plain);
	buf_append_char(buf, '"');
}
