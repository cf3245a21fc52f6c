/*
 * join.h
 *    Brings a table that has a copy and a slot of its own up to the others,
 *    and gives it to the follower.
 *
 * The table's slot is streamed and applied like a pipeline of its own, except
 * that all other tables are left out.  When it lags the follower by little,
 * the table is declared joining: the follower has left it out up to here, W,
 * and holds back what comes after.  The catch-up goes on to W or a little
 * further, to C, and ends; in one transaction its progress goes, and the table
 * is ready with watermark C.  The follower then takes the table's changes
 * after C.
 *
 * A follower that has to hold something back for too long lets it go, and the
 * table tries again later.  A follower that does not run is no hindrance.
 */
#ifndef PENSTOCK_JOB_TABLE_JOIN_H
#define PENSTOCK_JOB_TABLE_JOIN_H

#include "job/table/work.h"

/* The table at hand is paused with a slot, catching up, or joining. */
MUST_CHECK Rc table_join(TableWork *work, Error *err);

#endif /* PENSTOCK_JOB_TABLE_JOIN_H */
