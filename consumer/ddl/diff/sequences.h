/*
 * sequences.h
 *    Creates and alters sequences.
 */
#ifndef PENSTOCK_DDL_DIFF_SEQUENCES_H
#define PENSTOCK_DDL_DIFF_SEQUENCES_H

#include "ddl/diff/draft.h"

/* Creates sequences, except those of identity columns. */
void diff_create_sequences(Draft *draft);

/* Alters sequences that stay, and sets their owners. */
void diff_alter_sequences(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_SEQUENCES_H */
