/*
 * recover.h
 *    Going on by itself with a clone that lost a server, as --resume would.
 *
 * A server that is restarted, or cannot be reached for a while, costs a clone
 * the snapshot and what was under way, and nothing else: the slot exists, and
 * the targets know what is done.  So it waits until all servers are back, takes
 * another snapshot, and goes on with what is left.  What was dumped of the
 * schema stays as it is.
 *
 * Where rows of several sources are put together, a table is done when all of
 * them have added theirs.  Those of one cannot be told from those of another,
 * so that any other table is emptied and copied again from all.
 */
#ifndef PENSTOCK_JOB_CLONE_RECOVER_H
#define PENSTOCK_JOB_CLONE_RECOVER_H

#include <stdbool.h>

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Whether it is worth waiting after this failure: it may heal, or one of the
 * servers is not to be reached any more, whatever the failure says.
 */
bool clone_can_recover(const Clone *clone, const Error *failure);

/*
 * Says why the clone waits, and waits until it can go on.  On success all is
 * connected and claimed again, *failure is empty, and there is no snapshot.
 * Fails, with another error in *failure, if somebody else has taken the clone
 * over or there is nothing to go on with.
 */
MUST_CHECK Rc clone_recover(Clone *clone, Error *failure);

#endif /* PENSTOCK_JOB_CLONE_RECOVER_H */
