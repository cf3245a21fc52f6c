/*
 * live_lines.h
 *    A few lines at the bottom of the terminal that are written again and
 * again.
 *
 * They stand below what is logged: before a line is logged they are removed.
 *
 *     live_lines_begin()   removes what is there
 *     live_lines_add()     each line
 *     live_lines_end()     shows them
 */
#ifndef PENSTOCK_BASE_LIVE_LINES_H
#define PENSTOCK_BASE_LIVE_LINES_H

#include <stdbool.h>

/* Lines that can be shown. */
#define LIVE_LINES_MAX 64

/* Whether standard error is a terminal. */
bool live_lines_can_be_seen(void);

void live_lines_begin(void);

/* A line of UTF-8 text, which is cut to the terminal's width; borrowed. */
void live_lines_add(const char *line);

void live_lines_end(void);

/* Removes them from the terminal. */
void live_lines_clear(void);

/* Bytes of the first `width` characters of a UTF-8 text, and characters of all
 * of it. */
int live_lines_prefix_bytes(const char *text, int width);
int live_lines_text_width(const char *text);

#endif /* PENSTOCK_BASE_LIVE_LINES_H */
