/*
 * finding.h
 *    What a check found, with what fixes it.
 *
 * Findings are collected in the order in which they are made and printed once,
 * for people or for machines.  A finding belongs to a server (`source`,
 * `target "x"`) or to the pipeline as a whole; those of one server are kept
 * together.
 *
 * The form for machines is an array of objects, in which members may be added
 * but not changed:
 *
 *     level     "ok", "info", "warning" or "error"
 *     code      which check it is; stays the same from version to version
 *     server    what it was found on
 *     object    what it is about, for example: table shop.orders; or null
 *     message   one sentence
 *     mend      array of the lines, in order, that fix it: SQL statements, SQL
 *               comments for what is not done in SQL, shell commands; may be
 *               empty
 */
#ifndef PENSTOCK_CHECK_FINDING_H
#define PENSTOCK_CHECK_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* More findings than this are counted, but not kept. */
#define FINDINGS_MAX 10000

/* Of findings of one server, level and code, so many are printed for people. */
#define FINDINGS_ALIKE_SHOWN 3

typedef enum FindingLevel
{
	FINDING_OK,      /* looked at, and as it must be */
	FINDING_INFO,    /* to be known, nothing to be done */
	FINDING_WARNING, /* a pipeline can run, but less well or less safely */
	FINDING_ERROR,   /* a pipeline cannot run */
} FindingLevel;

#define FINDING_LEVEL_COUNT (FINDING_ERROR + 1)

typedef struct Finding
{
	FindingLevel level;
	const char *code;
	const char *server;
	const char *object;  /* or NULL */
	const char *message; /* lower case, no period */
	const char *fix;     /* lines, separated by line breaks; or NULL */
} Finding;

typedef struct Findings Findings;

Findings *findings_new(void);

/* Accepts NULL. */
void findings_free(Findings *findings);

/* Where texts for a finding can be put together; lives as long as it does. */
Arena *findings_arena(Findings *findings);

/* Adds a copy of a finding. */
void findings_add(Findings *findings, const Finding *finding);

/*
 * Adds what an Error says, its detail included, and empties it.  Its hint is
 * the fix if `finding` has none; `finding` needs no message.
 */
void findings_add_error(Findings *findings, const Finding *finding, Error *err);

/* The number of findings of a level. */
size_t findings_count(const Findings *findings, FindingLevel level);

/* Whether a check has found an error. */
bool findings_have_error(const Findings *findings, const char *code);

/* What of the findings is printed for people. */
typedef struct FindingsShown
{
	bool only_wrong; /* leave out "ok" and "info" */
	bool all;        /* else, of many that are alike, the first few */
} FindingsShown;

/* Prints a paragraph for each finding, and a summary. */
void findings_print(const Findings *findings, const FindingsShown *shown,
					FILE *out);

/* Appends the array described above. */
void findings_append_json(const Findings *findings, Buf *out);

#endif /* PENSTOCK_CHECK_FINDING_H */
