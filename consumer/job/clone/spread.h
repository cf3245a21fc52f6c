/*
 * spread.h
 *    Copies the rows of a clone with a placement to several targets at once.
 *
 * A table is marked as done in the work lists when it is complete on all
 * targets.  For any other table, it is unknown which rows the targets have, so
 * a run that continues the clone empties it on all targets.  With several
 * sources, a table is complete when the rows of all sources are copied.  Such a
 * clone can continue after an error (see recover.h), but a later run cannot
 * resume it, because the sources' own watermarks are not recorded before the
 * end.
 */
#ifndef PENSTOCK_JOB_CLONE_SPREAD_H
#define PENSTOCK_JOB_CLONE_SPREAD_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Fails if the placement cannot be applied to a table, or if two targets or two
 * sources are the same database.  Writes nothing; blocks.
 */
MUST_CHECK Rc clone_spread_check(Clone *clone, Error *err);

/*
 * Copies the rows of all sources to all targets, where the tables must exist,
 * and starts the builds of copied tables; blocks.
 */
MUST_CHECK Rc clone_spread_rows(Clone *clone, Error *err);

/*
 * Stores on target `number` which node it is in the pipeline of a source, if
 * there is a placement.  Writes in the current transaction; blocks.
 */
MUST_CHECK Rc clone_spread_note(const Clone *clone, const CloneSource *source,
								int number, PgConn *target, Error *err);

#endif /* PENSTOCK_JOB_CLONE_SPREAD_H */
