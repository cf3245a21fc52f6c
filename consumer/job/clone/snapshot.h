/*
 * snapshot.h
 *    Takes the snapshots under which a clone reads the source.  All functions
 *    with an Rc query servers and block.
 */
#ifndef PENSTOCK_JOB_CLONE_SNAPSHOT_H
#define PENSTOCK_JOB_CLONE_SNAPSHOT_H

#include "base/error.h"
#include "job/clone/state.h"

/* Reads system identifier and timeline history of the source, while there is no
 * snapshot: the next command on the replication connection would end it. */
MUST_CHECK Rc clone_identify_source(CloneSource *source, Error *err);

/* Proves that all WAL of the standby, if rows are copied from one, is in the
 * source's history.  Blocks. */
MUST_CHECK Rc clone_check_standby(const Clone *clone, Error *err);

/*
 * Creates the slot of each source or, for a clone that continues, takes another
 * snapshot; then reads the published tables again, and writes them to the work
 * lists.
 */
MUST_CHECK Rc clone_take_snapshots(Clone *clone, Error *err);

/*
 * Reads the definitions of the tables again that the snapshot does not show any
 * more.  The snapshot must not be used after that.
 */
MUST_CHECK Rc clone_renew_catalog(CloneSource *source, Error *err);

/*
 * Whether a snapshot has to be taken before rows of the catalog's tables are
 * read: the previous one is too old, or there is none because all tables seemed
 * to be copied.  `done` of the tables must be as the work lists say.
 */
bool clone_lacks_snapshot(const CloneSource *source);

/*
 * Takes a new snapshot, in place of the previous one.  It is not older than the
 * slot.
 */
MUST_CHECK Rc clone_renew_snapshot(CloneSource *source, Error *err);

/*
 * Exports a snapshot on the standby, if there is one, under which the rows are
 * read.  It must show all transactions before the slot's start, and the catalog
 * that was read until now.
 */
MUST_CHECK Rc clone_join_standby(Clone *clone, Error *err);

/* Returns the connection string of the server from which rows are read. */
const char *clone_rows_source(const Clone *clone);

/* Ends the snapshots when all rows are read, so that the sources can vacuum
 * again. */
void clone_release_sources(Clone *clone);

#endif /* PENSTOCK_JOB_CLONE_SNAPSHOT_H */
