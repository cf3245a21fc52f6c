/*
 * follower_table.h
 *    The table penstock.follower on a target: the last report of the follower
 *    about itself, for "penstock status".
 *
 * While a follower streams, the source shows that it uses the slot.  When it
 * does not stream, only this table says what it does and why.  The rows are
 * only for people: they may be late, or missing, if the target was unreachable
 * or the role may not create the table.
 */
#ifndef PENSTOCK_CONTROL_FOLLOWER_TABLE_H
#define PENSTOCK_CONTROL_FOLLOWER_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/pgconn.h"

typedef enum FollowerState
{
	FOLLOWER_FOLLOWING,
	FOLLOWER_RETRYING, /* after a transient failure */
	FOLLOWER_HELD,     /* stopped by a fence */
	FOLLOWER_STOPPED,  /* stopped on request, or by a permanent failure */
} FollowerState;

typedef struct FollowerRow
{
	bool exists; /* if false, the other fields are not set */
	FollowerState state;
	const char *message; /* message of the failure; NULL: there is none */
	const char *said_at; /* time of the report as text, with time zone */
	double age_s;        /* seconds since the report, by the target's clock */
} FollowerRow;

/* Returns the word for a state in the table and in JSON. */
const char *follower_state_name(FollowerState state);

/*
 * Writes the row of a pipeline if it has progress on the target.  Creates the
 * table if it does not exist.  Waits.
 */
MUST_CHECK Rc follower_table_write(PgConn *target, const char *pipeline,
								   FollowerState state, const char *message,
								   Error *err);

/*
 * Reads the row of a pipeline; its strings are allocated in the arena.  Waits.
 */
MUST_CHECK Rc follower_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, FollowerRow *row, Error *err);

#endif /* PENSTOCK_CONTROL_FOLLOWER_TABLE_H */
