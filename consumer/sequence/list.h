/*
 * list.h
 *    Reads the definitions and values of a server's sequences.
 *
 * A list of the source's sequences has those that the published tables need.  A
 * list of the target's has the same names in the same order.  A sequence that
 * was dropped, is locked or may not be read does not prevent reading the
 * others: its `problem` says so.
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
	const char *qualified; /* schema and name, quoted for SQL */
	uint32_t oid;          /* 0: no such sequence on the server, or not by this
							* name */
	bool reachable;        /* whether our role has USAGE on the schema */
	bool readable;         /* whether our role may read the sequence */
	bool settable;         /* whether our role may set the sequence */
	bool has_value;        /* whether `value` was read */
	SequenceRange definition;
	SequenceValue value;

	/*
	 * Why the sequence is not followed, and what to do about that; NULL: no
	 * problem.
	 */
	const char *problem;
	const char *hint;
	const char *remark; /* notable property that is not a problem; NULL: none */
} SequenceItem;

typedef struct SequenceList
{
	Arena *arena; /* owned; has the items and their strings */
	int count;
	SequenceItem *items;
	HashIndex by_name; /* indexes of items by schema and name */
} SequenceList;

/*
 * Finds the sequences of a server, in the order of their OIDs; reads no values.
 * With a catalog: if a publication is FOR ALL TABLES, all sequences of the
 * database, else those that the catalog's relations own or use.  Without a
 * catalog (NULL): all sequences.  `permanent`: leave out unlogged sequences.
 * Waits for the server.  The caller must call sequence_list_release() after
 * success.
 */
MUST_CHECK Rc sequence_list_find(SequenceList *list, const CopyCatalog *catalog,
								 PgConn *source, bool permanent, Error *err);

/*
 * Reads definitions and values of the list's sequences on the source; waits for
 * it.  *complete is false if a sequence was dropped or renamed, so that the
 * caller should find the sequences again.
 */
MUST_CHECK Rc sequence_list_read(SequenceList *list, PgConn *source,
								 bool *complete, Error *err);

/*
 * Makes a list of the target's sequences that have the names of these `count`
 * items, and reads definitions and values; waits for the target.  The list must
 * be empty.  The strings of the names are borrowed.  The caller must call
 * sequence_list_release() in any case.
 */
MUST_CHECK Rc sequence_list_read_target(SequenceList *list,
										SequenceItem *const *names, int count,
										PgConn *target, Error *err);

/* Returns the index of the sequence with that name, or -1. */
int sequence_list_index(const SequenceList *list, const char *schema,
						const char *name);

/* Frees everything in the list.  Accepts a zeroed list. */
void sequence_list_release(SequenceList *list);

/* Runs a statement for the items from index `first` to `end` - 1. */
typedef Rc (*SequenceStatement)(void *context, int first, int end, Error *err);

/*
 * Calls `run` for all items, in batches; waits for the server.  If the server
 * refuses the statement of a batch, `run` is called for each of its items, and
 * an error becomes the `problem` of that item.
 */
MUST_CHECK Rc sequence_list_run(SequenceList *list, SequenceStatement run,
								void *context, Error *err);

#endif /* PENSTOCK_SEQUENCE_LIST_H */
