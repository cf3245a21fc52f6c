/*
 * screen.h
 *    A terminal that shows one text after the other in place.
 *
 * Plain escape codes of ECMA-48, which every terminal, tmux and screen know.
 * The text uses the alternate screen, so that what was there before comes back.
 */
#ifndef PENSTOCK_CMD_STATUS_SCREEN_H
#define PENSTOCK_CMD_STATUS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct Screen
{
	bool has_keys; /* whether standard input is a terminal, too */
	struct termios before;
} Screen;

/* Begins; fails if standard output is no terminal. */
MUST_CHECK Rc screen_open(Screen *self, Error *err);

/* Puts the terminal back to what it was. */
void screen_close(Screen *self);

/*
 * Shows a text of lines in place of the last one.  What is wider or longer than
 * the terminal is left out.  Characters that would control the terminal become
 * question marks: names in databases may have any.
 */
void screen_show(const char *text);

/*
 * Appends the text as screen_show() writes it on a terminal of that size; what
 * it is made of, for tests.
 */
void screen_lay_out(Buf *buf, const char *text, int columns, int lines);

/* Whether the environment says that the terminal understands UTF-8. */
bool screen_is_unicode(void);

/*
 * Waits; RC_END if q was pressed meanwhile, RC_AGAIN if not.  Fails when a stop
 * is requested.
 */
MUST_CHECK Rc screen_wait(Screen *self, int64_t ms, Error *err);

#endif /* PENSTOCK_CMD_STATUS_SCREEN_H */
