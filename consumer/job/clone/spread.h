/*
 * spread.h
 *    penstock clone with a placement: the rows' way to several targets at once.
 *
 * What is done is noted table by table, when a table is whole on all targets.
 * Of one that is not, nobody knows which rows the targets have: who goes on
 * with the clone empties it everywhere.  With several sources nothing is noted,
 * and nobody can go on: a table is whole when the last of them was read.
 */
#ifndef PENSTOCK_JOB_CLONE_SPREAD_H
#define PENSTOCK_JOB_CLONE_SPREAD_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Fails unless every table can be where the placement puts it, and each target
 * is another database.  Asks only.
 */
MUST_CHECK Rc clone_spread_check(Clone *clone, Error *err);

/*
 * Copies the rows of all sources to all targets, which have the schema, and
 * tells their builds that the rows are copied.
 */
MUST_CHECK Rc clone_spread_rows(Clone *clone, Error *err);

/*
 * Has a target remember which node it is in the pipeline of one of the sources,
 * if there is a placement.
 */
MUST_CHECK Rc clone_spread_note(const Clone *clone, const CloneSource *source,
								int number, PgConn *target, Error *err);

#endif /* PENSTOCK_JOB_CLONE_SPREAD_H */
