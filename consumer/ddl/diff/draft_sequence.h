/*
 * draft_sequence.h
 *    Sequences of a draft, and the columns that they belong to.
 */
#ifndef PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H
#define PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H

#include "ddl/diff/draft.h"

/* That of an identity column, now or after; NULL: there is none. */
DraftObject *draft_identity_sequence(const Draft *draft, uint32_t table,
									 uint16_t attnum, bool after);

/* The sequence that a default takes its next value from, if it has to change;
 * NULL: none. */
DraftObject *draft_sequence_used(const Draft *draft, const char *expression);

/* Whether a default takes its next value from a sequence that is not there yet:
 * that of an identity column. */
bool draft_sequence_is_to_come(const Draft *draft, const char *expression);

/* The sequences that the column owns are gone with it. */
void draft_drop_owned(Draft *draft, uint32_t table, uint16_t attnum);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_SEQUENCE_H */
