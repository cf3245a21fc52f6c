/*
 * large_objects.h
 *    Copies large objects, with owners, privileges and comments, as the
 *    exported snapshot shows them.  Logical decoding does not decode changes of
 *    large objects; for how we follow them see large_object/pass.h.
 */
#ifndef PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H
#define PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Number of bytes of a large object that one query reads. */
#define LARGE_OBJECT_CHUNK_BYTES (256 * KB)

typedef struct LargeObjectsOptions
{
	const char *source;   /* connection string of the source */
	const char *snapshot; /* name of the snapshot that the source exports */
	const char *pipeline; /* pipeline for which we record each large object on
						   * the target, so that it is followed; NULL: none */
	bool no_owner;        /* whether the target's role is to own the copies */
	bool no_privileges;   /* whether to leave privileges out */
} LargeObjectsOptions;

/*
 * Copies all large objects whose OIDs do not exist on the target, each in a
 * transaction of its own on the target.  *copied is set to the number of copied
 * large objects, on failure too.  Blocks.
 */
MUST_CHECK Rc large_objects_copy(const LargeObjectsOptions *options,
								 PgConn *target, int64_t *copied, Error *err);

/* Drops the target's large objects whose OIDs exist on the source, too.
 * Blocks. */
MUST_CHECK Rc large_objects_drop(PgConn *source, PgConn *target, Error *err);

/* Fails if the source's role has no privilege to read all large objects.
 * Blocks. */
MUST_CHECK Rc large_objects_check_readable(PgConn *source, Error *err);

/* Sets *count to the number of large objects on the source.  Blocks. */
MUST_CHECK Rc large_objects_count(PgConn *source, int64_t *count, Error *err);

/* Fails if there are large objects on the target.  Blocks. */
MUST_CHECK Rc large_objects_check_missing(PgConn *target, Error *err);

#endif /* PENSTOCK_COPY_ROWS_LARGE_OBJECTS_H */
