/*
 * copy.h
 *    Copies the table at hand while the others go on being followed.
 *
 *     1. On every target the table's state becomes "copying": the follower
 *        leaves it out from there on.
 *     2. The table is published, if it is not yet, and a slot of its own is
 *        created, which keeps its changes and exports the snapshot.
 *     3. Definition, rows, indexes and statistics, as clone does it.
 *     4. The state becomes "catching up", with the snapshot's position for a
 *        watermark: from here on see join.h.
 *
 * What fails on the way leaves the state "copying" and no slot; the copy is
 * then to be made again.
 */
#ifndef PENSTOCK_JOB_TABLE_COPY_H
#define PENSTOCK_JOB_TABLE_COPY_H

#include "job/table/work.h"

/*
 * `anew`: rows that are on a target are removed; else they are refused,
 * unless they are of a copy that did not come to its end.
 */
MUST_CHECK Rc table_copy(TableWork *work, bool anew, Error *err);

#endif /* PENSTOCK_JOB_TABLE_COPY_H */
