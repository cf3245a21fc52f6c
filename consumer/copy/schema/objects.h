/*
 * objects.h
 *    Records which objects a clone creates on a target, and drops them.
 *
 * Before pg_restore begins, we write to the clone's work list which objects of
 * the dump do not exist on the target.  The clone creates these.  When the
 * clone starts over, or was interrupted while it created them, we drop these
 * objects and no others.
 *
 * Objects are identified by type and identity of pg_identify_object().
 */
#ifndef PENSTOCK_COPY_SCHEMA_OBJECTS_H
#define PENSTOCK_COPY_SCHEMA_OBJECTS_H

#include "base/arena.h"
#include "base/error.h"
#include "copy/schema/partial.h"
#include "net/pgconn.h"

/* Adds to the work list which of the source's objects do not exist on the
 * target.  Blocks. */
MUST_CHECK Rc objects_note_missing(const ObjectSet *objects, PgConn *source,
								   PgConn *target, const char *pipeline,
								   Error *err);

/*
 * Sets *present to those of the source's objects, other than tables, that exist
 * on the target; allocated in the arena.  Blocks.
 */
MUST_CHECK Rc objects_find_present(ObjectSet *present, const ObjectSet *objects,
								   PgConn *source, PgConn *target, Arena *arena,
								   Error *err);

/*
 * Drops the objects of the work list and removes them from the list; blocks.
 * Uses CASCADE, except for schemas: a schema that is not empty then is an
 * error.  Sets *tables and *others to the numbers of dropped tables and other
 * objects.
 */
MUST_CHECK Rc objects_drop(PgConn *target, const char *pipeline, int *tables,
						   int *others, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_OBJECTS_H */
