/*
 * stride.h
 *    Increments of sequences whose values are disjoint.
 *
 * With a stride of N a target's sequence has N times the source's increment.
 * That is no difference between the two.
 */
#ifndef PENSTOCK_DDL_STRIDE_H
#define PENSTOCK_DDL_STRIDE_H

#include "model/definition.h"

/*
 * Gives those of the target's sequences the source's increment that have it
 * `stride` times.  The target's definitions are told by the source's OIDs, as
 * by ddl_align().  A stride of 0 changes nothing.
 */
void ddl_undo_stride(DefinitionSet *target, const DefinitionSet *source,
					 int stride);

#endif /* PENSTOCK_DDL_STRIDE_H */
