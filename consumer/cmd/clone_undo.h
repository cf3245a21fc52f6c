/*
 * clone_undo.h
 *    The end of a clone that failed.
 */
#ifndef PENSTOCK_CMD_CLONE_UNDO_H
#define PENSTOCK_CMD_CLONE_UNDO_H

#include "cmd/clone_state.h"

/*
 * Drops the slot if this run has created it, takes back progress, and says what
 * stays on the targets.  What goes wrong is logged.
 */
void clone_undo(Clone *clone);

#endif /* PENSTOCK_CMD_CLONE_UNDO_H */
