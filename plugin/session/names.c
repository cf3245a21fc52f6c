/*
 * names.c
 *		Takes names; see names.h.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "parser/scansup.h"

#include "session/names.h"

void
penstock_skip_spaces(const char **at)
{
	while (scanner_isspace(**at))
		(*at)++;
}

bool
penstock_take_character(const char **at, char character)
{
	if (**at != character)
		return false;
	(*at)++;
	penstock_skip_spaces(at);
	return true;
}

static bool
is_name_character(char c)
{
	return IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') ||
		   (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '$';
}

bool
penstock_take_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (pg_strncasecmp(*at, word, length) != 0 ||
		is_name_character((*at)[length]))
		return false;
	*at += length;
	penstock_skip_spaces(at);
	return true;
}

/*
 * Takes a quoted name, in which two quotes stand for one.  NULL if the closing
 * quote is missing.
 */
static char *
take_quoted(const char **at)
{
	StringInfoData name;

	initStringInfo(&name);
	for (const char *p = *at + 1; *p != '\0'; p++)
	{
		if (*p == '"' && p[1] != '"')
		{
			*at = p + 1;
			return name.data;
		}
		if (*p == '"')
			p++;
		appendStringInfoChar(&name, *p);
	}
	return NULL;
}

char *
penstock_take_name(const char **at)
{
	const char *start = *at;
	char *name;

	if (*start == '"')
		name = take_quoted(at);
	else
	{
		while (is_name_character(**at))
			(*at)++;
		name = downcase_identifier(start, (int) (*at - start), false, false);
	}
	if (name == NULL || name[0] == '\0')
		return NULL;
	penstock_skip_spaces(at);
	return name;
}
