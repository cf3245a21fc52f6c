/*
 * locks.h
 *    Takes the locks on the source that keep writers out.
 *
 * A lock that has to wait makes everybody wait who comes after it.  So we wait
 * for at most LOCK_WAIT_MS, and LOCK_ALL_MS for all locks together, release all
 * if one was not to be had, and try again after a pause whose length is left to
 * chance.  Writers that have one
 * table and wait for another one, which we have, would let us fail each time:
 * so the next try begins with the table that was not to be had, and comes to
 * the order in which the application uses them.  Readers are never kept out.
 */
#ifndef PENSTOCK_JOB_SWITCH_LOCKS_H
#define PENSTOCK_JOB_SWITCH_LOCKS_H

#include "base/error.h"
#include "job/switch/state.h"

/*
 * Begins a transaction of self->source that has all locks, and sets
 * self->locked_us; reads self->tables again if they have changed.  Fails with
 * ERR_LIMIT after config.max_wait_s, and names who has the locks.  After a
 * failure there is no transaction.  Blocks.
 */
MUST_CHECK Rc switch_locks_take(Switch *self, Error *err);

#endif /* PENSTOCK_JOB_SWITCH_LOCKS_H */
