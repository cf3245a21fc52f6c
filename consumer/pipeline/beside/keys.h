/*
 * keys.h
 *    Validates foreign keys that could not be checked when tables were copied.
 *
 * See control/copy/postponed_key.h for why a copy postpones foreign keys.  To
 * validate one is a statement that may take long.  It runs in a session of its
 * own, one for each target, while the follower continues.  A failure never ends
 * the follower: it is logged, and the statement is tried again later.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_KEYS_H
#define PENSTOCK_PIPELINE_BESIDE_KEYS_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct Keys Keys;

/*
 * Makes a Keys for the sinks of one attempt, one for each target of the
 * configuration.  Borrows both; a sink may be replaced meanwhile.  Returns NULL
 * if no foreign key was postponed.
 */
Keys *keys_new(const Config *config, Sink *const *sinks);

/* Frees a Keys; cancels statements that still run.  Accepts NULL. */
void keys_free(Keys *keys);

/*
 * Starts statements for foreign keys that can be validated now, and reads the
 * results of statements that have ended.  Waits only to connect, and for the
 * error message of a server that refuses.  Fails only if a stop is requested.
 */
MUST_CHECK Rc keys_step(Keys *keys, Error *err);

/*
 * Does the work of keys_step() repeatedly, until no foreign key is left that
 * can be validated now, or a stop is requested; waits.  Accepts NULL.
 */
void keys_finish(Keys *keys);

#endif /* PENSTOCK_PIPELINE_BESIDE_KEYS_H */
