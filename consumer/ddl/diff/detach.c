/*
 * detach.c
 *    ALTER TABLE … DETACH PARTITION, ALTER TABLE … NO INHERIT.
 */
#include "ddl/diff/detach.h"

#include <string.h>

#include "ddl/diff/draft_table.h"

/* Updates the draft: columns from the parent become the table's own. */
static void
keep_columns(DraftObject *child, const DraftObject *parent)
{
	TableDefinition *table = &child->own->table;

	for (int i = 0; i < table->column_count; i++)
	{
		ColumnDefinition *column = &table->columns[i];

		if (column->inherited == 0 ||
			column_named(parent->now, column->name) == NULL)
			continue;
		column->inherited--;
		column->local = column->local || column->inherited == 0;
	}
}

/* Whether the table has the constraint from this parent. */
static bool
comes_from(const ConstraintDefinition *constraint, const DraftObject *parent)
{
	const ConstraintDefinition *other;

	if (constraint->parent != 0)
		return constraint_of(parent->now, constraint->parent) != NULL;
	other = constraint_named(parent->now, constraint->name);
	return constraint->inherited > 0 && other != NULL &&
		   other->kind == constraint->kind;
}

static void
keep_constraints(DraftObject *child, const DraftObject *parent)
{
	TableDefinition *table = &child->own->table;

	for (int i = 0; i < table->constraint_count; i++)
	{
		ConstraintDefinition *constraint = &table->constraints[i];

		if (!comes_from(constraint, parent))
			continue;
		constraint->parent = 0;
		if (constraint->inherited > 0)
			constraint->inherited--;
		constraint->local = constraint->local || constraint->inherited == 0;
	}
	for (int i = 0; i < table->index_count; i++)
		if (index_of(parent->now, table->indexes[i].parent) != NULL)
			table->indexes[i].parent = 0;
}

static void
detach(Draft *draft, DraftObject *child, DraftObject *parent)
{
	bool partition = child->now->table.bound[0] != '\0';

	if (partition)
		draft_alter(draft, parent, DDL_PARTITION, "DETACH PARTITION %s",
					draft_name(draft, child));
	else
		draft_alter(draft, child, DDL_PARTITION, "NO INHERIT %s",
					draft_name(draft, parent));
	draft_disinherit(draft, child, parent);
	child->own->table.bound = "";
	keep_columns(child, parent);
	keep_constraints(child, parent);
}

/*
 * Whether a column that the child keeps inheriting will be declared by the
 * child, too.
 */
static bool
columns_become_local(const DraftObject *child)
{
	for (int i = 0; i < child->now->table.column_count; i++)
	{
		const ColumnDefinition *now = &child->now->table.columns[i];
		const ColumnDefinition *after = definition_column(&child->after->table,
														  now->attnum);

		if (after != NULL && now->inherited > 0 && !now->local &&
			after->inherited > 0 && after->local)
			return true;
	}
	return false;
}

/*
 * Whether the table leaves the parent.  A partition with a new bound leaves,
 * and is attached again.
 */
static bool
has_left(const DraftObject *child, uint32_t parent)
{
	return !draft_has_oid(&child->after->table.parents, parent) ||
		   strcmp(child->now->table.bound, child->after->table.bound) != 0;
}

/* Whether the draft has all parents, so that statements can name them. */
static bool
are_known(const Draft *draft, const OidList *parents)
{
	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent == NULL || parent->now == NULL)
			return false;
	}
	return true;
}

/*
 * Ends the inheritance and begins it again, which makes all columns the child's
 * own.  A selection of tables may lack a parent; then nothing is done.
 */
static void
leave_and_return(Draft *draft, DraftObject *child)
{
	OidList parents = child->now->table.parents;
	TableDefinition *own;

	if (child->now->table.bound[0] != '\0' || !columns_become_local(child) ||
		!are_known(draft, &parents))
		return;
	for (int i = 0; i < parents.count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents.oids[i]);
		const char *name = draft_name(draft, parent);

		draft_alter(draft, child, DDL_PARTITION, "NO INHERIT %s", name);
		draft_alter(draft, child, DDL_PARTITION, "INHERIT %s", name);
	}
	own = &draft_edit(draft, child)->table;
	for (int i = 0; i < own->column_count; i++)
		own->columns[i].local = true;
}

void
diff_detach(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *child = draft->changed[i];

		if (!draft_stays(child, DEFINITION_TABLE))
			continue;
		for (int p = child->now->table.parents.count - 1; p >= 0; p--)
		{
			uint32_t oid = child->now->table.parents.oids[p];
			DraftObject *parent = draft_table(draft, oid);

			if (parent != NULL && parent->now != NULL && has_left(child, oid))
				detach(draft, child, parent);
		}
		leave_and_return(draft, child);
	}
}
