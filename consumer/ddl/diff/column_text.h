/*
 * column_text.h
 *    SQL of a column, for CREATE TABLE and ADD COLUMN.
 */
#ifndef PENSTOCK_DDL_DIFF_COLUMN_TEXT_H
#define PENSTOCK_DDL_DIFF_COLUMN_TEXT_H

#include "ddl/diff/draft.h"

/*
 * Returns "name" type COLLATE … GENERATED … DEFAULT … NOT NULL for a column in
 * its new state.  The sequence of an identity column is created by the
 * statement, so it is added to the draft.
 */
const char *column_text(Draft *draft, const DraftObject *table,
						const ColumnDefinition *column);

/*
 * Returns the NOT NULL constraint of a column in the table's new state; NULL:
 * the column has none, or the target's version has no such constraints.
 */
const ConstraintDefinition *column_not_null_constraint(const Draft *draft,
													   const DraftObject *table,
													   uint16_t attnum);

/*
 * Whether a NOT NULL constraint is the one that SET NOT NULL creates, including
 * its name.
 */
bool column_not_null_is_usual(Draft *draft, const DraftObject *table,
							  const ColumnDefinition *column,
							  const ConstraintDefinition *constraint);

/* Returns: type COLLATE … */
const char *column_type_text(Draft *draft, const ColumnDefinition *column);

/*
 * Returns GENERATED … AS IDENTITY (…) for an identity column, and adds the
 * sequence to the draft.
 */
const char *column_identity_text(Draft *draft, const DraftObject *table,
								 const ColumnDefinition *column);

#endif /* PENSTOCK_DDL_DIFF_COLUMN_TEXT_H */
