/*
 * table_state.h
 *    The table penstock.table_state on a target: the states of single tables,
 *    which decide what of the stream is applied to them.
 *
 * The tables of a pipeline may have been copied at different positions.  Each
 * copy has a watermark: it contains all changes of transactions whose end_lsn
 * is at or before the watermark, and none of the others.  So a change in the
 * stream is applied to a table only if the end_lsn of its transaction is after
 * the table's watermark.
 *
 * A table without a row is ready, and its watermark is the position at which
 * the pipeline started: everything in the stream is applied.
 *
 * While a table is not ready, a command is working on it, and the follower does
 * not apply changes to it ("leaves it out"):
 *
 *                 ┌────────────► COPYING ◄───────────┐
 *      (no row) ──┤                 │                ├── REMOVED
 *          READY ─┤                 ▼                │
 *            ▲    ├─► PAUSED ──► CATCHING_UP ◄─────┐ │
 *            │    └─────┬───────────┼──────────────┼─┘
 *            │                      ▼              │
 *            └─────────────────── JOINING ─────────┘ too late
 *
 *   COPYING      the contents on the target are useless
 *   PAUSED       the target has the table as of the watermark; if the table has
 *                a slot, the slot keeps the changes since
 *   CATCHING_UP  as PAUSED with a slot; the command applies the changes of the
 *                slot, with the progress of a pipeline that has the slot's name
 *   JOINING      as CATCHING_UP; the follower has left out everything up to the
 *                watermark, and applies nothing after it until the table has
 *                caught up and is ready; if that takes too long, the follower
 *                returns the table to CATCHING_UP and continues
 *   REMOVED      not followed any more
 *
 * A table that is renamed while it is not ready becomes COPYING.
 *
 * A state is only changed while the pipeline's progress row is locked.  If the
 * change matters to a follower, the lease gets a new token as well.  Then the
 * follower cannot commit what it is applying under the old states, and reads
 * the states again.  So a state is valid for exactly the transactions after the
 * progress at which it was written.
 */
#ifndef PENSTOCK_CONTROL_COPY_TABLE_STATE_H
#define PENSTOCK_CONTROL_COPY_TABLE_STATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/change.h"
#include "model/definition.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Bytes for the name of a table's slot (NAMEDATALEN). */
#define TABLE_SLOT_SIZE 64

typedef enum TableStateKind
{
	TABLE_READY,
	TABLE_COPYING,
	TABLE_PAUSED,
	TABLE_CATCHING_UP,
	TABLE_JOINING,
	TABLE_REMOVED,
} TableStateKind;

/* Name of a table of the source. */
typedef struct TableName
{
	const char *schema;
	const char *name;
} TableName;

typedef struct TableRow
{
	bool exists; /* if false, the other fields are those of a table without a
				  * row: ready, 0 */
	TableStateKind kind;
	Lsn watermark;
	char slot[TABLE_SLOT_SIZE]; /* slot that keeps the table's changes; empty:
								 * none */
	bool created;               /* whether the copy created the table on the
								 * target: another attempt drops it first */
} TableRow;

/* The rows of one pipeline at the time they were read. */
typedef struct TableStates TableStates;

/* Returns the word for a state in the table: "ready", "copying" and so on. */
const char *table_state_name(TableStateKind kind);

/*
 * Reads a pipeline's rows; waits.  A missing table is no error.  After success
 * *states is owned by the caller.
 */
MUST_CHECK Rc table_states_read(TableStates **states, PgConn *target,
								const char *pipeline, Error *err);

/*
 * Returns states in which these tables are ready and all others are left out;
 * owned by the caller.  The names are copied.
 */
TableStates *table_states_only(const TableName *tables, int count);

/* Accepts NULL. */
void table_states_free(TableStates *states);

/*
 * Returns the greatest watermark; 0: none.  No transaction after it is before a
 * table's watermark.
 */
Lsn table_states_last_watermark(const TableStates *states);

/*
 * Returns the part of a change that has to be applied if its transaction has
 * this end_lsn: the change itself, or NULL, or for a TRUNCATE of several tables
 * a change for some of them, which lives as long as the frame.  *hold is set if
 * that cannot be decided yet because a table is joining: then nothing from this
 * transaction on may be applied under these states.
 */
