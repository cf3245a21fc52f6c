/*
 * adopt.h
 *    Assigns sequences of identity columns to their columns.
 *
 * ALTER TABLE … ADD COLUMN … GENERATED AS IDENTITY first creates the sequence,
 * then rewrites the table, and records last that the column owns the sequence.
 * The definitions that precede the rewritten rows therefore contain an identity
 * column, and a sequence without an owner.
 */
#ifndef PENSTOCK_DDL_ADOPT_H
#define PENSTOCK_DDL_ADOPT_H

#include "model/definition.h"

/*
 * Makes the identity columns of a table, given by its OID, owners of such
 * sequences in `after`: a sequence that `before` does not have, in the schema
 * of the table, with the name that the server gives to the column's sequence.
 */
void ddl_adopt_sequences(const DefinitionSet *before, DefinitionSet *after,
						 uint32_t table);

#endif /* PENSTOCK_DDL_ADOPT_H */
