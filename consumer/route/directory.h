/*
 * directory.h
 *    Which target a key's rows are on, as a table of the source lists it.
 *
 * The table is on every target, so the copy of a target that is at some
 * position is what the source's was there.  A directory starts from such a copy
 * and follows the changes of the table from there on; so each row is placed by
 * what was listed when it was written.
 *
 * A key stays where it is: to list it with another target would mean that its
 * rows move there.  Keys are compared as text, to the byte.
 */
#ifndef PENSTOCK_ROUTE_DIRECTORY_H
#define PENSTOCK_ROUTE_DIRECTORY_H

#include "base/error.h"
#include "model/change.h"
#include "model/placement.h"

/* Keys of one directory. */
#define DIRECTORY_KEYS_MAX (16 * 1024 * 1024)

typedef struct Directory Directory;

/* An empty one, of what is listed at `lsn`; borrows `place`. */
Directory *directory_new(const PlacementDirectory *place, Lsn lsn);

/* Accepts NULL. */
void directory_free(Directory *directory);

/* Lists a key.  RC_FAIL with ERR_CONFIG: it is listed with another target, or
 * there is no such target. */
MUST_CHECK Rc directory_add(Directory *directory, const char *key,
							const char *node, Error *err);

/* Takes a change of any table, of a transaction that ends at `end_lsn`. */
MUST_CHECK Rc directory_note(Directory *directory, const Change *change,
							 Lsn end_lsn, Error *err);

/*
 * Finds the target for a row of a table whose key is in the column of that
 * name.  RC_FAIL with ERR_CONFIG: it is not listed, and there is no default.
 */
MUST_CHECK Rc directory_find(const Directory *directory,
							 const Relation *relation, const char *column,
							 const Value *row, int *target, Error *err);

#endif /* PENSTOCK_ROUTE_DIRECTORY_H */
