/*
 * identifier.c
 *    Reads SQL identifiers.
 */
#include "model/identifier.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>

const char *
identifier_read(const char *text, char *name)
{
	bool quoted = *text == '"';
	size_t length = 0;

	text += quoted ? 1 : 0;
	for (;; text++)
	{
		if (quoted && *text == '"' && *++text != '"')
			break;
		if (!quoted && !isalnum((unsigned char) *text) && *text != '_' &&
			*text != '$' && (unsigned char) *text < 0x80)
			break;
		if (*text == '\0' || length == IDENTIFIER_SIZE - 1)
			return NULL;
		name[length++] = (char) (quoted ? *text
										: tolower((unsigned char) *text));
	}
	name[length] = '\0';
	return length > 0 ? text : NULL;
}
