/*
 * adopt.h
 *    Sequences of identity columns that do not know yet whose they are.
 *
 * ALTER TABLE … ADD COLUMN … GENERATED AS IDENTITY makes the sequence first,
 * then writes the table anew, and notes last to which column the sequence
 * belongs.  So the definitions that come before the rows have a column with an
 * identity and a sequence without an owner.
 */
#ifndef PENSTOCK_DDL_ADOPT_H
#define PENSTOCK_DDL_ADOPT_H

#include "model/definition.h"

/*
 * Gives such sequences to the columns of a table, by its OID: each is one that
 * is in `after` and not in `before`, in the schema of the table, with the name
 * that the server gives to sequences of the column.
 */
void ddl_adopt_sequences(const DefinitionSet *before, DefinitionSet *after,
						 uint32_t table);

#endif /* PENSTOCK_DDL_ADOPT_H */
