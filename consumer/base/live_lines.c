/*
 * live_lines.c
 *    Removes and writes the lines with control sequences of the terminal.
 *
 * To remove the lines, the cursor moves up as many rows as they occupy at the
 * terminal's present width.  The terminal may have become narrower since they
 * were written, so its width is read each time.  No line is written wider than
 * the terminal.
 */
#include "base/live_lines.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"

/* Width in columns if the terminal does not report one. */
#define WIDTH_DEFAULT 80

/* Number of lines on the terminal, and the width of each. */
static int lines_shown;
static int line_widths[LIVE_LINES_MAX];

int
live_lines_prefix_bytes(const char *text, int width)
{
	int bytes = 0;

	while (text[bytes] != '\0')
	{
		if ((text[bytes] & 0xC0) != 0x80 && width-- == 0)
			break;
		bytes++;
	}
	return bytes;
}

int
live_lines_text_width(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += (*text & 0xC0) != 0x80;
	return width;
}

static int
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

bool
live_lines_can_be_seen(void)
{
	return isatty(STDERR_FILENO) != 0;
}

void
live_lines_clear(void)
{
	int width = terminal_width();
	int rows = 0;

	if (lines_shown == 0)
		return;
	for (int i = 0; i < lines_shown; i++)
		rows += line_widths[i] > width ? (line_widths[i] + width - 1) / width
									   : 1;
	lines_shown = 0;
	/* Moves the cursor up to the first line's start, and erases all below. */
	fprintf(stderr, "\033[%dA\r\033[J", rows);
	fflush(stderr);
}

void
live_lines_begin(void)
{
	log_set_before(live_lines_clear);
	live_lines_clear();
}

/*
 * The line is one column shorter than the terminal, so that the cursor stays on
 * it.
 */
void
live_lines_add(const char *line)
{
	int width = terminal_width() - 1;
	int bytes = live_lines_prefix_bytes(line, width);

	if (lines_shown == LIVE_LINES_MAX)
		return;
	line_widths[lines_shown++] = bytes < (int) strlen(line)
									 ? width
									 : live_lines_text_width(line);
	fprintf(stderr, "%.*s\n", bytes, line);
}

void
live_lines_end(void)
{
	fflush(stderr);
}
