/*
 * copy.h
 *    Copies the current table of a TableWork (see work.h), while the follower
 *    continues with the other tables.
 *
 *     0. We ask all servers what would make the copy fail (ask.h).  A table
 * that is not published yet is asked about when it is, in step 2.
 *     1. We set the table's state on every target to "copying".  From then on
 *        the follower leaves the table's changes out.
 *     2. We publish the table, if it is not published yet, and create a slot
 *        for it, which keeps its changes and exports a snapshot.
 *     3. We copy definition, rows and indexes, and collect statistics, as
 *        "penstock clone" does.
 *     4. We set the state to "catching up", with the snapshot's LSN as the
 *        watermark.  For the next steps see join.h.
 *
 * After a failure, the state is still "copying" and there is no slot; the copy
 * has to be made again.
 */
#ifndef PENSTOCK_JOB_TABLE_COPY_H
#define PENSTOCK_JOB_TABLE_COPY_H

#include "job/table/work.h"

/*
 * Copies the table; blocks.  With `anew`, removes rows that the table has on a
 * target.  Without, fails if it has rows there, unless these are from an
 * interrupted copy.
 */
MUST_CHECK Rc table_copy(TableWork *work, bool anew, Error *err);

#endif /* PENSTOCK_JOB_TABLE_COPY_H */
