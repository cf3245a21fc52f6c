/*
 * follower_table.h
 *    The table penstock.follower on a target: what the pipeline's follower said
 *    of itself last, for "penstock status".
 *
 * A follower that is at work is seen on the source, where it holds the slot.
 * What it does when it does not hold it, and why, nobody else knows.  The rows
 * decide nothing: they may be late, or missing where the target could not be
 * reached or the role may not make the table.
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
	FOLLOWER_RETRYING, /* after a failure that may heal */
	FOLLOWER_HELD,     /* by a fence */
	FOLLOWER_STOPPED,  /* told to, or by a failure that does not heal */
} FollowerState;

typedef struct FollowerRow
{
	bool exists; /* else the rest means nothing */
	FollowerState state;
	const char *message; /* of the failure; NULL: there is none */
	const char *said_at; /* a time, with its zone */
	double age_s;        /* since then, by the target's clock */
} FollowerRow;

/* The word in the table, and for machines. */
const char *follower_state_name(FollowerState state);

/* Writes the row of a pipeline that has progress on the target, and of no
 * other. Makes the table if it does not exist.  Waits for the target. */
MUST_CHECK Rc follower_table_write(PgConn *target, const char *pipeline,
								   FollowerState state, const char *message,
								   Error *err);

/* Reads it; its strings are the arena's. */
MUST_CHECK Rc follower_table_read(PgConn *target, const char *pipeline,
								  Arena *arena, FollowerRow *row, Error *err);

#endif /* PENSTOCK_CONTROL_FOLLOWER_TABLE_H */
