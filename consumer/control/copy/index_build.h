/*
 * index_build.h
 *    The table penstock.index_build on the target: indexes that the source has,
 *    and that the target is still to build.
 *
 * A follower does not build an index of a large table in the transaction that
 * applies the source's CREATE INDEX: the rows of all tables would wait for it.
 * That transaction adds a row to this table instead.  The index is built after
 * it, with CREATE INDEX CONCURRENTLY, by another session of the follower, which
 * removes the row.
 *
 * A build may take hours, so it goes on in the server when the follower ends or
 * loses its connection.  Who finds it later waits for its lock, and then finds
 * the index.
 *
 * Whoever builds an index holds its advisory lock, and builds it only if the
 * row still exists under that lock.  Whoever applies a schema change of the
 * table takes the same lock before.  So an index is never built while its table
 * is altered, and never after the change that drops it.
 */
#ifndef PENSTOCK_CONTROL_COPY_INDEX_BUILD_H
#define PENSTOCK_CONTROL_COPY_INDEX_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

typedef struct IndexBuild
{
	uint32_t table_oid;    /* the source's OIDs */
	uint32_t index_oid;    /* likewise */
	const char *schema;    /* schema and name of the index on the target */
	const char *name;      /* likewise */
	const char *statement; /* CREATE INDEX CONCURRENTLY … */
	Lsn lsn;               /* end of the source's transaction */
} IndexBuild;

typedef struct IndexBuilds
{
	int count;
	IndexBuild *builds;
} IndexBuilds;

/* Adds an index to a pipeline's rows, in the current transaction.  Waits. */
MUST_CHECK Rc index_build_write(PgConn *target, const char *pipeline,
								const IndexBuild *build, Error *err);

/*
 * Reads a pipeline's rows, in the order of their positions, into the arena.  No
 * table or no rows is not an error.  Waits.
 */
MUST_CHECK Rc index_builds_read(PgConn *target, const char *pipeline,
								Arena *arena, IndexBuilds *builds, Error *err);

/*
 * Sets *lsn to the newest position of a pipeline's rows; 0: it has none. Waits.
 */
MUST_CHECK Rc index_builds_newest(PgConn *target, const char *pipeline,
								  Lsn *lsn, Error *err);

/* Removes an index's row.  Waits. */
MUST_CHECK Rc index_build_remove(PgConn *target, const char *pipeline,
								 uint32_t index_oid, Error *err);

/*
 * Appends the statement by which an operator makes the pipeline do without the
 * index.
 */
void index_build_append_removal(const char *pipeline, uint32_t index_oid,
								Buf *sql);

typedef enum IndexNeed
{
	INDEX_GONE,   /* the index's row does not exist any more */
	INDEX_AFTER,  /* a command copies the index's table or lets it catch up; it
				   * creates indexes and alters the table */
	INDEX_NEEDED, /* it is to be built */
} IndexNeed;

/*
 * Takes the advisory lock of an index for the session, and sets *need to what
 * is to be done under it.  RC_AGAIN: another session has the lock.  We do not
 * wait for it in the server: CREATE INDEX CONCURRENTLY waits for the snapshots
 * of other statements, so it would wait for us.
 */
MUST_CHECK Rc index_build_hold(PgConn *target, const char *pipeline,
							   uint32_t index_oid, IndexNeed *need, Error *err);

/* Releases the lock of index_build_hold().  Waits. */
MUST_CHECK Rc index_build_release(PgConn *target, const char *pipeline,
								  uint32_t index_oid, Error *err);

/*
 * Cancels the session that builds the index, if there is one, and takes the
 * advisory lock until the end of the current transaction; lock_timeout limits
 * the time.  Waits.
 */
MUST_CHECK Rc index_build_stop(PgConn *target, const char *pipeline,
							   uint32_t index_oid, Error *err);

/* application_name of the sessions that build indexes. */
#define INDEX_BUILD_SESSION "penstock indexes"

/*
 * Appends the rest of a SELECT or PERFORM that cancels builds of the indexes of
 * a table and its partitions; `table` is its name in SQL.  For statements that
 * need a lock on the table: CREATE INDEX CONCURRENTLY would make them wait
 * until the build ends.  The follower builds the index again after a pause.
 */
void index_build_append_cancel(Buf *sql, const char *table);

typedef enum IndexFound
{
	INDEX_NOT_FOUND,
	INDEX_INVALID, /* what CREATE INDEX CONCURRENTLY leaves if it fails */
	INDEX_VALID,
} IndexFound;

/* Finds out whether the target's table has an index of that name.  One that is
 * being built by another session counts as not found, and so does one of
 * another table.  Waits. */
MUST_CHECK Rc index_build_find(PgConn *target, const IndexBuild *build,
							   IndexFound *found, Error *err);

#endif /* PENSTOCK_CONTROL_COPY_INDEX_BUILD_H */
