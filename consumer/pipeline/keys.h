/*
 * keys.h
 *    Foreign keys that could not be checked when tables were copied: checking
 *    them beside a follower.
 *
 * See control/postponed_key.h for why there are any.  What is missing of
 * a key is a statement that may take long.  It runs in a session of its own,
 * one for each target, that the follower does not wait for.  It is never worth
 * ending the follower: what fails is said, and tried again later.
 */
#ifndef PENSTOCK_PIPELINE_KEYS_H
#define PENSTOCK_PIPELINE_KEYS_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct Keys Keys;

/*
 * For the sinks of one attempt to follow, which are as many as the targets of
 * the configuration; borrows both.  A sink may be replaced meanwhile.  NULL: no
 * key was postponed.
 */
Keys *keys_new(const Config *config, Sink *const *sinks);

/* What runs is cancelled.  Accepts NULL. */
void keys_free(Keys *keys);

/*
 * Begins with what may be checked by now, and takes what has ended.  Waits only
 * to connect, and for the words of a server that refuses.  Fails only if asked
 * to stop.
 */
MUST_CHECK Rc keys_step(Keys *keys, Error *err);

/*
 * The same until nothing is left that may be checked by now, or a stop is asked
 * for; waits.  Accepts NULL.
 */
void keys_finish(Keys *keys);

#endif /* PENSTOCK_PIPELINE_KEYS_H */
