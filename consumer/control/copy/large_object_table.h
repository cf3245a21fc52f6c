/*
 * large_object_table.h
 *    The tables on a target about large objects: which of them a pipeline has
 *    written, and up to which snapshot of the source.
 *
 * penstock.large_object has a row for each large object that belongs to a
 * pipeline.  All other large objects of the target are never changed.
 *
 * A pass reads the source's large objects and writes those that have changed.
 * penstock.large_object_pass has a row per pipeline, with the snapshot of the
 * last complete pass.  The next pass considers only transactions that were not
 * finished in that snapshot.  Each pass takes a new token.  Every transaction
 * that writes large objects locks the row, and requires the token of its pass,
 * so a pass cannot write after another one has begun.
 */
#ifndef PENSTOCK_CONTROL_COPY_LARGE_OBJECT_TABLE_H
#define PENSTOCK_CONTROL_COPY_LARGE_OBJECT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/pgconn.h"

/* Bytes for a server's system identifier, including the terminating zero. */
#define LARGE_OBJECT_SYSTEM_SIZE 32

/* A state of the source. */
typedef struct LargeObjectPoint
{
	char system[LARGE_OBJECT_SYSTEM_SIZE]; /* system identifier */
	int64_t timeline;
	int64_t xmin; /* xmin of the snapshot, with epoch: transactions before it
				   * were finished; 0: no pass was completed yet */
} LargeObjectPoint;

typedef struct LargeObjectPass
{
	int64_t token;
	LargeObjectPoint last; /* state of the source in the last complete pass */
} LargeObjectPass;

/*
 * SQL for hints, with the name of a pipeline: the first makes a pipeline forget
 * that it follows large objects, the second makes the next pass copy all of
 * them again.
 */
#define LARGE_OBJECT_FORGET_SQL                                                \
	"DELETE FROM penstock.large_object_pass WHERE pipeline = '%s';"
#define LARGE_OBJECT_AGAIN_SQL                                                 \
	"UPDATE penstock.large_object_pass SET source_xmin = NULL"                 \
	" WHERE pipeline = '%s';"

/*
 * Begins a pass: takes a new token, which ends every earlier pass.  *exists is
 * false if the target does not have the pipeline, or was promoted.  Must not be
 * called in a transaction.  Waits.
 */
MUST_CHECK Rc large_object_table_begin(PgConn *target, const char *pipeline,
									   LargeObjectPass *pass, bool *exists,
									   Error *err);

/*
 * Ends a pass of another session, which cannot write from then on.  Waits for a
 * transaction of that pass to end.
 */
MUST_CHECK Rc large_object_table_supersede(PgConn *target, const char *pipeline,
										   Error *err);

/*
 * Locks the pipeline's row in the current transaction, so that no other pass
 * can begin before its end.  RC_FAIL with ERR_CHANGED: another pass has begun.
 * Waits.
 */
MUST_CHECK Rc large_object_table_hold(PgConn *target, const char *pipeline,
									  int64_t token, Error *err);

/*
 * Records a pass as complete, with the state of the source that it has read.
 * Waits.
 */
MUST_CHECK Rc large_object_table_end(PgConn *target, const char *pipeline,
									 int64_t token,
									 const LargeObjectPoint *point, Error *err);

/*
 * Records the snapshot of a copy that begins.  A copy that continues another
 * one with a newer snapshot keeps the recorded one.  Waits.
 */
MUST_CHECK Rc large_object_table_begin_copy(PgConn *target,
											const char *pipeline,
											const LargeObjectPoint *point,
											Error *err);

/* What a target has under the OID of a large object. */
typedef struct LargeObjectOnTarget
{
	bool exists;
	bool is_ours;
	bool is_foreign; /* belongs to another pipeline */
} LargeObjectOnTarget;

MUST_CHECK Rc large_object_table_look(PgConn *target, const char *pipeline,
									  const char *oid,
									  LargeObjectOnTarget *there, Error *err);

/*
 * Records that a large object belongs to the pipeline, in the transaction that
 * creates it.  Waits.
 */
MUST_CHECK Rc large_object_table_note(PgConn *target, const char *pipeline,
									  const char *oid, Error *err);

/* Counts the large objects of the pipeline.  Waits. */
MUST_CHECK Rc large_object_table_count(PgConn *target, const char *pipeline,
									   int64_t *count, Error *err);

/*
 * Removes large objects of the pipeline, and their rows, in the current
 * transaction: those with an OID greater than `after` and not greater than
 * `last`, which are not in the array `kept`.  Waits.
 */
MUST_CHECK Rc large_object_table_remove(PgConn *target, const char *pipeline,
										uint32_t after, uint32_t last,
										const char *kept, int64_t *removed,
										Error *err);

/* Removes all rows of a pipeline; the large objects stay.  Waits. */
MUST_CHECK Rc large_object_table_forget(PgConn *target, const char *pipeline,
										Error *err);

/*
 * Finds a pipeline that follows large objects of the server with system
 * identifier `source` to this server.  The name is allocated in the arena;
 * NULL: there is none, or our role may not read the tables.  Waits.
 */
MUST_CHECK Rc large_object_table_find_from(PgConn *server, const char *source,
										   Arena *arena, const char **pipeline,
										   Error *err);

#endif /* PENSTOCK_CONTROL_COPY_LARGE_OBJECT_TABLE_H */
