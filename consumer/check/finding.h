/*
 * finding.h
 *    Results of checks: a message, and what the user can do about it.
 *
 * Checks add findings, which are printed together at the end, as text or as
 * JSON.  A finding belongs to a server (`source`, `target "x"`) or to the
 * pipeline as a whole.  The findings of one server are kept together, in the
 * order in which they were added.
 *
 * The JSON is an array of objects with these members.  A later version may add
 * members, but does not change these:
 *
 *     level     "ok", "info", "warning" or "error"
 *     code      name of the check; the same in all versions
 *     server    server or pipeline to which the finding belongs
 *     object    object of the finding, such as: table shop.orders; or null
 *     message   one sentence
 *     fix       array of lines that fix the problem, in order: SQL
 *               statements, SQL comments for what is not done in SQL, shell
 *               commands; may be empty
 */
#ifndef PENSTOCK_CHECK_FINDING_H
#define PENSTOCK_CHECK_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * Maximum number of findings that are kept.  Further ones are only counted,
 * except that an error takes the place of a finding that is none.
 */
#define FINDINGS_MAX 10000

/* Maximum number of findings with the same server, level and code that are
 * printed as text, unless all are asked for. */
#define FINDINGS_OF_A_KIND_SHOWN 3

typedef enum FindingLevel
{
	FINDING_OK,      /* the check has passed */
	FINDING_INFO,    /* the user should know it, but need not do anything */
	FINDING_WARNING, /* the pipeline can run, but less well or less safely */
	FINDING_ERROR,   /* the pipeline cannot run */
} FindingLevel;

#define FINDING_LEVEL_COUNT (FINDING_ERROR + 1)

typedef struct Finding
{
	FindingLevel level;
	const char *code;
	const char *server;
	const char *object;  /* may be NULL */
	const char *message; /* lower case, no period */
	const char *fix;     /* lines that fix the problem, separated by line feeds;
						  * NULL: none */
} Finding;

typedef struct Findings Findings;

Findings *findings_new(void);

/* Accepts NULL. */
void findings_free(Findings *findings);

/* Returns an arena for strings, which is freed with the findings. */
Arena *findings_arena(Findings *findings);

/* Adds a copy of a finding. */
void findings_add(Findings *findings, const Finding *finding);

/*
 * Adds a copy of `finding`, with message and detail of an error as its message.
 * Uses the error's hint as the fix if `finding` has none.  Resets *err.
 */
void findings_add_error(Findings *findings, const Finding *finding, Error *err);

/* Returns the number of findings of a level. */
size_t findings_count(const Findings *findings, FindingLevel level);

/* Whether there is a finding of this code that is an error. */
bool findings_have_error(const Findings *findings, const char *code);

/* Which findings are printed as text. */
typedef struct FindingsShown
{
	bool only_wrong; /* whether to leave out "ok" and "info" */
	bool all; /* whether to print more than FINDINGS_OF_A_KIND_SHOWN of one
			   * kind */
} FindingsShown;

/* Prints findings as text, with a summary. */
void findings_print(const Findings *findings, const FindingsShown *shown,
					FILE *out);

/* Appends the JSON array that is described at the top of this file. */
void findings_append_json(const Findings *findings, Buf *out);

#endif /* PENSTOCK_CHECK_FINDING_H */
