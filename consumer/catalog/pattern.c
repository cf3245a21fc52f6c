/*
 * pattern.c
 *    Translates patterns to regular expressions.
 */
#include "catalog/pattern.h"

#include <string.h>

/* Maximum number of names in a pattern: schema and relation. */
#define PARTS_MAX 2

/* Characters that have a special meaning in a regular expression. */
static const char special[] = "|*+?()[]{}.^$\\";

typedef struct Parts
{
	int count;
	Buf regexps[PARTS_MAX];
} Parts;

static void
append_plain(Buf *regexp, char c)
{
	if (strchr(special, c) != NULL)
		buf_append_char(regexp, '\\');
	buf_append_char(regexp, c);
}

/* Appends the regular expression for a character outside of quotes. */
static void
append_sign(Buf *regexp, char c)
{
	ASSERT(c != '.' && c != '"');
	if (c == '*')
		buf_append_string(regexp, ".*");
	else if (c == '?')
		buf_append_char(regexp, '.');
	else if (c == '$')
		buf_append_string(regexp, "\\$");
	else
		buf_append_char(regexp,
						c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c);
}

/* Splits a pattern at its dot, into a regular expression for each name.
 * Returns false if the pattern is not valid: see pattern.h. */
static bool
split(const char *pattern, Parts *parts)
{
	bool quoted = false;

	*parts = (Parts){.count = 1};
	for (int i = 0; i < PARTS_MAX; i++)
		buf_init(&parts->regexps[i], BUF_TEXT_MAX);
	for (const char *c = pattern; *c != '\0'; c++)
	{
		Buf *regexp = &parts->regexps[parts->count - 1];

		if (*c == '"' && quoted && c[1] == '"')
			append_plain(regexp, *c++);
		else if (*c == '"')
			quoted = !quoted;
		else if (quoted)
			append_plain(regexp, *c);
		else if (*c != '.')
			append_sign(regexp, *c);
		else if (parts->count == PARTS_MAX || regexp->length == 0)
			return false;
		else
			parts->count++;
	}
	return !quoted && parts->regexps[parts->count - 1].length > 0;
}

static void
release(Parts *parts)
{
	for (int i = 0; i < PARTS_MAX; i++)
		buf_release(&parts->regexps[i]);
}

static void
append_match(Buf *sql, const char *expression, const Buf *regexp)
{
	Buf whole;

	ASSERT(regexp->length > 0);
	buf_init(&whole, BUF_TEXT_MAX);
	buf_printf(&whole, "^(%s)$", regexp->data);
	buf_printf(sql, "%s::text OPERATOR(pg_catalog.~) ", expression);
	buf_append_literal(sql, whole.data);
	buf_append_string(sql, " COLLATE pg_catalog.\"C\"");
	buf_release(&whole);
}

bool
pattern_append_table(Buf *sql, const char *pattern, const char *schema,
					 const char *name)
{
	Parts parts;
	bool valid = split(pattern, &parts);

	if (valid && parts.count == 1)
	{
		buf_printf(sql, "(%s IN ('public', current_user) AND ", schema);
		append_match(sql, name, &parts.regexps[0]);
		buf_append_char(sql, ')');
	}
	else if (valid)
	{
		buf_append_char(sql, '(');
		append_match(sql, schema, &parts.regexps[0]);
		buf_append_string(sql, " AND ");
		append_match(sql, name, &parts.regexps[1]);
		buf_append_char(sql, ')');
	}
	release(&parts);
	return valid;
}

bool
pattern_append_schema(Buf *sql, const char *pattern, const char *schema)
{
	Parts parts;
	bool valid = split(pattern, &parts) && parts.count == 1;

	if (valid)
		append_match(sql, schema, &parts.regexps[0]);
	release(&parts);
	return valid;
}
