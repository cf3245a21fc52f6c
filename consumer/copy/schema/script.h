/*
 * script.h
 *    A file of SQL statements, as pg_restore writes it.
 *
 * With --verbose it puts a comment before each entry of the dump,
 *
 *     -- TOC entry 3205 (class 2606 OID 16389)
 *
 * by which an entry's statements can be told from the next one's.  The same
 * text may stand in a literal, so statements are separated as the server reads
 * them, not by lines.
 */
#ifndef PENSTOCK_COPY_SCHEMA_SCRIPT_H
#define PENSTOCK_COPY_SCHEMA_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Bytes of a script that is read into memory. */
#define SCRIPT_BYTES_MAX ((size_t) 1024 * MB)

/* An entry's statements; each ends in a semicolon. */
typedef struct ScriptEntry
{
	uint32_t class_oid; /* 0 for what is no object of its own */
	uint32_t oid;
	const char *tablespace; /* statement that sets default_tablespace, or "" */
	const char *first;      /* its first statement, or "" */
	const char *rest;       /* the others, or "" */
} ScriptEntry;

typedef struct Script
{
	int count;
	ScriptEntry *entries; /* in the arena given */
} Script;

/* Reads a file that pg_restore --verbose has written. */
MUST_CHECK Rc script_read(Script *script, const char *file, Arena *arena,
						  Error *err);

/* The same from a text, which is NUL-terminated. */
void script_parse(Script *script, const char *text, Arena *arena);

/*
 * Blanks the first line of a file that equals `line`, which ends in a newline.
 * The file may lack it.
 */
MUST_CHECK Rc script_remove_line(const char *file, const char *line,
								 Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_SCRIPT_H */
