/*
 * script.c
 *    Splits a script into entries and statements, and blanks a line of a file.
 */
#include "copy/schema/script.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const char header_start[] = "-- TOC entry ";


/* ---- Entries ---- */

/* Returns a pointer to after the closing quote, or to the end of the text. */
static const char *
skip_quoted(const char *c, bool escapes)
{
	char quote = *c++;

	ASSERT(quote == '\'' || quote == '"');
	for (; *c != '\0'; c++)
	{
		bool escaped = escapes && *c == '\\' && c[1] != '\0';

		if (escaped || (*c == quote && c[1] == quote))
			c++;
		else if (*c == quote)
			return c + 1;
	}
	return c;
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' || (c & 0x80);
}

/* Returns a pointer to after $tag$ … $tag$, or to after a single $. */
static const char *
skip_dollar_quoted(const char *c)
{
	const char *tag_end = c + 1;
	size_t length;

	ASSERT(*c == '$');
	if (isdigit((unsigned char) *tag_end))
		return c + 1;
	while (is_word_char(*tag_end) && *tag_end != '$')
		tag_end++;
	if (*tag_end != '$')
		return c + 1;
	length = (size_t) (tag_end + 1 - c);
	for (const char *end = tag_end + 1; *end != '\0'; end++)
		if (strncmp(end, c, length) == 0)
			return end + length;
	return tag_end + strlen(tag_end);
}

static const char *
skip_line(const char *c)
{
	const char *end = strchr(c, '\n');

	return end != NULL ? end + 1 : c + strlen(c);
}

/* Returns a pointer to after a word, or after a literal E'…', which begins like
 * a word. */
static const char *
skip_word(const char *c)
{
	if ((*c == 'E' || *c == 'e') && c[1] == '\'')
		return skip_quoted(c + 1, true);
	while (is_word_char(*c))
		c++;
	return c;
}

/* Returns a pointer to after a literal, identifier, comment, or any other
 * single character. */
static const char *
skip_token(const char *c)
{
	if (*c == '\'' || *c == '"')
		return skip_quoted(c, false);
	if (*c == '$')
		return skip_dollar_quoted(c);
	if (*c == '-' && c[1] == '-')
		return skip_line(c);
	if (is_word_char(*c))
		return skip_word(c);
	return c + 1;
}

/* Returns a pointer to after the semicolon of the statement. */
static const char *
skip_statement(const char *c)
{
	while (*c != '\0' && *c != ';')
		c = skip_token(c);
	return *c == ';' ? c + 1 : c;
}

/* Whether a line is the comment before an entry; sets the entry's OIDs. */
static bool
parse_header(const char *line, ScriptEntry *entry)
{
	unsigned number;

	*entry = (ScriptEntry){.tablespace = "", .first = "", .rest = ""};
	return strncmp(line, header_start, sizeof(header_start) - 1) == 0 &&
		   sscanf(line + sizeof(header_start) - 1,
				  "%u (class %" SCNu32 " OID "
				  "%" SCNu32 ")",
				  &number, &entry->class_oid, &entry->oid) == 3;
}

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void
add_statement(ScriptEntry *entry, const char *statement, Arena *arena)
{
	ASSERT(entry->first[0] != '\0' || entry->rest[0] == '\0');
	if (entry->first[0] == '\0')
		entry->first = statement;
	else
		entry->rest = arena_printf(arena, "%s%s\n", entry->rest, statement);
}

static int
count_headers(const char *text)
{
	int count = 0;

	for (const char *c = text; (c = strstr(c, header_start)) != NULL; c++)
		count++;
	return count;
}

/*
 * pg_restore writes SET default_tablespace before the comment of the first
 * entry that it is for.  It also holds for the entries after that one, until
 * the next SET.
 */
void
script_parse(Script *script, const char *text, Arena *arena)
{
	const char *tablespace = "";
	const char *c = text;

	*script = (Script){
		.entries = arena_calloc(arena, (size_t) count_headers(text) + 1,
								sizeof(ScriptEntry)),
	};
	while (*c != '\0')
	{
		ScriptEntry *next = &script->entries[script->count];

		if (isspace((unsigned char) *c))
			c++;
		else if (*c == '\\' || starts_with(c, "--"))
		{
			if (parse_header(c, next))
			{
				next->tablespace = tablespace;
				script->count++;
			}
			c = skip_line(c);
		}
		else
		{
			const char *end = skip_statement(c);
			char *statement = arena_dup(arena, c, (size_t) (end - c) + 1);

			statement[end - c] = '\0';
			if (starts_with(statement, "SET default_tablespace "))
				tablespace = statement;
			else if (script->count > 0 && !starts_with(statement, "SET "))
				add_statement(next - 1, statement, arena);
			c = end;
		}
	}
}

Rc
script_read(Script *script, const char *file, Arena *arena, Error *err)
{
	FILE *stream = fopen(file, "re");
	char chunk[8192];
	size_t length;
	Buf text;
	Rc rc = RC_OK;

	if (stream == NULL)
		return error_set(err, ERR_IO, "could not open file \"%s\": %s", file,
						 strerror(errno));
	buf_init(&text, SCRIPT_BYTES_MAX);
	while ((length = fread(chunk, 1, sizeof(chunk), stream)) > 0)
		buf_append(&text, chunk, length);
	if (ferror(stream))
		rc = error_set(err, ERR_IO, "could not read file \"%s\"", file);
	else if (text.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "the statements of the schema have more than %zu bytes",
					   SCRIPT_BYTES_MAX);
	else if (text.length > 0)
		script_parse(script, text.data, arena);
	else
		*script = (Script){0};
	fclose(stream);
	buf_release(&text);
	return rc;
}


/* ---- Lines ---- */

/* Returns the offset of the line in the file, or -1. */
static long
find_line(FILE *stream, const char *line)
{
	char *read = NULL;
	size_t read_size = 0;
	long found = -1;
	long position = 0;
	ssize_t length;

	while (found < 0 && (length = getline(&read, &read_size, stream)) >= 0)
	{
		if (strcmp(read, line) == 0)
			found = position;
		position += length;
	}
	free(read);
	return found;
}

static void
blank(FILE *stream, long position, size_t length)
{
	ASSERT(position >= 0);
	if (fseek(stream, position, SEEK_SET) == 0)
		for (size_t i = 0; i < length; i++)
			(void) fputc(' ', stream);
}

Rc
script_remove_line(const char *file, const char *line, Error *err)
{
	FILE *stream = fopen(file, "r+e");
	long position;
	bool failed;

	ASSERT(line[strlen(line) - 1] == '\n');
	if (stream == NULL)
		return error_set(err, ERR_IO, "could not open file \"%s\": %s", file,
						 strerror(errno));
	position = find_line(stream, line);
	if (position >= 0)
		blank(stream, position, strlen(line) - 1);
	failed = ferror(stream) != 0;
	if (fclose(stream) != 0 || failed)
		return error_set(err, ERR_IO, "could not rewrite file \"%s\": %s", file,
						 strerror(errno));
	return RC_OK;
}
