/*
 * anchor.h
 *    Exports snapshots on the source and on all targets that show the same
 *    transactions of the source.
 *
 *     1. We wait until the transactions that are open on the source have ended;
 *        the follower continues meanwhile.
 *     2. We hold all targets with a fence (see job/fence.h).
 *     3. We create a temporary slot on the source, which exports a snapshot.
 *        The snapshot shows exactly the transactions that committed before the
 *        slot's consistent point.
 *     4. We move the fence to that consistent point.
 *     5. When all targets have reached it, we export a snapshot on each, and
 *        remove the fence.
 *
 * The follower does not advance from step 2 to step 5, except to the new fence.
 * Creating the slot waits for transactions that began on the source after step
 * 1.  So if it takes longer than ANCHOR_HOLD_MAX_MS, we remove the fence and
 * begin again, at most ANCHOR_TRIES_MAX times.  The fence is not put up, and so
 * the source's snapshot is not made, before the targets are near the end of the
 * source's WAL: a snapshot is of use for a limited time.
 *
 * The snapshots exist until the anchor is released.  The anchor does not lock
 * tables.  Whoever reads a table has to check whether the snapshot still shows
 * its rows (see copy/rows/guard.h).
 */
#ifndef PENSTOCK_JOB_VERIFY_ANCHOR_H
#define PENSTOCK_JOB_VERIFY_ANCHOR_H

#include "base/error.h"
#include "config/config.h"
#include "model/lsn.h"
#include "net/pgconn.h"
#include "source/slot.h"

/* Maximum time that creating the slot may take, and maximum number of attempts
 * to create it in that time. */
#define ANCHOR_HOLD_MAX_MS 10000
#define ANCHOR_TRIES_MAX   20

typedef struct AnchorTarget
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *conn; /* session in the transaction that exports the snapshot */
	char snapshot[SLOT_SNAPSHOT_SIZE];
} AnchorTarget;

typedef struct Anchor
{
	const Config *config;
	PgConn *source;      /* session for queries, outside of the snapshot */
	PgConn *replication; /* replication connection that exports the snapshot */
	SlotSnapshot snapshot;
	int64_t taken_us; /* monotonic time when the source's snapshot began */

	/* Called when the snapshots exist and the targets are still held, if it is
	 * not NULL; may block.  The caller of anchor_take() sets it. */
	Rc (*held)(void *context, Error *err);
	void *held_context;
	AnchorTarget targets[CONFIG_TARGETS_MAX];
} Anchor;

/* Exports the snapshots; blocks.  *anchor must be zeroed, apart from `held`.
 * The caller releases it, after a failure too. */
MUST_CHECK Rc anchor_take(Anchor *anchor, const Config *config, Error *err);

void anchor_release(Anchor *anchor);

/* Opens a session for reading on source or target; blocks.  `label` is the name
 * of the server in messages. */
MUST_CHECK Rc anchor_open_reader(PgConn **conn, const char *conninfo,
								 const char *label, Error *err);

/* Open a session for reading on the source or a target, in a transaction that
 * has imported the anchor's snapshot; block. */
MUST_CHECK Rc anchor_open_source(PgConn **conn, const Anchor *anchor,
								 Error *err);
MUST_CHECK Rc anchor_open_target(PgConn **conn, const Anchor *anchor,
								 int number, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_ANCHOR_H */
