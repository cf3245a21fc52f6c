/*
 * ini.h
 *    Reads a file in the syntax of pgbouncer.ini: sections with settings.
 *
 *     ; a comment, as is a line that starts with #
 *     [section]
 *     key = value
 *
 * A value is the rest of the line without the blanks around it; no character in
 * it is special.  A = within double quotes belongs to the key.  Each entry has
 * its line number for messages.
 *
 * (Debian's libinih is not used: it truncates lines at 200 bytes and values at
 * " ;", and accepts a colon in place of =, so it would change connection
 * strings and quoted names without an error.)
 */
#ifndef PENSTOCK_CONFIG_INI_H
#define PENSTOCK_CONFIG_INI_H

#include "base/arena.h"
#include "base/error.h"

/* Largest size of a file, in bytes. */
#define INI_BYTES_MAX (16 * MB)

typedef struct IniEntry
{
	const char *section; /* text between the brackets */
	const char *key;     /* NULL: the entry is the line of the section itself */
	const char *value;   /* NULL if `key` is */
	int line;            /* number of the line; the first is 1 */
} IniEntry;

typedef struct Ini
{
	const char *path;
	int entry_count;
	const IniEntry *entries; /* in the order of the file */
} Ini;

/*
 * Reads a file; blocks on disk.  Everything in *ini is allocated in the arena.
 * RC_FAIL with ERR_CONFIG: the file cannot be read, or a line has wrong syntax.
 */
MUST_CHECK Rc ini_read(Ini *ini, const char *path, Arena *arena, Error *err);

/*
 * Parses the contents of a file; `path` is only used for messages.  Otherwise
 * as ini_read().
 */
MUST_CHECK Rc ini_parse(Ini *ini, const char *path, const char *text,
						Arena *arena, Error *err);

#endif /* PENSTOCK_CONFIG_INI_H */
