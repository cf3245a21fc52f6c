/*
 * libpq_text.c
 *    Joins the lines of a message.
 */
#include "net/libpq_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * Whether the line that ends at `newline` is the end of a sentence. libpq
 * continues a sentence on the next line with a tab and a small letter.
 */
static bool
ends_sentence(const char *newline)
{
	return newline[1] != '\t' || !islower((unsigned char) newline[2]);
}

char *
libpq_text_line(const char *text)
{
	char *line = xmalloc(2 * strlen(text ? text : "") + 1);
	size_t length = 0;

	for (const char *c = text ? text : ""; *c != '\0'; c++)
	{
		bool blank = *c == '\n' || *c == '\t' || *c == ' ';

		if (*c == '\n' && length > 0 && line[length - 1] != ' ' &&
			ends_sentence(c))
			line[length++] = ';';
		if (!blank)
			line[length++] = *c;
		else if (length > 0 && line[length - 1] != ' ')
			line[length++] = ' ';
	}
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == ';'))
		length--;
	line[length] = '\0';
	return line;
}
