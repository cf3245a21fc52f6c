/*
 * split.h
 *    Makes of one change the changes for single targets.
 *
 * The new changes are allocated in the arena of the frame of the original
 * change.
 */
#ifndef PENSTOCK_ROUTE_SPLIT_H
#define PENSTOCK_ROUTE_SPLIT_H

#include "base/error.h"
#include "model/change.h"

/* The two changes of an update that moves a row from one target to another. */
typedef struct Move
{
	Change *removal; /* delete for the target where the row was */
	Change *arrival; /* insert for the target where the row is from now on */
} Move;

/*
 * Returns the new row of an update.  Unchanged TOAST values are taken from the
 * old row if the replica identity has them; otherwise they stay
 * VALUE_UNCHANGED, and *whole is false.
 */
const Value *split_new_row(Frame *frame, const Change *update, bool *whole);

/* Returns the delete and the insert for an update whose new row is `row`. */
Move split_move(Frame *frame, const Change *update, const Value *row);

/*
 * Fills `err`: an open transaction moves a row, and the WAL does not have all
 * its values.
 */
MUST_CHECK Rc split_refuse(const Change *update, Error *err);

/* Returns a TRUNCATE of only `relations`, otherwise like `truncate`. */
Change *split_truncate(Frame *frame, const Change *truncate,
					   Relation *const *relations, int relation_count);

#endif /* PENSTOCK_ROUTE_SPLIT_H */
