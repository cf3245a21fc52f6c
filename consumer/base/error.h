/*
 * error.h
 *    How functions of the consumer report failures.
 *
 * Every function that can fail returns an Rc and takes an Error as its last
 * argument.  On success the Error is unchanged; on RC_FAIL it is complete.  The
 * function in which something fails fills the Error, its callers may add
 * context, and the caller that decides how to continue logs it, once.
 *
 * Callers choose what to do by the code of an Error.  A table in error.c says
 * for each code and SQLSTATE whether another attempt can help.
 *
 * An Error owns its strings.  It is initialised with {0} and released with
 * error_reset().
 */
#ifndef PENSTOCK_BASE_ERROR_H
#define PENSTOCK_BASE_ERROR_H

#include <stdbool.h>

#include "base/macros.h"

typedef enum Rc
{
	RC_OK,    /* success */
	RC_AGAIN, /* not ready: wait in poll() and call again */
	RC_END,   /* regular end: of a stream, a queue, a run */
	RC_FAIL,  /* *err says why */
} Rc;

typedef enum ErrorCode
{
	ERR_NONE,        /* no error; a zeroed Error */
	ERR_CONFIG,      /* wrong options or set-up of a server, which a person has
					  * to change */
	ERR_USAGE,       /* the command line is not valid */
	ERR_CONNECT,     /* a server cannot be reached, or the connection broke */
	ERR_PROTOCOL,    /* the stream violates the protocol */
	ERR_SQL,         /* a server refused a statement; see sqlstate */
	ERR_CONFLICT,    /* a row did not exist, or existed already */
	ERR_LIMIT,       /* an input is larger than one of our limits */
	ERR_IO,          /* a file, pipe or child process failed */
	ERR_NO_ROOM,     /* a disk is full, and nothing was lost by that */
	ERR_OPEN_TXN,    /* a transaction cannot be applied before it commits on the
					  * source */
	ERR_INTERRUPTED, /* a stop was requested */
	ERR_UNSETTLED,   /* the result of a command is neither yes nor no */
	ERR_CHANGED,     /* another command has changed the data that this one works
					  * from: try again */
} ErrorCode;

typedef struct Error
{
	ErrorCode code;
	char sqlstate[6]; /* SQLSTATE, with ERR_SQL and some ERR_CONNECT; otherwise
					   * empty */
	char *message;    /* one line without a period; owned */
	char *detail;     /* owned; or NULL */
	char *hint;       /* owned; or NULL */
	char *context;    /* lines of context, innermost first; owned; or NULL */
	char *table;      /* name in SQL of a table that the pipeline has not copied
					   * and would have to; owned; or NULL */
} Error;

/*
 * Fills an Error, after releasing its strings, and returns RC_FAIL, so that
 * "return error_set(err, …);" works.
 */
MUST_CHECK Rc error_set(Error *err, ErrorCode code, const char *format, ...)
	PRINTF_LIKE(3, 4);

/*
 * Add to an Error that is set.  A detail, hint or SQLSTATE replaces an earlier
 * one.
 */
void error_detail(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_hint(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_context(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_table(Error *err, const char *table);
void error_sqlstate(Error *err, const char *sqlstate);

/* Moves an error; `from` is empty afterwards. */
void error_take(Error *to, Error *from);

/* Frees the strings of an Error and makes it empty again. */
void error_reset(Error *err);

/* Whether the operation that failed may succeed later. */
bool error_is_transient(const Error *err);

#endif /* PENSTOCK_BASE_ERROR_H */
