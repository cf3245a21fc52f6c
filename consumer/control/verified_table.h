/*
 * verified_table.h
 *    The table penstock.verified on a target: the result of the last comparison
 *    of a pipeline as a whole, for "penstock switch".
 *
 * A row may be missing although there was a comparison: if the target was not
 * reachable at its end, or the role may not write the table.
 */
#ifndef PENSTOCK_CONTROL_VERIFIED_TABLE_H
#define PENSTOCK_CONTROL_VERIFIED_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/pgconn.h"

typedef struct VerifiedRow
{
	bool exists;             /* if false, the other fields are not set */
	bool is_different;       /* whether rows of a table differed */
	bool is_complete;        /* whether everything was compared */
	const char *verified_at; /* time as text, with time zone */
	double age_s;            /* seconds since then, by the target's clock */
} VerifiedRow;

/* Writes the row of a pipeline if it has progress on the target.  Waits. */
MUST_CHECK Rc verified_table_write(PgConn *target, const char *pipeline,
								   bool is_different, bool is_complete,
								   Error *err);

/* Reads the row of a pipeline; its text is allocated in the arena.  Waits. */
MUST_CHECK Rc verified_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, VerifiedRow *row, Error *err);

#endif /* PENSTOCK_CONTROL_VERIFIED_TABLE_H */
