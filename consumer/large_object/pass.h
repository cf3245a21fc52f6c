/*
 * pass.h
 *    Brings the large objects of a target to where the source's are.
 *
 * Logical decoding does not tell of large objects.  But each row of the
 * catalogs that they are in says which transaction has written it, its xmin,
 * and whatever changes a large object writes at least one row: contents are in
 * pg_largeobject, of which also a truncation writes the last page, owner and
 * privileges in pg_largeobject_metadata, the comment in pg_description.  So a
 * pass copies, whole, each large object with a row that was written by a
 * transaction which was not over for the snapshot of the pass before.  That is
 * a matter of the snapshot's xmin: what began later, or was in progress then,
 * has a greater or equal number, and so has each of its subtransactions.  An
 * object may be copied once more than needed, and never once less.
 *
 * What leaves no row is found by comparing: objects that the pipeline has
 * brought to the target and the source does not have any more are removed.
 * Other ones of the target are left alone.  A comment that is removed is not
 * seen before the object changes in another way.
 *
 * Numbers of transactions come again after 2^32 of them.  Rows that old are
 * frozen, but keep their number, and may be copied for nothing.  If there were
 * 2^31 or more between two passes, or the source is another server, or on
 * another timeline, than in the pass before, everything is copied.
 *
 * The cost is that of reading all of pg_largeobject, for each target: there is
 * no index of xmin, and the contents are in the rows.
 */
#ifndef PENSTOCK_LARGE_OBJECT_PASS_H
#define PENSTOCK_LARGE_OBJECT_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/large_object_table.h"
#include "net/pgconn.h"

typedef struct LargeObjectPassOptions
{
	const char *pipeline;
	bool no_owner;
	bool no_privileges;
} LargeObjectPassOptions;

typedef struct LargeObjectsDone
{
	int64_t copied;
	int64_t removed;
} LargeObjectsDone;

/*
 * Makes one pass.  Both sessions are idle, are afterwards, and had better be
 * closed after a failure.  Each object is changed in a transaction of its own.
 * ERR_CHANGED: somebody else has begun a pass meanwhile, which makes up for
 * this one.  Nothing is done if the target has no such pipeline.  Waits.
 */
MUST_CHECK Rc large_objects_pass(const LargeObjectPassOptions *options,
								 PgConn *source, PgConn *target,
								 LargeObjectsDone *done, Error *err);

/*
 * Reads where the source is: in a transaction that has a snapshot, of that.
 */
MUST_CHECK Rc large_objects_read_point(PgConn *source, LargeObjectPoint *point,
									   Error *err);

/* Fails if the role may not read what a pass reads.  Waits. */
MUST_CHECK Rc large_objects_check_followable(PgConn *source, Error *err);

/*
 * How many transactions there were from the point of the last pass to the next
 * one to begin, or -1: that does not say what has changed since.
 */
int64_t large_objects_age(const LargeObjectPoint *last,
						  const LargeObjectPoint *now, int64_t next);

#endif /* PENSTOCK_LARGE_OBJECT_PASS_H */
