/*
 * definitions.h
 *    Stores the definitions of the source's objects as of the clone's snapshot
 *    on the targets, so that a follower can compare later schema changes with
 *    them.
 */
#ifndef PENSTOCK_JOB_CLONE_DEFINITIONS_H
#define PENSTOCK_JOB_CLONE_DEFINITIONS_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Reads the definitions from the lead, under the snapshot under which its
 * schema was dumped; blocks.  Does nothing if schema changes are not followed,
 * or if the definitions were read already.
 */
MUST_CHECK Rc clone_read_definitions(Clone *clone, Error *err);

/*
 * Writes the definitions to the target; blocks.  Does nothing if schema changes
 * are not followed.  A resumed clone whose schema exists already keeps the
 * definitions that were written with it.
 */
MUST_CHECK Rc clone_note_definitions(Clone *clone, const CloneTarget *target,
									 Error *err);

#endif /* PENSTOCK_JOB_CLONE_DEFINITIONS_H */
