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
 * A table without a row is ready, with the pipeline's own starting point for a
 * watermark: everything that comes is for it.
 *
 * A table that is not ready is left out by the follower, while a command does
 * something about it:
 *
 *                ┌────────────► COPYING ◄───────────┐
 *     (no row) ──┤                 │                ├── REMOVED
 *         READY ─┤                 ▼                │
 *           ▲    ├─► PAUSED ──► CATCHING_UP ◄─────┐ │
 *           │    └─────┬───────────┼──────────────┼─┘
 *           │                      ▼              │
 *           └─────────────────── JOINING ─────────┘ too late
 *
 *   COPYING      what is on the target is of no worth
 *   PAUSED       the target has it as of the watermark; if it has a slot, that
 *                keeps the changes since
 *   CATCHING_UP  the same, with a slot, whose changes are being applied by
 *                themselves: progress of the pipeline that is named like the
 *                slot tells how far
 *   JOINING      the same; the follower has left out everything up to the
 *                watermark and holds back what comes after it, until the table
 *                has caught up and is ready.  If that takes too long, it goes
 *                on without
 *   REMOVED      not followed any more
 *
 * A table that gets another name while it is left out is COPYING from there on.
 *
 * States only change under a lock of the pipeline's progress row and, if it
 * matters to a follower, together with a new lease token: what it has under way
 * under the old states cannot be committed any more, and it looks again.  So a
 * state holds for exactly the transactions after the progress at which it was
 * written.
 */
#ifndef PENSTOCK_CONTROL_TABLE_STATE_H
#define PENSTOCK_CONTROL_TABLE_STATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/change.h"
#include "model/definition.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* A slot of a table's own: a name of the server's (NAMEDATALEN). */
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

/* A table of the source. */
typedef struct TableName
{
	const char *schema;
	const char *name;
} TableName;

typedef struct TableRow
{
	bool exists; /* else the rest says what that means: ready, 0, … */
	TableStateKind kind;
	Lsn watermark;
	char slot[TABLE_SLOT_SIZE]; /* that keeps its changes; empty: none */
	bool created;               /* by the copy: its definition goes with it */
} TableRow;

/* The rows of one pipeline, as they were when they were read. */
typedef struct TableStates TableStates;

/* The word in the table: ready, copying, … */
const char *table_state_name(TableStateKind kind);

/*
 * Reads a pipeline's rows; waits.  No table or no rows is not an error.  On
 * success *states is the caller's.
 */
MUST_CHECK Rc table_states_read(TableStates **states, PgConn *target,
								const char *pipeline, Error *err);

/* States in which these tables are ready and all others are left out. */
TableStates *table_states_only(const TableName *tables, int count);

/* Accepts NULL. */
void table_states_free(TableStates *states);

/* The greatest watermark; after it everything counts.  0: there is none. */
Lsn table_states_last_watermark(const TableStates *states);

/*
 * What counts of a change in a transaction with this end_lsn: the change
 * itself, NULL, or, of a TRUNCATE of several tables, one of some of them, which
 * lives as long as the frame that the change is in.  *hold is set if that
 * cannot be told yet, because a table is joining; then nothing from this
 * transaction on may be applied under these states.
 */
const Change *table_states_select(const TableStates *states, Frame *frame,
								  const Change *change, Lsn end_lsn,
								  bool *hold);

/*
 * Appends the value of the plugin's option leave_out that says what nobody has
 * a use for: tables of which nothing counts under any of these states, for good
 * or up to a position after `start`.  The tables `but` are not named;
 * they are somebody else's.  Nothing is appended if all is wanted.
 */
void table_states_append_left_out(Buf *list, const TableStates *const *states,
								  int count, Lsn start, const TableName *but,
								  int but_count);

/* Whether no table has a row. */
bool table_states_is_empty(const TableStates *states);

/*
 * Tables are known by the names that the source has for them where the stream
 * is.  table_states_learn() has them known by their OIDs as well, from
 * definitions as of where the stream begins, so that table_states_follow() can
 * give them other names when a schema change does: to the tables, or to their
 * schemas.
 */
void table_states_learn(TableStates *states, const DefinitionSet *known);
void table_states_follow(TableStates *states, const SchemaChange *change);

/* Another name of a table. */
typedef struct TableMove
{
	TableName from;
	TableName to;
} TableMove;

/*
 * Gives rows the names that their tables have got, in the current transaction;
 * a table without a row has none afterwards.  Where a table is not followed for
 * a while, what was copied or kept of it is under the other name, and is of no
 * worth from there on: it is to be copied anew.  Waits.
 */
MUST_CHECK Rc table_state_rename(PgConn *target, const char *pipeline,
								 const TableMove *moves, int count, Error *err);

/* Whether they are those of table_states_only(). */
bool table_states_others_are_out(const TableStates *states);

/*
 * Nothing of a table counts in transactions that end at or before this;
 * UINT64_MAX: nothing at all.
 */
Lsn table_states_left_out_until(const TableStates *states,
								const TableName *named);

/* Reads and writes a table's row, in the current transaction. */
MUST_CHECK Rc table_state_read(PgConn *target, const char *pipeline,
							   const TableName *table, TableRow *row,
							   Error *err);
MUST_CHECK Rc table_state_write(PgConn *target, const char *pipeline,
								const TableName *table, const TableRow *row,
								Error *err);

/* Those that are joining are to catch up once more; nothing is done if the
 * lease has another token by now. */
MUST_CHECK Rc table_states_refuse_joining(PgConn *target, const char *pipeline,
										  int64_t lease_token, Error *err);

/*
 * The rows of tables that are not ready or have a slot of their own: columns
 * schema_name, table_name, state, watermark, slot_name, and the end_lsn of the
 * slot's progress.  *result is NULL if there is no table; else the caller
 * clears it.
 */
MUST_CHECK Rc table_states_list(PgConn *target, const char *pipeline,
								PGresult **result, Error *err);

/* Columns of that result. */
enum
{
	TABLE_LIST_SCHEMA,
	TABLE_LIST_NAME,
	TABLE_LIST_STATE,
	TABLE_LIST_WATERMARK,
	TABLE_LIST_SLOT,
	TABLE_LIST_CAUGHT_UP,
};

#endif /* PENSTOCK_CONTROL_TABLE_STATE_H */
