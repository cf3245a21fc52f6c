/*
 * screen.c
 *    Writes each text as a whole, so that a terminal far away does not flicker.
 */
#include "cmd/status/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

/* Of a terminal that does not tell its size. */
#define COLUMNS_DEFAULT 80
#define LINES_DEFAULT   24

#define ENTER           "\x1b[?1049h\x1b[?25l" /* the alternate screen, no cursor */
#define LEAVE           "\x1b[?25h\x1b[?1049l"

/* Writes all of it; a terminal that is gone ends us by HUP or EIO anyway. */
static void
write_all(const char *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t written = write(STDOUT_FILENO, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		length -= (size_t) written;
	}
}

static void
read_keys_at_once(Screen *self)
{
	struct termios now;

	self->has_keys = tcgetattr(STDIN_FILENO, &self->before) == 0;
	if (!self->has_keys)
		return;
	now = self->before;
	now.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	(void) tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

Rc
screen_open(Screen *self, Error *err)
{
	Rc rc;

	*self = (Screen){0};
	if (!isatty(STDOUT_FILENO))
	{
		rc = error_set(err, ERR_USAGE,
					   "--watch shows the state in a terminal, and standard "
					   "output is none");
		error_hint(err, "For a program there are --json and "
						"--metrics-listen.");
		return rc;
	}
	read_keys_at_once(self);
	write_all(ENTER, strlen(ENTER));
	return RC_OK;
}

void
screen_close(Screen *self)
{
	write_all(LEAVE, strlen(LEAVE));
	if (self->has_keys)
		(void) tcsetattr(STDIN_FILENO, TCSANOW, &self->before);
}

/* ---- text --------------------------------------------------------------- */

/*
 * Returns the length of the character at `text` in bytes.  *is_control: whether
 * it has a meaning of its own for terminals (C0, DEL, and C1 in UTF-8 or as a
 * byte by itself).
 */
static size_t
read_character(const char *text, bool *is_control)
{
	const unsigned char *bytes = (const unsigned char *) text;
	size_t length = 1;

	*is_control = bytes[0] < 0x20 || bytes[0] == 0x7f ||
				  (bytes[0] >= 0x80 && bytes[0] < 0xc0) ||
				  (bytes[0] == 0xc2 && bytes[1] < 0xa0);
	if (bytes[0] >= 0xc0)
		while (length < 4 && (bytes[length] & 0xc0) == 0x80)
			length++;
	return length;
}

/* Appends a line, at most `columns` characters of it.  Returns where it ends.
 */
static const char *
append_line(Buf *buf, const char *text, int columns)
{
	int column = 0;

	while (*text != '\0' && *text != '\n')
	{
		bool is_control;
		size_t length = read_character(text, &is_control);

		if (column++ < columns)
		{
			if (is_control)
				buf_append_char(buf, '?');
			else
				buf_append(buf, text, length);
		}
		text += length;
	}
	return text;
}

void
screen_lay_out(Buf *buf, const char *text, int columns, int lines)
{
	buf_append_string(buf, "\x1b[H");
	for (int line = 0; line < lines && *text != '\0'; line++)
	{
		if (line > 0)
			buf_append_string(buf, "\r\n");
		if (line == lines - 1 && strchr(text, '\n') != NULL &&
			strchr(text, '\n')[1] != '\0')
			text = "(more: the terminal is too low)";
		text = append_line(buf, text, columns);
		buf_append_string(buf, "\x1b[K");
		if (*text == '\n')
			text++;
	}
	buf_append_string(buf, "\x1b[J");
}

void
screen_show(const char *text)
{
	struct winsize size = {0};
	Buf buf;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
		size.ws_row == 0)
		size = (struct winsize){.ws_col = COLUMNS_DEFAULT,
								.ws_row = LINES_DEFAULT};
	buf_init(&buf, BUF_TEXT_MAX);
	screen_lay_out(&buf, text, size.ws_col, size.ws_row);
	write_all(buf.data, buf.length);
	buf_release(&buf);
}

bool
screen_is_unicode(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < LENGTH_OF(names); i++)
	{
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
				   strcasestr(value, "utf8") != NULL;
	}
	return false;
}

Rc
screen_wait(Screen *self, int64_t ms, Error *err)
{
	int64_t end_us = clock_monotonic_us() + ms * 1000;

	for (;;)
	{
		int64_t left_ms = (end_us - clock_monotonic_us()) / 1000;
		char key = '\0';
		Rc rc = interrupt_wait(self->has_keys ? STDIN_FILENO : -1, POLLIN,
							   left_ms > 0 ? left_ms : 0, err);

		if (rc != RC_OK)
			return rc;
		if (read(STDIN_FILENO, &key, 1) != 1)
			self->has_keys = false; /* it is closed */
		if (key == 'q' || key == 'Q')
			return RC_END;
	}
}
