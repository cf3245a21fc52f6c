/*
 * error.c
 *    Errors as values, and the table that says for which of them another
 *    attempt can help.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

Rc
error_set(Error *err, ErrorCode code, const char *format, ...)
{
	va_list args;
	char *message;

	ASSERT(code != ERR_NONE);
	va_start(args, format);
	message = xvasprintf(format, args);
	va_end(args);
	error_reset(err);
	err->code = code;
	err->message = message;
	return RC_FAIL;
}

void
error_detail(Error *err, const char *format, ...)
{
	va_list args;

	free(err->detail);
	va_start(args, format);
	err->detail = xvasprintf(format, args);
	va_end(args);
}

void
error_hint(Error *err, const char *format, ...)
{
	va_list args;

	free(err->hint);
	va_start(args, format);
	err->hint = xvasprintf(format, args);
	va_end(args);
}

void
error_context(Error *err, const char *format, ...)
{
	va_list args;
	char *line;

	va_start(args, format);
	line = xvasprintf(format, args);
	va_end(args);
	if (err->context != NULL)
	{
		char *both = xasprintf("%s\n%s", err->context, line);

		free(err->context);
		free(line);
		line = both;
	}
	err->context = line;
}

void
error_sqlstate(Error *err, const char *sqlstate)
{
	snprintf(err->sqlstate, sizeof(err->sqlstate), "%s",
			 sqlstate ? sqlstate : "");
}

void
error_table(Error *err, const char *table)
{
	free(err->table);
	err->table = xstrdup(table);
}

void
error_take(Error *to, Error *from)
{
	error_reset(to);
	*to = *from;
	*from = (Error){0};
}

void
error_reset(Error *err)
{
	free(err->message);
	free(err->detail);
	free(err->hint);
	free(err->context);
	free(err->table);
	*err = (Error){0};
}

/*
 * Whether an error with this SQLSTATE may disappear by itself: a lost
 * connection, a serialization failure or deadlock, a server that is starting or
 * stopping or is short of resources, a lock that was not available, a slot or
 * row that another session still uses.
 */
static bool
sqlstate_is_transient(const char *sqlstate)
{
	static const char *const prefixes[] = {
		"08",    /* connection exceptions */
		"40",    /* transaction rollback: serialization, deadlock */
		"53000", /* insufficient resources, without saying which */
		"53100", /* disk full */
		"53200", /* out of memory; but see out_of_room.h */
		"53300", /* too many connections */
		"55006", /* object_in_use: the slot is still active */
		"55P03", /* lock_not_available */
		"57014", /* query_canceled: a timeout or pg_cancel_backend() */
		"57P",   /* operator intervention: shutdown, crash, cannot connect */
		"58",    /* system error: an I/O error of the server */
	};

	for (size_t i = 0; i < LENGTH_OF(prefixes); i++)
		if (strncmp(sqlstate, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/*
 * Whether a server terminates sessions with this SQLSTATE although we did
 * nothing wrong: internal errors (XX), idle_in_transaction_session_timeout
 * (25P03) and transaction_timeout (25P04).
 */
static bool
sqlstate_ends_session(const char *sqlstate)
{
	return strncmp(sqlstate, "XX", 2) == 0 || strcmp(sqlstate, "25P03") == 0 ||
		   strcmp(sqlstate, "25P04") == 0;
}

bool
error_is_transient(const Error *err)
{
	switch (err->code)
	{
		case ERR_CONNECT:
			return err->sqlstate[0] == '\0' ||
				   sqlstate_is_transient(err->sqlstate) ||
				   sqlstate_ends_session(err->sqlstate);
		case ERR_SQL:
			return sqlstate_is_transient(err->sqlstate);
		case ERR_CHANGED:
		case ERR_NO_ROOM:
			return true;
		case ERR_NONE:
		case ERR_CONFIG:
		case ERR_USAGE:
		case ERR_PROTOCOL:
		case ERR_CONFLICT:
		case ERR_LIMIT:
		case ERR_IO:
		case ERR_OPEN_TXN:
		case ERR_INTERRUPTED:
		case ERR_UNSETTLED:
			return false;
	}
	return false;
}
