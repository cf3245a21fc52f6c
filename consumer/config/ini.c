/*
 * ini.c
 *    Splits a file into lines, and parses each line.
 */
#include "config/ini.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define READ_BYTES (64 * KB)

/* ---- the file ----------------------------------------------------------- */

static MUST_CHECK Rc
read_contents(FILE *file, const char *path, Buf *contents, Error *err)
{
	for (;;)
	{
		char *room = buf_reserve(contents, READ_BYTES);
		size_t length;

		if (room == NULL)
			return error_set(err, ERR_CONFIG,
							 "file \"%s\" is longer than %zu MB", path,
							 INI_BYTES_MAX / MB);
		length = fread(room, 1, READ_BYTES, file);
		contents->length += length;
		contents->data[contents->length] = '\0';
		if (ferror(file))
			return error_set(err, ERR_CONFIG, "could not read file \"%s\": %s",
							 path, strerror(errno));
		if (length == 0)
			break;
	}
	if (strlen(contents->data) != contents->length)
		return error_set(err, ERR_CONFIG, "file \"%s\" is not a text", path);
	return RC_OK;
}

Rc
ini_read(Ini *ini, const char *path, Arena *arena, Error *err)
{
	FILE *file = fopen(path, "re");
	Buf contents;
	Rc rc;

	if (file == NULL)
		return error_set(err, ERR_CONFIG, "could not open file \"%s\": %s",
						 path, strerror(errno));
	buf_init(&contents, INI_BYTES_MAX);
	rc = read_contents(file, path, &contents, err);
	if (rc == RC_OK)
		rc = ini_parse(ini, path, contents.data, arena, err);
	buf_release(&contents);
	(void) fclose(file);
	return rc;
}

/* ---- lines -------------------------------------------------------------- */

/* Returns `text` without blanks on both sides; overwrites the text. */
static char *
trim(char *text)
{
	size_t length;

	while (isspace((unsigned char) *text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

/* Returns the first = that is not within double quotes, or NULL. */
static char *
find_equals(char *line)
{
	bool quoted = false;

	for (char *c = line; *c != '\0'; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		else if (*c == '=' && !quoted)
			return c;
	}
	return NULL;
}

/*
 * Parses a line that is neither empty nor a comment.  Error messages do not
 * show the line, because it may contain a password.
 */
static MUST_CHECK Rc
parse_line(IniEntry *entry, char *line, const char *path, Error *err)
{
	size_t length = strlen(line);
	char *equals;

	if (line[0] == '[')
	{
		if (length < 3 || line[length - 1] != ']')
			return error_set(err, ERR_CONFIG, "%s:%d: invalid section \"%s\"",
							 path, entry->line, line);
		line[length - 1] = '\0';
		entry->section = trim(line + 1);
		entry->key = NULL;
		entry->value = NULL;
		return RC_OK;
	}
	equals = find_equals(line);
	if (equals == NULL || equals == line)
		return error_set(err, ERR_CONFIG,
						 "%s:%d: line is neither a section nor a setting", path,
						 entry->line);
	if (entry->section == NULL)
		return error_set(err, ERR_CONFIG,
						 "%s:%d: a setting stands before the first section",
						 path, entry->line);
	*equals = '\0';
	entry->key = trim(line);
	entry->value = trim(equals + 1);
	return RC_OK;
}

static size_t
count_lines(const char *text)
{
	size_t count = 1;

	for (; *text != '\0'; text++)
		count += *text == '\n' ? 1 : 0;
	return count;
}

Rc
ini_parse(Ini *ini, const char *path, const char *text, Arena *arena,
		  Error *err)
{
	IniEntry *entries = arena_calloc(arena, count_lines(text),
									 sizeof(IniEntry));
	char *rest = arena_strdup(arena, text);
	IniEntry entry = {0};
	int count = 0;

	while (rest != NULL)
	{
		char *line = trim(strsep(&rest, "\n"));
		Rc rc;

		entry.line++;
		if (line[0] == '\0' || line[0] == ';' || line[0] == '#')
			continue;
		rc = parse_line(&entry, line, path, err);
		if (rc != RC_OK)
			return rc;
		entries[count++] = entry;
	}
	*ini = (Ini){.path = arena_strdup(arena, path),
				 .entry_count = count,
				 .entries = entries};
	return RC_OK;
}
