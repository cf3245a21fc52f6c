/*
 * heartbeat.h
 *    Asks the source every few seconds where its WAL ends and what our slot
 *    keeps, and lets it write a small message.
 *
 * What comes of it is in the numbers (metrics/numbers.h): with it the lag of
 * each position is known in bytes and in seconds.  The message makes an idle
 * database's slot move, because there is a transaction to decode and confirm.
 * If the role may not write it, or --heartbeat-message=off, only the position
 * is asked for.
 *
 * A failure never ends the follower and is not logged as one: whatever is wrong
 * with the source is reported by the code that streams from it.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_HEARTBEAT_H
#define PENSTOCK_PIPELINE_BESIDE_HEARTBEAT_H

#include "base/error.h"
#include "config/config.h"

typedef struct HeartbeatWriter HeartbeatWriter;

/* Returns one for all attempts of a follower; borrows the Config. */
HeartbeatWriter *heartbeat_new(const Config *config);

/* The source was reached: a lost session is opened anew at the next step. */
void heartbeat_note_reached(HeartbeatWriter *self);

/* Accepts NULL. */
void heartbeat_free(HeartbeatWriter *self);

/*
 * Makes a heartbeat.  Function of a task; the context is the HeartbeatWriter.
 * Fails only if a stop is requested.
 */
MUST_CHECK Rc heartbeat_step(void *context, Error *err);

/* Makes a heartbeat if one is due, between two attempts.  Waits. */
MUST_CHECK Rc heartbeat_step_if_due(HeartbeatWriter *self, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_HEARTBEAT_H */
