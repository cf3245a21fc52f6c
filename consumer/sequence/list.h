/*
 * list.h
 *    Sequences of a server: what they are, and where they stand.
 *
 * A list of the source's is made of what a publication's tables need; one of a
 * target has the same names in the same order.  One that was dropped meanwhile,
 * that may not be read, or that is locked, keeps nobody from reading the rest.
 */
#ifndef PENSTOCK_SEQUENCE_LIST_H
#define PENSTOCK_SEQUENCE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash_index.h"
#include "catalog/catalog.h"
#include "model/sequence.h"
#include "net/pgconn.h"

typedef struct SequenceItem
{
	const char *schema;
	const char *name;
	const char *qualified; /* as SQL wants it */
	uint32_t oid;          /* 0: the server does not have it, or not as this */
	bool reachable;        /* the session's role may use the schema */
	bool readable;         /* by the session's role */
	bool settable;         /* likewise */
	bool has_value;        /* value was read */
	SequenceRange definition;
	SequenceValue value;

	/* What is wrong with it, and what to do about that; or NULL. */
	const char *problem;
	const char *hint;
	const char *remark; /* what one would not expect, and is right; or NULL */
} SequenceItem;

typedef struct SequenceList
{
	Arena *arena; /* of all that the items point to */
	int count;
	SequenceItem *items;
	HashIndex by_name; /* of their names */
} SequenceList;

/*
 * Finds the sequences of the source: all of the database if a publication is
 * FOR ALL TABLES, else those that the catalog's relations own or use.
 * Without a catalog (NULL) all of any server.  `permanent`: only those that
 * survive a crash.  By OID; reads no values.
 */
MUST_CHECK Rc sequence_list_find(SequenceList *list, const CopyCatalog *catalog,
								 PgConn *source, bool permanent, Error *err);

/*
 * Reads them again on the source.  *complete is false if one is not there any
 * more, or has another name: it is time to find them anew.
 */
MUST_CHECK Rc sequence_list_read(SequenceList *list, PgConn *source,
								 bool *complete, Error *err);

/*
 * Reads those of the target that have the names of these items, of which there
 * are `count`.  A new list.
 */
MUST_CHECK Rc sequence_list_read_target(SequenceList *list,
										SequenceItem *const *names, int count,
										PgConn *target, Error *err);

/* The number of the one with that name, or -1. */
int sequence_list_index(const SequenceList *list, const char *schema,
						const char *name);

/* Accepts a zeroed one. */
void sequence_list_release(SequenceList *list);

/* Runs a statement about items `first` to `end`, which is not one of them. */
typedef Rc (*SequenceStatement)(void *context, int first, int end, Error *err);

/*
 * Runs it for all items, many at a time.  Where a statement is refused, it is
 * run for each item, and the refusal becomes the problem of that.
 */
MUST_CHECK Rc sequence_list_run(SequenceList *list, SequenceStatement run,
								void *context, Error *err);

#endif /* PENSTOCK_SEQUENCE_LIST_H */
