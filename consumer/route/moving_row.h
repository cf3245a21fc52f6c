/*
 * moving_row.h
 *    A row that moves to another target while the WAL does not have all its
 *    values.
 *
 * A MovingRow is made of the update that moves the row.  The sink of the old
 * target fetches the missing values (see model/moved.h), and
 * moving_row_make_changes() then makes the changes for both targets.  The
 * MovingRow, its changes and the values are in a Frame of their own, so that
 * limits on memory count the fetched values, too.
 */
#ifndef PENSTOCK_ROUTE_MOVING_ROW_H
#define PENSTOCK_ROUTE_MOVING_ROW_H

#include "model/change.h"
#include "sink/sink.h"

typedef struct MovingRow
{
	SinkFetch fetch;
	int from;               /* index of the sink of the old target */
	size_t change_index;    /* index of the update in its frame */
	struct MovingRow *next; /* next in the router's list */
	Frame *frame;           /* frame that owns the changes and this MovingRow */

	/* Changes made by moving_row_make_changes(). */
	const Change *arrival; /* insert for the new target */
	const Change *kept;    /* inserts into penstock.moved, for the old target */
	int kept_count;

	/* Indexes of the columns whose values are fetched. */
	int *wanted;
	int wanted_count;
} MovingRow;

typedef struct MovingRowOptions
{
	const char *pipeline; /* name of the pipeline; copied */
	TxnInfo txn;          /* used without its origin */
	const Change *update; /* copied */
	int64_t number;       /* number of the update in its transaction, from 1 */
	size_t change_index;
	int from;
	const Value *row; /* new row, with VALUE_UNCHANGED for the missing values;
					   * copied */
} MovingRowOptions;

/*
 * Returns a MovingRow, to be freed with moving_row_free().  At least one value
 * must be missing.
 */
MovingRow *moving_row_new(const MovingRowOptions *options);

/*
 * Makes the changes for both targets after all values were fetched.  Fails with
 * ERR_CONFIG if the old target has no such column.
 */
MUST_CHECK Rc moving_row_make_changes(MovingRow *moving, Relation *moved,
									  Error *err);

/*
 * Releases the MovingRow's reference to its frame, which lives on while sinks
 * keep its changes.  Accepts NULL.
 */
void moving_row_free(MovingRow *moving);

#endif /* PENSTOCK_ROUTE_MOVING_ROW_H */
