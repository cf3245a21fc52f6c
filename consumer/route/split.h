/*
 * split.h
 *    One change as others, for targets that have a part of it.
 *
 * What is made lives as long as the frame that the change is of.
 */
#ifndef PENSTOCK_ROUTE_SPLIT_H
#define PENSTOCK_ROUTE_SPLIT_H

#include "base/error.h"
#include "model/change.h"

/* An update that moves its row from one node to another. */
typedef struct Move
{
	Change *removal; /* a delete, for the node where the row was */
	Change *arrival; /* an insert, for the node where it is from now on */
} Move;

/*
 * The new row of an update, with what it left alone from the old one.  *whole
 * is false if the WAL does not have all of it: because a large value was left
 * as it was, and is not in the replica identity.  Then that is VALUE_UNCHANGED.
 */
const Value *split_new_row(Frame *frame, const Change *update, bool *whole);

/* Makes a move of an update whose new row is this. */
Move split_move(Frame *frame, const Change *update, const Value *row);

/* Sets the error of an open transaction with a row that is not whole. */
MUST_CHECK Rc split_refuse(const Change *update, Error *err);

/* A truncate of some of the relations that a change truncates. */
Change *split_truncate(Frame *frame, const Change *truncate,
					   Relation *const *relations, int relation_count);

#endif /* PENSTOCK_ROUTE_SPLIT_H */