const Change *table_states_select(const TableStates *states, Frame *frame,
								  const Change *change, Lsn end_lsn,
								  bool *hold);

/*
 * Appends the value of the plugin's option leave_out, so that the source does
 * not send what no target applies.  It lists the tables that are left out under
 * all of these states, forever or up to a position after `start`, except the
 * tables in `but`.  Nothing is appended if there are none.
 */
void table_states_append_left_out(Buf *list, const TableStates *const *states,
								  int count, Lsn start, const TableName *but,
								  int but_count);

/* Whether no table has a row. */
bool table_states_is_empty(const TableStates *states);

/*
 * Keep the names of the states up to date while schema changes are applied.
 * States are stored with the names that the tables have at the current position
 * of the stream.  table_states_learn() adds the OIDs, from definitions that are
 * valid where the stream begins.  Then table_states_follow() finds a table or
 * schema that a change renames by its OID, and renames the states.  Of two
 * states with the same name then, the one that leaves out more counts, as in
 * table_state_rename().
 */
void table_states_learn(TableStates *states, const DefinitionSet *known);
void table_states_follow(TableStates *states, const SchemaChange *change);

/* A table that was renamed. */
typedef struct TableMove
{
	TableName from;
	TableName to;
	bool to_left_out; /* set by table_state_rename(): the new name is one that
					   * was left out */
} TableMove;

/*
 * Renames rows after tables were renamed, in the current transaction; waits.
 * Tables without a row get none.  A table that is not ready becomes COPYING,
 * because its copied contents and kept changes have the former name.
 *
 * A new name may have a row already, of a table that the source has dropped. If
 * that row is READY, it is deleted.  Otherwise the name stays left out, and the
 * table that gets it is left out, too.  *changed is set to whether any row was
 * changed.
 */
MUST_CHECK Rc table_state_rename(PgConn *target, const char *pipeline,
								 TableMove *moves, int count, bool *changed,
								 Error *err);

/*
 * Whether only the tables that have a state are followed: the states are from
 * table_states_only().
 */
bool table_states_only_listed(const TableStates *states);

/*
 * Returns the position up to which changes to a table are left out, by end_lsn
 * of their transactions; UINT64_MAX: all of them.
 */
Lsn table_states_left_out_until(const TableStates *states,
								const TableName *named);

/*
 * The same of a table as it is defined, which may be before or after a rename
 * that the states have followed already: a state that has an OID is of no other
 * table, whatever that is called.
 */
Lsn table_states_left_out_until_of(const TableStates *states,
								   const Definition *table);

/* Reads, or writes, the row of one table, in the current transaction; waits. */
MUST_CHECK Rc table_state_read(PgConn *target, const char *pipeline,
							   const TableName *table, TableRow *row,
							   Error *err);
MUST_CHECK Rc table_state_write(PgConn *target, const char *pipeline,
								const TableName *table, const TableRow *row,
								Error *err);

/*
 * Returns joining tables to CATCHING_UP, if the lease still has this token;
 * waits.
 */
MUST_CHECK Rc table_states_refuse_joining(PgConn *target, const char *pipeline,
										  int64_t lease_token, Error *err);

/*
 * Reads the rows of tables that are not ready or have a slot.  Columns:
 * schema_name, table_name, state, watermark, slot_name, and end_lsn of the
 * progress that has the slot's name.  *result is NULL if the table does not
 * exist; else owned by the caller.  Waits.
 */
MUST_CHECK Rc table_states_list(PgConn *target, const char *pipeline,
								PGresult **result, Error *err);

/* Columns of the result of table_states_list(). */
enum
{
	TABLE_LIST_SCHEMA,
	TABLE_LIST_NAME,
	TABLE_LIST_STATE,
	TABLE_LIST_WATERMARK,
	TABLE_LIST_SLOT,
	TABLE_LIST_CAUGHT_UP,
};

#endif /* PENSTOCK_CONTROL_COPY_TABLE_STATE_H */
