/*
 * live_lines.h
 *    A few lines at the bottom of the terminal that are written again and
 *    again.
 *
 * The live lines are below the lines of the log: they are removed before a line
 * is logged.
 *
 *     live_lines_begin()   removes the lines that are shown
 *     live_lines_add()     adds a line
 *     live_lines_end()     shows the lines added
 */
#ifndef PENSTOCK_BASE_LIVE_LINES_H
#define PENSTOCK_BASE_LIVE_LINES_H

#include <stdbool.h>

/* Largest number of lines. */
#define LIVE_LINES_MAX 64

/* Whether standard error is a terminal, where the lines can be shown. */
bool live_lines_can_be_seen(void);

void live_lines_begin(void);

/*
 * Adds a line of UTF-8 text, cut to the width of the terminal.  `line` is
 * borrowed during the call.
 */
void live_lines_add(const char *line);

void live_lines_end(void);

/* Removes the lines from the terminal. */
void live_lines_clear(void);

/*
 * Return the number of bytes of the first `width` characters of a UTF-8 text,
 * and the number of characters of the whole text.
 */
int live_lines_prefix_bytes(const char *text, int width);
int live_lines_text_width(const char *text);

#endif /* PENSTOCK_BASE_LIVE_LINES_H */
