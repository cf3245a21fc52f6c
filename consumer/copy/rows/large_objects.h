/*
 * large_objects.h
 *    Copies large objects, with owners, privileges and comments, as they are
 *    under the snapshot.  Logical decoding does not tell of them: see
 *    large_object/pass.h for how they are followed.
 */
#ifndef PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H
#define PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Bytes that are read of an object at a time. */
#define LARGE_OBJECT_CHUNK_BYTES (256 * KB)

typedef struct LargeObjectsOptions
{
	const char *source;   /* connection string */
	const char *snapshot; /* exported by the source */
	const char *pipeline; /* for which each is noted; NULL: none is, and they
						   * are not followed */
	bool no_owner;
	bool no_privileges;
} LargeObjectsOptions;

/*
 * Copies all that the target does not have; each in a transaction of its own.
 * Waits.
 */
MUST_CHECK Rc large_objects_copy(const LargeObjectsOptions *options,
								 PgConn *target, int64_t *copied, Error *err);

/* Drops those of the target that the source has too. */
MUST_CHECK Rc large_objects_drop(PgConn *source, PgConn *target, Error *err);

/* Fails if the role may not read all of them. */
MUST_CHECK Rc large_objects_check_readable(PgConn *source, Error *err);

/* How many the source has. */
MUST_CHECK Rc large_objects_count(PgConn *source, int64_t *count, Error *err);

/* Fails if the target has any. */
MUST_CHECK Rc large_objects_check_absent(PgConn *target, Error *err);

#endif /* PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H */
