/*
 * publications.h
 *    The publications that say what is copied.
 *
 * The list is written as the plugin reads it: identifiers between commas, which
 * are folded to lower case unless they stand in double quotes.
 */
#ifndef PENSTOCK_CATALOG_PUBLICATIONS_H
#define PENSTOCK_CATALOG_PUBLICATIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/* Publications in one list. */
#define PUBLICATIONS_MAX 256

typedef struct Publications
{
	int count;
	const char *names[PUBLICATIONS_MAX];

	bool all_tables;     /* one of them is FOR ALL TABLES */
	bool publishes_keys; /* one of them publishes updates or deletes */
} Publications;

/* Reads a list; the names are allocated in `arena`. */
MUST_CHECK Rc publications_parse(Publications *publications, const char *list,
								 Arena *arena, Error *err);

/*
 * Looks them up on the source.  One that does not exist is ERR_CONFIG, with the
 * statement that makes it.
 */
MUST_CHECK Rc publications_read(Publications *publications, PgConn *source,
								Error *err);

/* Appends 'a', 'b' for use in a statement. */
void publications_append_literals(const Publications *publications, Buf *sql);

#endif /* PENSTOCK_CATALOG_PUBLICATIONS_H */
