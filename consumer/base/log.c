/*
 * log.c
 *    Writes each line with one call, so that lines of several processes do not
 *    mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/xalloc.h"

static LogLevel level_min = LOG_INFO;
static void (*call_before)(void);
static const char *context_now;

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

void
log_set_level(LogLevel level)
{
	level_min = level;
}

void
log_set_before(void (*before)(void))
{
	call_before = before;
}

void
log_set_context(const char *context)
{
	context_now = context;
}

bool
log_level_is_on(LogLevel level)
{
	return level >= level_min;
}

/* Appends the UTC offset as PostgreSQL writes it: +02, -03:30. */
static void
append_zone(Buf *line, const struct tm *broken)
{
	long minutes = broken->tm_gmtoff / 60;
	long size = minutes < 0 ? -minutes : minutes;

	buf_printf(line, "%c%02ld", minutes < 0 ? '-' : '+', size / 60);
	if (size % 60 != 0)
		buf_printf(line, ":%02ld", size % 60);
}

static void
append_head(Buf *line, LogLevel level, const char *component)
{
	struct timespec now;
	struct tm broken;
	char time_text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &broken);
	strftime(time_text, sizeof(time_text), "%Y-%m-%d %H:%M:%S", &broken);
	buf_printf(line, "%s.%03ld", time_text, now.tv_nsec / 1000000);
	append_zone(line, &broken);
	buf_printf(line, " %s %s: ", level_names[level], component);
	if (context_now != NULL)
		buf_printf(line, "%s: ", context_now);
}

static void
write_line(Buf *line)
{
	buf_append_char(line, '\n');
	if (call_before != NULL)
		call_before();
	fwrite(line->data, 1, line->length, stderr);
	fflush(stderr);
	buf_release(line);
}

void
log_write(LogLevel level, const char *component, const char *format, ...)
{
	Buf line;
	va_list args;
	char *message;

	if (level < level_min)
		return;
	va_start(args, format);
	message = xvasprintf(format, args);
	va_end(args);
	buf_init(&line, BUF_TEXT_MAX);
	append_head(&line, level, component);
	buf_append_string(&line, message);
	free(message);
	write_line(&line);
}

static void
append_part(Buf *line, const char *title, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(line, "\n  %s: ", title);
	for (const char *c = text; *c != '\0'; c++)
	{
		buf_append_char(line, *c);
		if (*c == '\n')
			buf_append_string(line, "    ");
	}
}

void
log_error(LogLevel level, const char *component, const Error *err)
{
	Buf line;

	if (level < level_min)
		return;
	buf_init(&line, BUF_TEXT_MAX);
	append_head(&line, level, component);
	buf_append_string(&line, err->message);
	if (err->sqlstate[0] != '\0')
		buf_printf(&line, " (SQLSTATE %s)", err->sqlstate);
	append_part(&line, "detail", err->detail);
	append_part(&line, "hint", err->hint);
	append_part(&line, "context", err->context);
	write_line(&line);
}
