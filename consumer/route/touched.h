/*
 * touched.h
 *    Which rows some changes were of.
 *
 * Rows are told apart by a hash of their replica identity's bytes, as they are
 * in the WAL: two rows with the same hash count as one, so that a row which was
 * not touched may be said to have been, and never the other way round.
 */
#ifndef PENSTOCK_ROUTE_TOUCHED_H
#define PENSTOCK_ROUTE_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "model/change.h"

/* Changes that can be noted. */
#define TOUCHED_CHANGES_MAX 256

/* A power of two, four times the rows of those changes. */
#define TOUCHED_SLOTS (8 * TOUCHED_CHANGES_MAX)

/* To be used from a zeroed one. */
typedef struct Touched
{
	uint64_t slots[TOUCHED_SLOTS]; /* hashes; 0: free */
	int count;
} Touched;

/* Notes the rows of an insert, an update or a delete. */
void touched_add(Touched *touched, const Change *change);

/* Whether the row that the change identifies may be among them. */
bool touched_has(const Touched *touched, const Change *change);

#endif /* PENSTOCK_ROUTE_TOUCHED_H */
