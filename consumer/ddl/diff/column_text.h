/*
 * column_text.h
 *    A column as CREATE TABLE and ADD COLUMN want it.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_TEXT_H
#define PENSTOCK_DDL_DIFF_COLUMN_TEXT_H

#include "ddl/diff/draft.h"

/* "name" type COLLATE … GENERATED … DEFAULT … NOT NULL, of a table that is so
 * after.  An identity column's sequence is made along, and is in the draft. */
const char *column_text(Draft *draft, const DraftObject *table,
						const ColumnDefinition *column);

/* The constraint that NOT NULL of the column is, of a table that is so after;
 * NULL: the target has no such constraints, or it is none. */
const ConstraintDefinition *column_not_null_constraint(const Draft *draft,
													   const DraftObject *table,
													   uint16_t attnum);

/* Whether it is what comes of SET NOT NULL, its name included. */
bool column_not_null_is_usual(Draft *draft, const DraftObject *table,
							  const ColumnDefinition *column,
							  const ConstraintDefinition *constraint);

/* type COLLATE … */
const char *column_type_text(Draft *draft, const ColumnDefinition *column);

/* GENERATED … AS IDENTITY (…); makes the sequence as above. */
const char *column_identity_text(Draft *draft, const DraftObject *table,
								 const ColumnDefinition *column);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_TEXT_H */
