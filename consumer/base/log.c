/*
 * log.c
 *    Writes each line with one call, so that lines of several processes do not
 *    mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/recent.h"
#include "base/xalloc.h"

static LogLevel level_min = LOG_INFO;
static LogFormat format_now = LOG_TEXT;
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
log_set_format(LogFormat format)
{
	format_now = format;
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

/*
 * Appends the UTC offset as PostgreSQL writes it: +02, -03:30.  In full, as RFC
 * 3339 wants it: +02:00.
 */
static void
append_zone(Buf *line, const struct tm *broken, bool in_full)
{
	long minutes = broken->tm_gmtoff / 60;
	long size = minutes < 0 ? -minutes : minutes;

	buf_printf(line, "%c%02ld", minutes < 0 ? '-' : '+', size / 60);
	if (in_full || size % 60 != 0)
		buf_printf(line, ":%02ld", size % 60);
}

/* Appends the present time, as RFC 3339 or PostgreSQL writes it. */
static void
append_time(Buf *line, LogFormat format)
{
	struct timespec now;
	struct tm broken;
	char date[16];
	char time[16];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &broken);
	strftime(date, sizeof(date), "%Y-%m-%d", &broken);
	strftime(time, sizeof(time), "%H:%M:%S", &broken);
	buf_printf(line, "%s%c%s.%03ld", date, format == LOG_JSON ? 'T' : ' ', time,
			   now.tv_nsec / 1000000);
	append_zone(line, &broken, format == LOG_JSON);
}

/* Returns the length of the part of an event that is its component. */
static int
component_length(const char *event)
{
	return (int) strcspn(event, ".");
}

/* ---- lines for people --------------------------------------------------- */

static void
append_head(Buf *line, LogLevel level, const char *event)
{
	append_time(line, LOG_TEXT);
	buf_printf(line, " %s %.*s: ", level_names[level], component_length(event),
			   event);
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

static void
append_text(Buf *line, LogLevel level, const char *event, const Error *err)
{
	append_head(line, level, event);
	buf_append_string(line, err->message);
	if (err->sqlstate[0] != '\0')
		buf_printf(line, " (SQLSTATE %s)", err->sqlstate);
	append_part(line, "detail", err->detail);
	append_part(line, "hint", err->hint);
	append_part(line, "context", err->context);
}

/* ---- lines for machines ------------------------------------------------- */

/* Writes a member, unless its text is missing or empty. */
static void
write_member(Json *json, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	json_key(json, key);
	json_text(json, text);
}

/*
 * Returns the name of an event; owned by the caller.  One whose name only the
 * program's main function knows is called after its level.
 */
static char *
make_name(LogLevel level, const char *event)
{
	char *name = strchr(event, '.') != NULL || level < LOG_WARNING
					 ? xasprintf("%s", event)
					 : xasprintf("%s.%s", event,
								 level == LOG_ERROR ? "failed" : "interrupted");

	for (char *c = name; *c != '\0'; c++)
		if (*c == ' ')
			*c = '-';
	return name;
}

static void
append_json(Buf *line, LogLevel level, const char *event, const Error *err)
{
	char *component = xasprintf("%.*s", component_length(event), event);
	char *name = make_name(level, event);
	Buf time;
	Json json;

	buf_init(&time, BUF_TEXT_MAX);
	append_time(&time, LOG_JSON);
	json_init(&json, line);
	json_begin_object(&json);
	write_member(&json, "time", time.data);
	write_member(&json, "level", level_names[level]);
	write_member(&json, "component", component);
	write_member(&json, "event", name);
	write_member(&json, "about", context_now);
	write_member(&json, "message", err->message);
	write_member(&json, "sqlstate", err->sqlstate);
	write_member(&json, "detail", err->detail);
	write_member(&json, "hint", err->hint);
	write_member(&json, "context", err->context);
	json_end_object(&json);
	buf_release(&time);
	free(component);
	free(name);
}

/* ---- both --------------------------------------------------------------- */

static void
note_event(LogLevel level, const char *event)
{
	char *name = make_name(level, event);

	recent_add(name, level == LOG_ERROR, clock_monotonic_us());
	free(name);
}

void
log_error(LogLevel level, const char *event, const Error *err)
{
	Buf line;

	if (level >= LOG_WARNING)
		note_event(level, event);
	if (level < level_min)
		return;
	buf_init(&line, BUF_TEXT_MAX);
	if (format_now == LOG_JSON)
		append_json(&line, level, event, err);
	else
		append_text(&line, level, event, err);
	write_line(&line);
}

void
log_write(LogLevel level, const char *event, const char *format, ...)
{
	Error only = {0};
	va_list args;

	if (level < level_min)
		return;
	va_start(args, format);
	only.message = xvasprintf(format, args);
	va_end(args);
	log_error(level, event, &only);
	free(only.message);
}
