/*
 * log.h
 *    The log, on standard error.
 *
 * A line has time, level, component and, if one was set, a context (for example
 * the name of a target).  Texts follow PostgreSQL's message style: lower case,
 * one line, no period.  Values of rows are not logged, with two exceptions: the
 * key of a row that is in conflict, shortened, because a person has to find it,
 * and values in the server's own messages.
 */
#ifndef PENSTOCK_BASE_LOG_H
#define PENSTOCK_BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"
#include "base/macros.h"

typedef enum LogLevel
{
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARNING,
	LOG_ERROR,
} LogLevel;

typedef enum LogFormat
{
	LOG_TEXT, /* lines for people; what belongs to an error is on further ones
			   */
	LOG_JSON, /* an object a line, with the name of the event */
} LogFormat;

/* Sets the format; at the start LOG_TEXT. */
void log_set_format(LogFormat format);

/* Sets the lowest level that is logged; at the start LOG_INFO. */
void log_set_level(LogLevel level);
bool log_level_is_on(LogLevel level);

/*
 * Writes one line.  `event` is the module that logs it ("apply", "copy", …),
 * and, after a dot, the name of what has happened: "follow.target-unreachable".
 * A line of level warning or above has such a name, which never changes, and is
 * explained in consumer/doc/events.md; a test compares both.  Waits for nothing
 * but the write to standard error.
 */
void log_write(LogLevel level, const char *event, const char *format, ...)
	PRINTF_LIKE(3, 4);

#define log_debug(event, ...)   log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)    log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_write(LOG_WARNING, event, __VA_ARGS__)

/* Sets the context of the lines logged from now on; borrowed.  NULL: none. */
void log_set_context(const char *context);

/* Writes an error with its detail, hint, context and SQLSTATE. */
void log_error(LogLevel level, const char *event, const Error *err);

/* Has `before` called before each line is written; NULL: no function. */
void log_set_before(void (*before)(void));

#endif /* PENSTOCK_BASE_LOG_H */
