/*
 * large_object_table.h
 *    The tables on a target that say which large objects a pipeline has brought
 *    there, and up to where the source was looked at for them.
 *
 * penstock.large_object has a row for each large object that is the pipeline's.
 * Whatever else the target has is somebody else's, and is left alone.
 *
 * penstock.large_object_pass has a row for the pipeline: the snapshot of the
 * last pass that came to its end.  What a later pass has to look at is what was
 * not over for that snapshot.  Each pass takes a new token; what writes large
 * objects holds the row and has the token as a condition, so that a pass that
 * somebody else has followed by another one writes nothing any more.
 */
#ifndef PENSTOCK_CONTROL_LARGE_OBJECT_TABLE_H
#define PENSTOCK_CONTROL_LARGE_OBJECT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/pgconn.h"

/* Bytes of a server's system identifier, with the zero. */
#define LARGE_OBJECT_SYSTEM_SIZE 32

/* Where the source was when it was looked at. */
typedef struct LargeObjectPoint
{
	char system[LARGE_OBJECT_SYSTEM_SIZE]; /* its identifier */
	int64_t timeline;
	int64_t xmin; /* of the snapshot, with its epoch: each transaction before
				   * it is seen as it ended; 0: nothing was looked at yet */
} LargeObjectPoint;

typedef struct LargeObjectPass
{
	int64_t token;
	LargeObjectPoint last; /* the pass before */
} LargeObjectPass;

/* For hints, with the name of a pipeline: what forgets that it follows large
 * objects, and what has the next pass copy all of them. */
#define LARGE_OBJECT_FORGET_SQL                                                \
	"DELETE FROM penstock.large_object_pass WHERE pipeline = '%s';"
#define LARGE_OBJECT_AGAIN_SQL                                                 \
	"UPDATE penstock.large_object_pass SET source_xmin = NULL"                 \
	" WHERE pipeline = '%s';"

/*
 * Begins a pass: it gets a token, and every one before it is over.  *exists is
 * false if the target has no such pipeline (any more), or was promoted.  Not in
 * a transaction.  Waits.
 */
MUST_CHECK Rc large_object_table_begin(PgConn *target, const char *pipeline,
									   LargeObjectPass *pass, bool *exists,
									   Error *err);

/* Ends a pass that another session may be making: it changes nothing from here
 * on.  Waits for the transaction that it may be in. */
MUST_CHECK Rc large_object_table_supersede(PgConn *target, const char *pipeline,
										   Error *err);

/* In a transaction: keeps others from beginning a pass until it ends.
 * ERR_CHANGED: another one has begun. */
MUST_CHECK Rc large_object_table_hold(PgConn *target, const char *pipeline,
									  int64_t token, Error *err);

/* The pass has come to its end, and that is where the source was. */
MUST_CHECK Rc large_object_table_end(PgConn *target, const char *pipeline,
									 int64_t token,
									 const LargeObjectPoint *point, Error *err);

/* A copy is about to begin, of which this is the snapshot; one that goes on
 * with another keeps what that has noted. */
MUST_CHECK Rc large_object_table_begin_copy(PgConn *target,
											const char *pipeline,
											const LargeObjectPoint *point,
											Error *err);

/* What a target has of a large object. */
typedef struct LargeObjectThere
{
	bool exists;
	bool is_ours;
	bool is_others; /* another pipeline's */
} LargeObjectThere;

MUST_CHECK Rc large_object_table_look(PgConn *target, const char *pipeline,
									  const char *oid, LargeObjectThere *there,
									  Error *err);

/* It is the pipeline's from here on; in the transaction that makes it. */
MUST_CHECK Rc large_object_table_note(PgConn *target, const char *pipeline,
									  const char *oid, Error *err);

/* How many are the pipeline's. */
MUST_CHECK Rc large_object_table_count(PgConn *target, const char *pipeline,
									   int64_t *count, Error *err);

/*
 * Removes those of the pipeline's that are after OID `after`, not after `last`
 * and not in `kept`, an array; also from the target.  In a transaction.
 */
MUST_CHECK Rc large_object_table_remove(PgConn *target, const char *pipeline,
										uint32_t after, uint32_t last,
										const char *kept, int64_t *removed,
										Error *err);

/* Forgets all that is noted of a pipeline.  The large objects stay. */
MUST_CHECK Rc large_object_table_forget(PgConn *target, const char *pipeline,
										Error *err);

/*
 * A pipeline that brings large objects of the system `source` to this server,
 * in the arena; NULL: there is none, or the role may not see it.
 */
MUST_CHECK Rc large_object_table_find_from(PgConn *server, const char *source,
										   Arena *arena, const char **pipeline,
										   Error *err);

#endif /* PENSTOCK_CONTROL_LARGE_OBJECT_TABLE_H */
