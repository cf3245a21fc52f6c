/*
 * ini.h
 *    Reading a file of sections and settings, as pgbouncer.ini is one.
 *
 *     ; a comment, as is a line that starts with #
 *     [section]
 *     key = value
 *
 * A value is the rest of the line, without the blanks around it, whatever is
 * in it.  An = within double quotes belongs to the key.  Each entry knows its
 * line, so that whoever makes sense of it can say where it stands.
 *
 * (Debian's libinih cuts lines at 200 bytes and values at " ;", and takes a
 * colon for an =: connection strings and quoted names would be bent in
 * silence.)
 */
#ifndef PENSTOCK_CONFIG_INI_H
#define PENSTOCK_CONFIG_INI_H

#include "base/arena.h"
#include "base/error.h"

/* Most bytes that such a file can have. */
#define INI_BYTES_MAX (16 * MB)

typedef struct IniEntry
{
	const char *section; /* what is between the brackets */
	const char *key;     /* NULL: the section's own line */
	const char *value;   /* NULL like the key */
	int line;            /* from 1 */
} IniEntry;

typedef struct Ini
{
	const char *path;
	int entry_count;
	const IniEntry *entries; /* in the file's order */
} Ini;

/*
 * Reads a file.  Everything in *ini is allocated in the arena.  RC_FAIL with
 * ERR_CONFIG: it cannot be read, or a line of it is none of the above.
 */
MUST_CHECK Rc ini_read(Ini *ini, const char *path, Arena *arena, Error *err);

/* The same of a text, which stands for the contents of the file `path`. */
MUST_CHECK Rc ini_parse(Ini *ini, const char *path, const char *text,
						Arena *arena, Error *err);

#endif /* PENSTOCK_CONFIG_INI_H */
