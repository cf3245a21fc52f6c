/*
 * stride.h
 *    Hides the stride of sequences from a comparison.
 *
 * With a stride of N, a target's sequence has N times the source's increment.
 * This does not count as a difference.
 */
#ifndef PENSTOCK_DDL_STRIDE_H
#define PENSTOCK_DDL_STRIDE_H

#include "model/definition.h"

/*
 * Sets the source's increment in each of the target's sequences whose increment
 * is `stride` times the source's.  The target's definitions must have the
 * source's OIDs, as after ddl_align().  A stride of 0 changes nothing.
 */
void ddl_undo_stride(DefinitionSet *target, const DefinitionSet *source,
					 int stride);

#endif /* PENSTOCK_DDL_STRIDE_H */
