/*
 * draft_sequence.h
 *    Finds sequences of a draft by their columns.
 */
#ifndef PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H
#define PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H

#include "ddl/diff/draft.h"

/*
 * Returns the sequence of an identity column in the current or new state, or
 * NULL.
 */
DraftObject *draft_identity_sequence(const Draft *draft, uint32_t table,
									 uint16_t attnum, bool after);

/*
 * Returns the sequence that a default uses, if it is to be changed or dropped;
 * else NULL.
 */
DraftObject *draft_sequence_used(const Draft *draft, const char *expression);

/*
 * Whether a default may use a sequence that is to be dropped: it uses one that
 * draft_sequence_used() does not find by its name.  The expression is from the
 * last change of its table, and the sequence or its schema may have been
 * renamed since.
 */
bool draft_may_use_dropped(const Draft *draft, const char *expression);

/*
 * Whether a default uses a sequence that does not exist yet: that of an
 * identity column.
 */
bool draft_sequence_is_to_come(const Draft *draft, const char *expression);

/*
 * Updates the draft after a column was dropped: its sequences are dropped with
 * it.
 */
void draft_drop_owned(Draft *draft, uint32_t table, uint16_t attnum);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H */
