/*
 * hooks.h
 *    Commands of the user that a switch runs: config.before and config.after.
 *
 * The first one is run when all is ready, just before the tables are locked,
 * and the other one as soon as the writes were moved.  If the switch is undone,
 * the other one is run, too, once the first one was begun: what that has
 * stopped has to go on.  Whoever is killed in between runs neither; the next
 * switch does, also where it only completes what the killed one has begun.
 *
 * The command finds in the environment variable PENSTOCK_WRITES where the
 * writes are: "source" or "target", as these were called for the switch without
 * --back; or "unknown".
 */
#ifndef PENSTOCK_JOB_SWITCH_HOOKS_H
#define PENSTOCK_JOB_SWITCH_HOOKS_H

#include "base/error.h"
#include "job/switch/state.h"

/* Runs config.before, within max_wait_s; fails if that fails.  Blocks. */
MUST_CHECK Rc hooks_run_before(Switch *self, Error *err);

/* Runs config.after; fails if that fails.  A request to stop must be deferred.
 * Blocks. */
MUST_CHECK Rc hooks_run_after(Switch *self, Error *err);

/* Runs config.after if config.before was begun, and logs a failure.  As
 * hooks_run_after(). */
void hooks_run_undone(Switch *self);

#endif /* PENSTOCK_JOB_SWITCH_HOOKS_H */
