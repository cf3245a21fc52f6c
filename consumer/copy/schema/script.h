/*
 * script.h
 *    Parses the SQL script that pg_restore writes, into the statements of each
 *    entry of the dump.
 *
 * With --verbose, pg_restore writes a comment before each entry,
 *
 *     -- TOC entry 3205 (class 2606 OID 16389)
 *
 * which shows where the statements of the entry begin.  Because a string
 * literal may contain the same text, we split the script into tokens as the
 * server does, and not into lines.
 */
#ifndef PENSTOCK_COPY_SCHEMA_SCRIPT_H
#define PENSTOCK_COPY_SCHEMA_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Maximum size of a script. */
#define SCRIPT_BYTES_MAX ((size_t) 1024 * MB)

/* An entry's statements; each ends in a semicolon. */
typedef struct ScriptEntry
{
	uint32_t class_oid;     /* OID of the object's system catalog; 0: the entry
							 * is no object of its own */
	uint32_t oid;           /* the object's OID on the source */
	const char *tablespace; /* statement that sets default_tablespace, or "" */
	const char *first;      /* the entry's first statement, or "" */
	const char *rest;       /* the entry's other statements, or "" */
} ScriptEntry;

typedef struct Script
{
	int count;
	ScriptEntry *entries; /* allocated in the caller's arena */
} Script;

/* Parses a file that pg_restore --verbose has written; allocates in `arena`. */
MUST_CHECK Rc script_read(Script *script, const char *file, Arena *arena,
						  Error *err);

/* Parses the NUL-terminated text of a script; allocates in `arena`. */
void script_parse(Script *script, const char *text, Arena *arena);

/*
 * Overwrites the first line of a file that equals `line`, which ends with a
 * newline, with spaces.  Returns RC_OK also if there is no such line.
 */
MUST_CHECK Rc script_remove_line(const char *file, const char *line,
								 Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_SCRIPT_H */
