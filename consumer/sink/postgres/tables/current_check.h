/*
 * current_check.h
 *    Checks whether tables of the target have changed; see plan/current.h.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_CHECK_H
#define PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_CHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/current.h"

/*
 * Creates the function that conditions call, in the session.  *made is false if
 * our role may not.  Waits.
 */
MUST_CHECK Rc current_set_up(PgConn *target, bool *made, Error *err);

/* Finds out whether one of the tables has changed.  Waits. */
MUST_CHECK Rc current_find_changed(PgConn *target, const CurrentTables *tables,
								   bool *changed, Error *err);

/* Sets the error that a table has changed; returns RC_FAIL. */
MUST_CHECK Rc current_set_changed(const char *label, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_CURRENT_CHECK_H */
