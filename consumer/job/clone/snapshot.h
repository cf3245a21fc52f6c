/*
 * snapshot.h
 *    What a clone is of: what is read of the source, under which snapshot, and
 *    from which server.
 */
#ifndef PENSTOCK_JOB_CLONE_SNAPSHOT_H
#define PENSTOCK_JOB_CLONE_SNAPSHOT_H

#include "base/error.h"
#include "job/clone/state.h"

/* Who the source is; must come before the slot exports its snapshot. */
MUST_CHECK Rc clone_identify_source(CloneSource *source, Error *err);

/* Whether the standby is one of the source, as far as the role may know. */
MUST_CHECK Rc clone_check_standby(const Clone *clone, Error *err);

/*
 * Creates the slot of each source, or the snapshot with which a clone goes on,
 * and reads again what is published.  The tables are in the work list.
 */
MUST_CHECK Rc clone_take_snapshots(Clone *clone, Error *err);

/*
 * Reads again how the tables are defined that the snapshot does not show any
 * more.  It is not to be used after that.
 */
MUST_CHECK Rc clone_renew_catalog(CloneSource *source, Error *err);

/* Takes a snapshot of now, in place of the one there was. */
MUST_CHECK Rc clone_renew_snapshot(CloneSource *source, Error *err);

/*
 * Has the rows read from the standby, if there is one, under a snapshot of its
 * own.  It has to have all that the slot has not, and what was read of the
 * catalog until now.
 */
MUST_CHECK Rc clone_join_standby(Clone *clone, Error *err);

/* The connection string of the server that rows are read from. */
const char *clone_rows_source(const Clone *clone);

/* All rows are read: the sources may clean up again. */
void clone_release_sources(Clone *clone);

#endif /* PENSTOCK_JOB_CLONE_SNAPSHOT_H */
