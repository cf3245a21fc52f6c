/*
 * log.h
 *    What the program says to people, on standard error.
 *
 * A line carries time, level, component and, where one was set, the context
 * (for example the target that is worked on).  Texts follow PostgreSQL's
 * message style: lower case, one line, no period.  Values of rows never appear
 * here, but for the key of a row that is in conflict and has to be found, cut,
 * and for what a server's own message says.
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

/* Lines below this level are not written.  Default LOG_INFO. */
void log_set_level(LogLevel level);
bool log_level_is_on(LogLevel level);

/*
 * Writes one line.  `component` is the module that speaks: "stream", "apply",
 * "copy", …  Never blocks on anything but standard error itself.
 */
void log_write(LogLevel level, const char *component, const char *format, ...)
	PRINTF_LIKE(3, 4);

#define log_debug(component, ...) log_write(LOG_DEBUG, component, __VA_ARGS__)
#define log_info(component, ...)  log_write(LOG_INFO, component, __VA_ARGS__)
#define log_warning(component, ...)                                            \
	log_write(LOG_WARNING, component, __VA_ARGS__)

/* Puts this in front of each text from here on; borrowed.  NULL: nothing. */
void log_set_context(const char *context);

/* Writes an error with its detail, hint, context and SQLSTATE. */
void log_error(LogLevel level, const char *component, const Error *err);

/* Has `before` called before each line is written; NULL: nothing is. */
void log_set_before(void (*before)(void));

#endif /* PENSTOCK_BASE_LOG_H */
