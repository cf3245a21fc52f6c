/*
 * anchor.h
 *    Snapshots of the source and of all targets that have the same
 *    transactions.
 *
 *     1. wait until the transactions that are open on the source have ended,
 *        while everything goes on
 *     2. put up a fence (see job/fence.h)
 *     3. make a temporary slot on the source, which exports a snapshot: it has
 *        what was committed before the slot's consistent point, and nothing
 * else
 *     4. move the fence to that point
 *     5. when all targets are there, export a snapshot of each, and let go
 *
 * Targets stand still from 2 to 5.  Long transactions on the source that begin
 * just then would prolong it, so it ends after ANCHOR_HOLD_MAX_MS, and is tried
 * again.
 *
 * The snapshots last until the anchor is released.  Tables are not locked: who
 * reads one looks whether the snapshot still shows its rows (see
 * copy/rows/guard.h).
 */
#ifndef PENSTOCK_JOB_VERIFY_ANCHOR_H
#define PENSTOCK_JOB_VERIFY_ANCHOR_H

#include "base/error.h"
#include "config/config.h"
#include "model/lsn.h"
#include "net/pgconn.h"
#include "source/slot.h"

/* How long the source may take to make the slot. */
#define ANCHOR_HOLD_MAX_MS 10000

typedef struct AnchorTarget
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *conn; /* in the transaction of the snapshot */
	char snapshot[SLOT_SNAPSHOT_SIZE];
} AnchorTarget;

typedef struct Anchor
{
	const Config *config;
	PgConn *source;      /* to ask what is there now */
	PgConn *replication; /* has the snapshot */
	SlotSnapshot snapshot;
	AnchorTarget targets[CONFIG_TARGETS_MAX];
} Anchor;

/* Takes one, with zeroed *anchor.  Waits.  To be released also after a failure.
 */
MUST_CHECK Rc anchor_take(Anchor *anchor, const Config *config, Error *err);

void anchor_release(Anchor *anchor);

/* Opens a session that reads; the label is that of a server. */
MUST_CHECK Rc anchor_open_reader(PgConn **conn, const char *conninfo,
								 const char *label, Error *err);

/* The same on the source or a target, in a transaction that has the anchor's
 * snapshot. */
MUST_CHECK Rc anchor_open_source(PgConn **conn, const Anchor *anchor,
								 Error *err);
MUST_CHECK Rc anchor_open_target(PgConn **conn, const Anchor *anchor,
								 int number, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_ANCHOR_H */
