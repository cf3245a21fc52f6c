/*
 * error.h
 *    How functions of the consumer fail.
 *
 * Every function that can fail returns an Rc and takes an Error as its last
 * argument.  The Error is untouched on success and complete on RC_FAIL.  The
 * lowest layer fills it, layers between may add context, and the one place
 * that decides what to do about it logs it, once.
 *
 * The code of an error is what its receiver can act on; a table in error.c
 * says for each whether trying again can help.
 *
 * An Error embeds no pointers into other modules; it owns its strings.  Set it
 * up with {0} and release it with error_reset().
 */
#ifndef PENSTOCK_BASE_ERROR_H
#define PENSTOCK_BASE_ERROR_H

#include <stdbool.h>

#include "base/macros.h"

typedef enum Rc
{
	RC_OK,    /* done */
	RC_AGAIN, /* not ready: register interest, return to the loop */
	RC_END,   /* finished in good order */
	RC_FAIL,  /* *err says why */
} Rc;

typedef enum ErrorCode
{
	ERR_NONE,        /* no error: the zeroed state */
	ERR_CONFIG,      /* options or set-up of a server: a person must act */
	ERR_USAGE,       /* the command line makes no sense */
	ERR_CONNECT,     /* a server cannot be reached, or the connection broke */
	ERR_PROTOCOL,    /* the stream is not what it must be */
	ERR_SQL,         /* a server refused a statement; see sqlstate */
	ERR_CONFLICT,    /* a row was not there, or was there already */
	ERR_LIMIT,       /* something outside is larger than a limit of ours */
	ERR_IO,          /* a file, pipe or child process */
	ERR_OPEN_TXN,    /* an open transaction cannot be taken as such */
	ERR_INTERRUPTED, /* asked to stop */
	ERR_UNSETTLED,   /* what was asked cannot be answered with yes or no */
	ERR_CHANGED,     /* another command changed what it works from: again */
} ErrorCode;

typedef struct Error
{
	ErrorCode code;
	char sqlstate[6]; /* of ERR_SQL and some ERR_CONNECT; else empty */
	char *message;    /* one line, no period; owned */
	char *detail;     /* or NULL; owned */
	char *hint;       /* or NULL; owned */
	char *context;    /* innermost first, one per line, or NULL; owned */
} Error;

/*
 * Fills an Error, releasing what it held, and returns RC_FAIL, so that
 * "return error_set(err, …);" works.
 */
MUST_CHECK Rc error_set(Error *err, ErrorCode code, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Adds to an Error that is set.  Detail and hint replace an earlier one. */
void error_detail(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_hint(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_context(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_sqlstate(Error *err, const char *sqlstate);

/* Moves `from` to `to`; `from` is empty afterwards. */
void error_take(Error *to, Error *from);

/* Releases the strings and makes the Error empty again. */
void error_reset(Error *err);

/* Whether the same thing may work when it is tried again later. */
bool error_is_transient(const Error *err);

#endif /* PENSTOCK_BASE_ERROR_H */
