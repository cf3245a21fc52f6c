/*
 * text.c
 *    Quotes names, formats lists of options, and finds words in definitions.
 */
#include "ddl/diff/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

const char *
text_taken(Arena *arena, Buf *buf)
{
	const char *text = "";

	CHECK(!buf->overflowed);
	if (buf->length > 0)
		text = arena_dup(arena, buf->data, buf->length + 1);
	buf_release(buf);
	return text;
}

const char *
text_quoted(Arena *arena, const char *name)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	buf_append_identifier(&buf, name);
	return text_taken(arena, &buf);
}

const char *
text_qualified(Arena *arena, const char *schema, const char *name)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	buf_append_identifier(&buf, schema);
	buf_append_char(&buf, '.');
	buf_append_identifier(&buf, name);
	return text_taken(arena, &buf);
}

const char *
text_literal(Arena *arena, const char *text)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	buf_append_literal(&buf, text);
	return text_taken(arena, &buf);
}

/* ---- Options ---- */

/* Returns the length of an option's name. */
static int
name_length(const char *option)
{
	return (int) strcspn(option, "=");
}

static bool
same_name(const char *a, const char *b)
{
	int length = name_length(a);

	return length == name_length(b) && strncmp(a, b, (size_t) length) == 0;
}

/* Returns the option with the same name in the list, or NULL. */
static const char *
find_option(const StringList *list, const char *option)
{
	for (int i = 0; i < list->count; i++)
		if (same_name(list->strings[i], option))
			return list->strings[i];
	return NULL;
}

static void
append_name(Arena *arena, Buf *buf, const char *option)
{
	if (buf->length > 0)
		buf_append_string(buf, ", ");
	buf_append_identifier(
		buf, arena_printf(arena, "%.*s", name_length(option), option));
}

static void
append_option(Arena *arena, Buf *buf, const char *option)
{
	const char *value = strchr(option, '=');

	append_name(arena, buf, option);
	if (value == NULL)
		return;
	buf_append_char(buf, '=');
	buf_append_literal(buf, value + 1);
}

const char *
text_options_set(Arena *arena, const StringList *of, const StringList *not_in)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	for (int i = 0; i < of->count; i++)
	{
		const char *other = find_option(not_in, of->strings[i]);

		if (other == NULL || strcmp(other, of->strings[i]) != 0)
			append_option(arena, &buf, of->strings[i]);
	}
	return text_taken(arena, &buf);
}

const char *
text_options_gone(Arena *arena, const StringList *of, const StringList *not_in)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	for (int i = 0; i < of->count; i++)
		if (find_option(not_in, of->strings[i]) == NULL)
			append_name(arena, &buf, of->strings[i]);
	return text_taken(arena, &buf);
}

const char *
text_sequence_bounds(Arena *arena, const SequenceDefinition *sequence)
{
	return arena_printf(arena,
						"MINVALUE %" PRId64 " MAXVALUE %" PRId64
						" START WITH %" PRId64 " CACHE %" PRId64 " %s",
						sequence->minimum, sequence->maximum, sequence->start,
						sequence->cache,
						sequence->cycle ? "CYCLE" : "NO CYCLE");
}

const char *
text_sequence_options(Arena *arena, const SequenceDefinition *sequence)
{
	return arena_printf(arena, "INCREMENT BY %" PRId64 " %s",
						sequence->increment,
						text_sequence_bounds(arena, sequence));
}

/* ---- Words ---- */

/* Returns a pointer after the quoted text that begins here. */
static const char *
skip_quoted(const char *text)
{
	char quote = *text++;

	for (; *text != '\0'; text++)
	{
		if (*text != quote)
			continue;
		if (text[1] != quote)
			return text + 1;
		text++;
	}
	return text;
}

static bool
in_word(char c)
{
	return isalnum((unsigned char) c) || c == '_' || (unsigned char) c >= 0x80;
}

const char *
text_find_word(const char *definition, const char *word)
{
	size_t length = strlen(word);
	int depth = 0;

	for (const char *at = definition; *at != '\0';)
	{
		if (*at == '\'' || *at == '"')
		{
			at = skip_quoted(at);
			continue;
		}
		if (depth == 0 && (at == definition || !in_word(at[-1])) &&
			strncmp(at, word, length) == 0 && !in_word(at[length]))
			return at;
		depth += (*at == '(') - (*at == ')');
		at++;
	}
	return NULL;
}
