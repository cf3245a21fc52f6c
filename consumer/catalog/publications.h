/*
 * publications.h
 *    Reads the list of publications whose tables are copied.
 *
 * The list has the syntax of the plugin's option: identifiers separated by
 * commas, which are folded to lower case unless they are in double quotes.
 */
#ifndef PENSTOCK_CATALOG_PUBLICATIONS_H
#define PENSTOCK_CATALOG_PUBLICATIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/words.h"
#include "net/pgconn.h"

/* Maximum number of publications in a list. */
#define PUBLICATIONS_MAX 256

typedef struct Publications
{
	int count;
	const char *names[PUBLICATIONS_MAX];

	/* Set by publications_read(). */
	bool all_tables;     /* whether one publication is FOR ALL TABLES */
	bool publishes_keys; /* whether one publishes updates or deletes */
} Publications;

/* Parses a list; the names are allocated in `arena`. */
MUST_CHECK Rc publications_parse(Publications *publications, const char *list,
								 Arena *arena, Error *err);

/* The same, as words, of which nothing but the names is known. */
MUST_CHECK Rc publications_words(Words *words, const char *list, Arena *arena,
								 Error *err);

/*
 * Reads the properties of the publications from the source; blocks.  A
 * publication that does not exist is an error with ERR_CONFIG, and with the
 * statement that creates it as hint.
 */
MUST_CHECK Rc publications_read(Publications *publications, PgConn *source,
								Error *err);

/* Appends the names as SQL literals: 'a', 'b'. */
void publications_append_literals(const Publications *publications, Buf *sql);

#endif /* PENSTOCK_CATALOG_PUBLICATIONS_H */
