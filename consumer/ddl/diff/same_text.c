/*
 * same_text.c
 *    Compares two texts name by name.
 */
#include "ddl/diff/same_text.h"

#include <ctype.h>
#include <string.h>

#include "model/identifier.h"

static bool
was_renamed(const Draft *draft, const char *from, const char *to)
{
	for (int i = 0; i < draft->renamed_count; i++)
		if (strcmp(draft->renamed[i].from, from) == 0 &&
			strcmp(draft->renamed[i].to, to) == 0)
			return true;
	return false;
}

static bool
begins_name(char c)
{
	return isalpha((unsigned char) c) || c == '_' || c == '"' ||
		   (unsigned char) c >= 0x80;
}

/*
 * Skips one name in each text; returns false if they are not the same object's.
 */
static bool
same_name(const Draft *draft, const char **before, const char **after)
{
	char from[IDENTIFIER_SIZE];
	char to[IDENTIFIER_SIZE];

	*before = identifier_read(*before, from);
	*after = identifier_read(*after, to);
	if (*before == NULL || *after == NULL)
		return false;
	return strcmp(from, to) == 0 || was_renamed(draft, from, to);
}

/* Skips the same literal in both texts; returns false if they differ. */
static bool
same_literal(const char **before, const char **after)
{
	do
	{
		if (*(*before)++ != *(*after)++)
			return false;
	} while (**before != '\0' && **before != '\'');
	if (**before != **after)
		return false;
	*before += **before != '\0';
	*after += **after != '\0';
	return true;
}

bool
same_but_for_names(const Draft *draft, const char *before, const char *after)
{
	while (*before != '\0' && *after != '\0')
	{
		if (begins_name(*before) && begins_name(*after))
		{
			if (!same_name(draft, &before, &after))
				return false;
		}
		else if (*before == '\'')
		{
			if (!same_literal(&before, &after))
				return false;
		}
		else if (*before++ != *after++)
			return false;
	}
	return *before == *after;
}
