/*
 * touched.h
 *    Remembers which rows a number of changes have changed.
 *
 * A row is represented by a hash of its replica identity.  Two rows with the
 * same hash count as one.  So touched_has() may be true for a row that was not
 * changed, but is never false for a row that was.
 */
#ifndef PENSTOCK_ROUTE_TOUCHED_H
#define PENSTOCK_ROUTE_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/change.h"

/* Largest number of changes that can be added. */
#define TOUCHED_CHANGES_MAX 256

/*
 * Number of slots: a power of two, four times the number of rows, of which a
 * change has at most two.
 */
#define TOUCHED_SLOTS (8 * TOUCHED_CHANGES_MAX)

/* A zeroed Touched is empty. */
typedef struct Touched
{
	uint64_t slots[TOUCHED_SLOTS]; /* hashes of rows; 0: free */
	int count;
} Touched;

/* Adds the rows of an insert, an update or a delete. */
void touched_add(Touched *touched, const Change *change);

/*
 * Whether an added change may have changed the row that `change` updates or
 * deletes.
 */
bool touched_has(const Touched *touched, const Change *change);

#endif /* PENSTOCK_ROUTE_TOUCHED_H */
