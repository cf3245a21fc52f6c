/*
 * objects.h
 *    Which of the source's objects a clone has made on a target.
 *
 * Before a restore begins it is noted which of its objects the target does not
 * have yet.  Those are the clone's: when it starts over, or when it was broken
 * off in the middle of them, they are dropped, and nothing else is.
 *
 * Objects are known by what pg_identify_object() calls them.
 */
#ifndef PENSTOCK_COPY_SCHEMA_OBJECTS_H
#define PENSTOCK_COPY_SCHEMA_OBJECTS_H

#include "base/arena.h"
#include "base/error.h"
#include "copy/schema/partial.h"
#include "net/pgconn.h"

/* Notes in the work list which of the source's objects the target has not. */
MUST_CHECK Rc objects_note_missing(const ObjectSet *objects, PgConn *source,
								   PgConn *target, const char *pipeline,
								   Error *err);

/*
 * Which of the source's objects, other than tables, the target has.  They are
 * allocated in the arena.
 */
MUST_CHECK Rc objects_find_present(ObjectSet *present, const ObjectSet *objects,
								   PgConn *source, PgConn *target, Arena *arena,
								   Error *err);

/*
 * Drops what was noted, with everything that depends on it but in schemas,
 * which have to be empty by then.  *tables, *others: how many there were.
 */
MUST_CHECK Rc objects_drop(PgConn *target, const char *pipeline, int *tables,
						   int *others, Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_OBJECTS_H */
