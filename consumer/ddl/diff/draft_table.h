/*
 * draft_table.h
 *    Columns, constraints and indexes of the tables in a draft.
 *
 * Columns are changed by their names: a parent's column and its children's have
 * the same name, but not the same attnum.
 */
#ifndef PENSTOCK_DDL_DIFF_DRAFT_TABLE_H
#define PENSTOCK_DDL_DIFF_DRAFT_TABLE_H

#include "ddl/diff/draft.h"

/* A table, and all that inherit from it now, each after a parent of it. */
typedef struct DraftFamily
{
	int count;
	DraftObject **tables;
} DraftFamily;

DraftFamily draft_family(Draft *draft, DraftObject *table);

/* The member of a table; NULL: there is none. */
const ColumnDefinition *column_named(const Definition *table, const char *name);
const ConstraintDefinition *constraint_of(const Definition *table,
										  uint32_t oid);
const ConstraintDefinition *constraint_named(const Definition *table,
											 const char *name);
const IndexDefinition *index_of(const Definition *table, uint32_t oid);

/* Whether the one has a foreign key now that refers to the other. */
bool draft_refers_to(const DraftObject *table, const DraftObject *other);

/* The member of `now`, for changing, until one is added; NULL: there is none.
 */
ColumnDefinition *draft_edit_column(Draft *draft, DraftObject *table,
									const char *name);
ConstraintDefinition *draft_edit_constraint(Draft *draft, DraftObject *table,
											uint32_t oid);
IndexDefinition *draft_edit_index(Draft *draft, DraftObject *table,
								  uint32_t oid);

/* Adds a copy of the member to `now`; its strings are borrowed. */
void draft_add_column(Draft *draft, DraftObject *table,
					  const ColumnDefinition *column);
void draft_add_constraint(Draft *draft, DraftObject *table,
						  const ConstraintDefinition *constraint);
void draft_add_index(Draft *draft, DraftObject *table,
					 const IndexDefinition *index);

/*
 * The table has a parent that has this constraint, or gets it: if it is a check
 * that children have, the table gets it, or has it once more.  Its children do
 * not get it here.
 */
void draft_inherit_check(Draft *draft, DraftObject *table,
						 const ConstraintDefinition *constraint);

/* Takes the member out of `now`. */
void draft_remove_column(Draft *draft, DraftObject *table, const char *name);
void draft_remove_constraint(Draft *draft, DraftObject *table, uint32_t oid);
void draft_remove_index(Draft *draft, DraftObject *table, uint32_t oid);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_TABLE_H */
