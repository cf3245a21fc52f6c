/*
 * table_state.h
 *    The table penstock.table_state on the target: where the copies of single
 *    tables stand, and what of the stream is not for them.
 *
 * A pipeline's tables may have been copied at different moments.  Each copy has
 * a watermark: it holds everything of the transactions whose end_lsn is at or
 * below it, and nothing of the others.  So of a transaction the changes to a
 * table count if its end_lsn is greater than the table's watermark, and are
 * there already if it is not.
 *
 * A table without a row has the pipeline's own starting point for a watermark:
 * everything that comes is for it.
 */
#ifndef PENSTOCK_SINK_POSTGRES_TABLE_STATE_H
#define PENSTOCK_SINK_POSTGRES_TABLE_STATE_H

#include "base/error.h"
#include "model/change.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* The rows of one pipeline, as they were when they were read. */
typedef struct TableStates TableStates;

/* Makes the table unless it is there; the schema must be. */
MUST_CHECK Rc table_state_create(PgConn *target, Error *err);

/*
 * Reads a pipeline's rows; waits.  No table or no rows is not an error.  On
 * success *states is the caller's.
 */
MUST_CHECK Rc table_states_read(TableStates **states, PgConn *target,
								const char *pipeline, Error *err);

/* Accepts NULL. */
void table_states_free(TableStates *states);

/* The greatest watermark; behind it everything counts.  0: there is none. */
Lsn table_states_last_watermark(const TableStates *states);

/*
 * What counts of a change in a transaction with this end_lsn: the change
 * itself, NULL, or, of a TRUNCATE of several tables, one of some of them, which
 * lives as long as the frame that the change is in.
 */
const Change *table_states_select(const TableStates *states, Frame *frame,
								  const Change *change, Lsn end_lsn);

/* Removes a pipeline's rows, in the current transaction. */
MUST_CHECK Rc table_states_remove(PgConn *target, const char *pipeline,
								  Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_TABLE_STATE_H */
