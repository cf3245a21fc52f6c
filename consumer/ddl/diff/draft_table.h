/*
 * draft_table.h
 *    Columns, constraints and indexes of the tables in a draft.
 *
 * A column is identified by its name, because a parent's column and the
 * children's have the same name, but not always the same attnum.
 */
#ifndef PENSTOCK_DDL_DIFF_DRAFT_TABLE_H
#define PENSTOCK_DDL_DIFF_DRAFT_TABLE_H

#include "ddl/diff/draft.h"

/*
 * A table and all tables that currently inherit from it, each once and after a
 * parent.
 */
typedef struct DraftFamily
{
	int count;
	int capacity;
	DraftObject **tables; /* tables[0] is the table itself */
} DraftFamily;

/*
 * Returns the family of a table that exists.  Not to be called while tables are
 * marked as visited.
 */
DraftFamily draft_family(Draft *draft, DraftObject *table);

/* Find a column, constraint or index of a table; NULL: there is none. */
const ColumnDefinition *column_named(const Definition *table, const char *name);
const ConstraintDefinition *constraint_of(const Definition *table,
										  uint32_t oid);
const ConstraintDefinition *constraint_named(const Definition *table,
											 const char *name);
const IndexDefinition *index_of(const Definition *table, uint32_t oid);

/* Whether `table` currently has a foreign key to `other`. */
bool draft_refers_to(const DraftObject *table, const DraftObject *other);

/*
 * Return a member of the current definition for editing; NULL: there is none.
 * The pointer is valid until a member is added.
 */
ColumnDefinition *draft_edit_column(Draft *draft, DraftObject *table,
									const char *name);
ConstraintDefinition *draft_edit_constraint(Draft *draft, DraftObject *table,
											uint32_t oid);
IndexDefinition *draft_edit_index(Draft *draft, DraftObject *table,
								  uint32_t oid);

/*
 * Add a copy of a member to the current definition; its strings are borrowed.
 */
void draft_add_column(Draft *draft, DraftObject *table,
					  const ColumnDefinition *column);
void draft_add_constraint(Draft *draft, DraftObject *table,
						  const ConstraintDefinition *constraint);
void draft_add_index(Draft *draft, DraftObject *table,
					 const IndexDefinition *index);

/*
 * Updates the draft of a table whose parent got this constraint: if it is a
 * check that is inherited, the table gets it, or inherits it once more.
 * Children of the table are not updated.
 */
void draft_inherit_check(Draft *draft, DraftObject *table,
						 const ConstraintDefinition *constraint);

/* Remove a member from the current definition. */
void draft_remove_column(Draft *draft, DraftObject *table, const char *name);
void draft_remove_constraint(Draft *draft, DraftObject *table, uint32_t oid);
void draft_remove_index(Draft *draft, DraftObject *table, uint32_t oid);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_TABLE_H */
