/*
 * wrap.c
 *    Breaks a text into lines.
 */
#include "base/wrap.h"

#include <string.h>

void
wrap_append(Buf *buf, const char *text, const Wrap *wrap)
{
	size_t column = wrap->column;

	while (*text != '\0')
	{
		size_t word = strcspn(text, " ");

		if (column > wrap->column && column + 1 + word > wrap->width)
		{
			buf_printf(buf, "\n%s", wrap->prefix);
			column = wrap->column;
		}
		else if (column > wrap->column)
		{
			buf_append_char(buf, ' ');
			column++;
		}
		buf_append(buf, text, word);
		column += word;
		text += word + strspn(text + word, " ");
	}
}
