/*
 * definitions.h
 *    What the source's schema is where a clone begins, for following its
 *    changes.
 */
#ifndef PENSTOCK_JOB_CLONE_DEFINITIONS_H
#define PENSTOCK_JOB_CLONE_DEFINITIONS_H

#include "base/error.h"
#include "job/clone/state.h"

/*
 * Reads what the schema of the lead is, under the snapshot that it was dumped
 * under; nothing, if its changes are not looked at, or if it was read already.
 * Waits.
 */
MUST_CHECK Rc clone_read_definitions(Clone *clone, Error *err);

/*
 * Notes on the target what the schema was when it was read; nothing, if its
 * changes are not looked at.  A clone that goes on with a schema that exists
 * leaves what was noted with it. Waits.
 */
MUST_CHECK Rc clone_note_definitions(Clone *clone, const CloneTarget *target,
									 Error *err);

#endif /* PENSTOCK_JOB_CLONE_DEFINITIONS_H */
