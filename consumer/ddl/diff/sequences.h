/*
 * sequences.h
 *    Sequences that come, or that are altered.
 */
#ifndef PENSTOCK_DDL_DIFF_SEQUENCES_H
#define PENSTOCK_DDL_DIFF_SEQUENCES_H

#include "ddl/diff/draft.h"

/* Creates sequences, but for those of identity columns. */
void diff_create_sequences(Draft *draft);

/* Alters those that stay, and gives them the owners that they have after. */
void diff_alter_sequences(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_SEQUENCES_H */
