/*
 * directory.h
 *    A directory: which target the rows of a key belong on.
 *
 * The directory is a table of the source with a key and the name of a target in
 * each row.  Placement rules of kind PLACEMENT_DIRECTORY refer to it
 * (model/placement.h).
 *
 * The table is on every target.  A target that has applied the stream up to
 * some LSN has the table as it was on the source at that LSN.  A Directory is
 * filled from such a copy, and then follows the table's changes in the stream.
 * So each row is placed by the directory as it was when the row was written.
 *
 * The target of a key cannot be changed, because the key's rows would have to
 * be moved.  Keys are compared as text, byte by byte.
 */
#ifndef PENSTOCK_ROUTE_DIRECTORY_H
#define PENSTOCK_ROUTE_DIRECTORY_H

#include "base/error.h"
#include "model/change.h"
#include "model/placement.h"

/* Largest number of keys of a directory. */
#define DIRECTORY_KEYS_MAX (16 * 1024 * 1024)

typedef struct Directory Directory;

/*
 * Returns an empty Directory, for the content that the table had at `lsn`;
 * borrows `place`, which must have the names of the targets.
 */
Directory *directory_new(const PlacementDirectory *place, Lsn lsn);

/*
 * Gives the source's OID of the directory's table, by which directory_note()
 * knows the table under another name.
 */
void directory_set_oid(Directory *directory, uint32_t oid);

/* Frees a Directory.  Accepts NULL. */
void directory_free(Directory *directory);

/*
 * Adds a key with the name of its target.  Fails with ERR_CONFIG if the key has
 * another target already, or if no target has that name.
 */
MUST_CHECK Rc directory_add(Directory *directory, const char *key,
							const char *node, Error *err);

/*
 * Applies a change of the directory's table; changes of other tables are
 * ignored, and so are transactions up to the LSN of directory_new().  `end_lsn`
 * is the end of the change's transaction.  Fails with ERR_CONFIG if the table
 * or one of its columns has another name than the section [directory] gives.
 */
MUST_CHECK Rc directory_note(Directory *directory, const Change *change,
							 Lsn end_lsn, Error *err);

/*
 * Finds the target for a row of a table whose key is in the column `column`.
 * Fails with ERR_CONFIG if the directory does not have the key and has no
 * default target.
 */
MUST_CHECK Rc directory_find(const Directory *directory,
							 const Relation *relation, const char *column,
							 const Value *row, int *target, Error *err);

#endif /* PENSTOCK_ROUTE_DIRECTORY_H */
