/*
 * pass.h
 *    Copies changed large objects from the source to a target.
 *
 * Logical decoding does not send large objects.  But the catalogs that contain
 * them show which transaction wrote each row (xmin), and every change of a
 * large object writes at least one row: the contents are in pg_largeobject,
 * where a truncation writes the last page, too; owner and privileges are in
 * pg_largeobject_metadata, the comment is in pg_description.  A pass copies
 * each large object that has a row from a transaction which was not finished in
 * the snapshot of the previous pass.  Such a transaction, and each of its
 * subtransactions, has an XID that is not less than that snapshot's xmin.  An
 * object may be copied without need, but a changed object is always copied.
 *
 * A dropped object leaves no row, so it is found by comparing: objects that the
 * pipeline has copied to the target, and that the source does not have, are
 * removed.  Other large objects of the target are left alone.  A removed
 * comment is not noticed before the object changes in another way.
 *
 * XIDs repeat after 2^32 transactions.  Old rows are frozen, but keep their
 * XID, and may be copied without need.  Everything is copied if there were 2^31
 * or more transactions between two passes, or if the source is another server
 * or on another timeline than in the previous pass.
 *
 * A pass for one target reads all of pg_largeobject, because xmin has no index
 * and the contents are in the same rows.
 */
#ifndef PENSTOCK_LARGE_OBJECT_PASS_H
#define PENSTOCK_LARGE_OBJECT_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/copy/large_object_table.h"
#include "model/history.h"
#include "model/lsn.h"
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
 * Makes one pass; waits for both servers.  Both sessions must be idle, and are
 * idle afterwards; the caller should close them after a failure.  Each object
 * is written in a transaction of its own.  Nothing is done if the target does
 * not have the pipeline.  RC_FAIL with ERR_CHANGED: another process has begun a
 * pass, which does the work of this one, too.
 */
MUST_CHECK Rc large_objects_pass(const LargeObjectPassOptions *options,
								 PgConn *source, PgConn *target,
								 LargeObjectsDone *done, Error *err);

/* A server that a pass may read from. */
typedef struct LargeObjectServer
{
	LargeObjectPoint point;
	Lsn lsn; /* position in its WAL, before `point` was read */
	bool is_standby;
} LargeObjectServer;

/*
 * Whether a server has all that the stream has brought to the target, whose
 * progress is `applied` in the WAL of `stream`.  A connection string with
 * several hosts may lead to a standby that lags, or to the former primary.  The
 * timeline of a standby is not known exactly, so it is not compared.
 */
bool large_objects_is_source(const LargeObjectServer *server,
							 const SourceIdentity *stream, Lsn applied);

/*
 * Reads the state of the source, as of the transaction's snapshot if there is
 * one; waits.
 */
MUST_CHECK Rc large_objects_read_point(PgConn *source, LargeObjectPoint *point,
									   Error *err);

/*
 * Checks that our role may read what a pass reads; otherwise RC_FAIL with
 * ERR_CONFIG.  Waits.
 */
MUST_CHECK Rc large_objects_check_followable(PgConn *source, Error *err);

/*
 * Returns the number of transactions from the last pass, at point `last`, to
 * the source's next XID `next`; -1 if the last pass does not tell what has
 * changed since, so that everything must be copied.
 */
int64_t large_objects_age(const LargeObjectPoint *last,
						  const LargeObjectPoint *now, int64_t next);

#endif /* PENSTOCK_LARGE_OBJECT_PASS_H */
