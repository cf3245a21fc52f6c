/*
 * switch_table.h
 *    The table penstock.switch on a source: what became of a switch.
 *
 * A switch moves the writes of a pipeline from its source to its target.  Its
 * row is on the source, whose commit decides: the transaction that makes the
 * source refuse writes also sets the state SWITCHED.
 *
 *     (no row) ──► BEGUN ──► SWITCHED ──► DONE ──► (no row)
 *
 *   BEGUN     the source takes writes; what the switch has made can be undone
 *   SWITCHED  the source refuses writes; the rest of the switch has to be done
 *   DONE      the switch is complete; the row goes when the writes come back,
 * or with "penstock finish"
 *
 * Only one process at a time works on a move: it has an advisory lock on both
 * servers, which ends with its sessions.
 */
#ifndef PENSTOCK_CONTROL_SWITCH_TABLE_H
#define PENSTOCK_CONTROL_SWITCH_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/lsn.h"
#include "net/pgconn.h"

typedef enum SwitchState
{
	SWITCH_NONE, /* there is no row */
	SWITCH_BEGUN,
	SWITCH_SWITCHED,
	SWITCH_DONE,
} SwitchState;

typedef struct SwitchRow
{
	SwitchState state;
	const char *owner;       /* who began it; NULL: no row */
	const char *way_back;    /* pipeline in the other direction; NULL: none */
	const char *begun_at;    /* NULL: no row */
	const char *switched_at; /* NULL: not yet */
} SwitchRow;

/*
 * Takes the lock of a move until the end of the session; does not wait for it.
 * If another session has it, *taken is false and *holder describes that
 * session, allocated in the arena.
 */
MUST_CHECK Rc switch_table_take(PgConn *conn, const char *move, Arena *arena,
								bool *taken, const char **holder, Error *err);

/*
 * Takes the same lock, shared with other sessions that do: for a command that
 * must not change tables while their writes are moved.  Otherwise like
 * switch_table_take().
 */
MUST_CHECK Rc switch_table_share(PgConn *conn, const char *move, Arena *arena,
								 bool *taken, const char **holder, Error *err);

/* Reads the row of a pipeline; strings are allocated in the arena.  Waits. */
MUST_CHECK Rc switch_table_read(PgConn *source, const char *pipeline,
								Arena *arena, SwitchRow *row, Error *err);

/*
 * Reads the row like switch_table_read(), and waits before for a transaction
 * that changes it: for a command that does not know what became of it.
 */
MUST_CHECK Rc switch_table_read_settled(PgConn *source, const char *pipeline,
										Arena *arena, SwitchRow *row,
										Error *err);

/* Writes the row with state BEGUN, in place of an existing one.  Waits. */
MUST_CHECK Rc switch_table_begin(PgConn *source, const char *pipeline,
								 const char *owner, const char *way_back,
								 Error *err);

/*
 * Sets the state, in the current transaction; `lsn` is where the way back
 * begins, for people who look.  Waits.
 */
MUST_CHECK Rc switch_table_switched(PgConn *source, const char *pipeline,
									Lsn lsn, Error *err);
MUST_CHECK Rc switch_table_done(PgConn *source, const char *pipeline,
								Error *err);

/* Removes the row, in the current transaction, if there is one.  Waits. */
MUST_CHECK Rc switch_table_remove(PgConn *source, const char *pipeline,
								  Error *err);

#endif /* PENSTOCK_CONTROL_SWITCH_TABLE_H */
