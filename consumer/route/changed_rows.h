/*
 * changed_rows.h
 *    Remembers which rows a number of changes have changed.
 *
 * A row is represented by a hash of its replica identity.  Two rows with the
 * same hash count as one.  So changed_rows_has() may be true for a row that was
 * not changed, but is never false for a row that was.
 */
#ifndef PENSTOCK_ROUTE_CHANGED_ROWS_H
#define PENSTOCK_ROUTE_CHANGED_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/change.h"

/* Largest number of changes that can be added. */
#define CHANGED_ROWS_CHANGES_MAX 256

/*
 * Number of slots: a power of two, four times the number of rows, of which a
 * change has at most two.
 */
#define CHANGED_ROWS_SLOTS (8 * CHANGED_ROWS_CHANGES_MAX)

/* A zeroed ChangedRows is empty. */
typedef struct ChangedRows
{
	uint64_t slots[CHANGED_ROWS_SLOTS]; /* hashes of rows; 0: free */
	int count;
} ChangedRows;

/* Adds the rows of an insert, an update or a delete. */
void changed_rows_add(ChangedRows *rows, const Change *change);

/*
 * Whether an added change may have changed the row that `change` updates or
 * deletes.
 */
bool changed_rows_has(const ChangedRows *rows, const Change *change);

#endif /* PENSTOCK_ROUTE_CHANGED_ROWS_H */
