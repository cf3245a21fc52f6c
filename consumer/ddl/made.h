/*
 * made.h
 *    Whether a target has a change of the source's schema already.
 *
 * Somebody has made it by hand, or it came there in another way.  Only what
 * differs between `before` and `after` is looked at.  So what the target has in
 * addition does not matter, nor what it lacks for another reason.
 *
 * Nothing here waits or asks a server.
 */
#ifndef PENSTOCK_DDL_MADE_H
#define PENSTOCK_DDL_MADE_H

#include <stdbool.h>

#include "model/definition.h"

/*
 * Whether all that became of the source's definitions, from `before` to
 * `after`, is true of the target's, which have OIDs of their own.  What is gone
 * is gone there if nothing of its kind and name is left; so is what has another
 * name, from its old one.
 * `target_version_num` is the server's, `stride` as for ddl_undo_stride().
 */
bool ddl_is_made(const DefinitionSet *before, const DefinitionSet *after,
				 const DefinitionSet *target, int target_version_num,
				 int stride);

#endif /* PENSTOCK_DDL_MADE_H */
