/*
 * made.h
 *    Finds out whether a target already has a change of the source's schema,
 *    for example because a user has applied it by hand.
 *
 * Only differences between `before` and `after` are considered, not other
 * objects that the target has or lacks.
 *
 * Nothing here waits for a server.
 */
#ifndef PENSTOCK_DDL_MADE_H
#define PENSTOCK_DDL_MADE_H

#include <stdbool.h>

#include "model/definition.h"

/*
 * Whether the target, whose definitions have OIDs of their own, has everything
 * that differs between the source's definitions `before` and `after`.  A
 * dropped or renamed object counts as such on the target if no object of that
 * kind has its former name. `target_version_num` is the target's
 * PG_VERSION_NUM; `stride` is as for ddl_undo_stride().
 */
bool ddl_is_made(const DefinitionSet *before, const DefinitionSet *after,
				 const DefinitionSet *target, int target_version_num,
				 int stride);

/*
 * Whether a table or composite type has a column that was dropped and made
 * again with the same name.  Of that ddl_is_made() never says that the target
 * has it: what is in the old column may not be what is in the new one.
 */
bool ddl_makes_columns_again(const DefinitionSet *before,
							 const DefinitionSet *after);

#endif /* PENSTOCK_DDL_MADE_H */
