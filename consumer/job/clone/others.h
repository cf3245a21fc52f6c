/*
 * others.h
 *    A clone of several sources: the second and further ones.
 *
 * The first source is cloned as if it were the only one, and gives the schema
 * and what is the same everywhere.  The others add their rows to the tables
 * that are spread.  Each has a pipeline, and so a slot and progress, of its
 * own; the clone as a whole is noted under the first one's, and is there, or is
 * not, for all at once.
 */
#ifndef PENSTOCK_JOB_CLONE_OTHERS_H
#define PENSTOCK_JOB_CLONE_OTHERS_H

#include "base/error.h"
#include "job/clone/state.h"

/* Takes up the further sources of the configuration file, if there are any. */
void clone_others_init(Clone *clone, const Config *all);

/* Opens the connections to them. */
MUST_CHECK Rc clone_others_open(Clone *clone, Error *err);

/* What look_and_check() is for the first.  Writes nothing. */
MUST_CHECK Rc clone_others_check(Clone *clone, Error *err);

/* Drops the slots that an unfinished clone has left. */
MUST_CHECK Rc clone_others_throw_away(Clone *clone, Error *err);

/* Creates their slots, and with each the snapshot that it is copied under. */
MUST_CHECK Rc clone_others_fix_moment(Clone *clone, Error *err);

/* Lets go of the snapshots. */
void clone_others_release_source(Clone *clone);

/* Sets sequences on a target that are farther on another source. */
MUST_CHECK Rc clone_others_sequences(Clone *clone, PgConn *target, Error *err);

/* Writes their progress on a target, in the transaction that is open there. */
MUST_CHECK Rc clone_others_progress(Clone *clone, int number, Error *err);

/* Accepts what is not open. */
void clone_others_release(Clone *clone);

#endif /* PENSTOCK_JOB_CLONE_OTHERS_H */
