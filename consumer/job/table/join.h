/*
 * join.h
 *    Lets a table that has a copy and a slot of its own catch up with the other
 *    tables, and then has the follower apply its changes.
 *
 * The catch-up streams from the table's slot and applies the changes like a
 * pipeline of its own, but leaves all other tables out.  When it lags the
 * follower only a little, we set the table's state to "joining" with the
 * follower's LSN W as the watermark.  The follower has left out the table's
 * changes up to W, and holds back those after W.  The catch-up applies changes
 * up to W or a little further, to C, and ends.  Then one transaction removes
 * its progress and sets the table's state to "ready" with watermark C.  From
 * then on the follower applies the table's changes after C.
 *
 * If a follower has to hold changes back for too long, it stops waiting and
 * leaves the table out again, and we try again later.  The table can join also
 * if no follower is running.
 */
#ifndef PENSTOCK_JOB_TABLE_JOIN_H
#define PENSTOCK_JOB_TABLE_JOIN_H

#include "job/table/work.h"

/* Has the current table of `work` catch up and join; blocks.  Its state is
 * paused with a slot, catching up, or joining. */
MUST_CHECK Rc table_join(TableWork *work, Error *err);

#endif /* PENSTOCK_JOB_TABLE_JOIN_H */
