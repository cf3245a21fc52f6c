/*
 * attach.c
 *    ALTER TABLE … ATTACH PARTITION, INHERIT; ALTER INDEX … ATTACH PARTITION.
 *
 * Tables farthest from the root are attached first.  The index of a partitioned
 * table is valid only if each partition has it, and when a table with an
 * invalid index is attached, the server creates another index for it.
 */
#include "ddl/diff/attach.h"

#include "ddl/diff/column_types.h"
#include "ddl/diff/constraints.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- Tables ---- */

/*
 * Updates the draft: the server attaches matching indexes together with the
 * table.
 */
static void
attach_fitting_indexes(DraftObject *child, const DraftObject *parent)
{
	for (int i = 0; i < child->own->table.index_count; i++)
	{
		IndexDefinition *index = &child->own->table.indexes[i];
		const IndexDefinition *after = index_of(child->after, index->oid);

		if (after != NULL && index_of(parent->now, after->parent) != NULL)
			index->parent = after->parent;
	}
}

/*
 * Updates the draft: the server gives the child the parent's identity columns.
 */
static void
attach_identities(DraftObject *child, const DraftObject *parent)
{
	for (int i = 0; i < child->own->table.column_count; i++)
	{
		ColumnDefinition *column = &child->own->table.columns[i];
		const ColumnDefinition *other = column_named(parent->now, column->name);

		if (other != NULL)
			column->identity = other->identity;
	}
}

/*
 * Creates the foreign keys of a partition that is to be attached, as far as the
 * parent has them, too: created by ATTACH PARTITION they would get names of the
 * server's.  Those of its own partitions come first: creating one of a
 * partitioned table creates those that its partitions lack.
 */
static void
create_foreign_keys(Draft *draft, DraftObject *child)
{
	DraftFamily family = draft_family(draft, child);

	for (int i = family.count - 1; i >= 0; i--)
		if (draft_stays(family.tables[i], DEFINITION_TABLE))
			diff_table_foreign_keys(draft, family.tables[i], true);
}

static void
attach(Draft *draft, DraftObject *child, DraftObject *parent)
{
	create_foreign_keys(draft, child);
	draft_alter(draft, parent, DDL_PARTITION, "ATTACH PARTITION %s %s",
				draft_name(draft, child), child->after->table.bound);
	draft_inherit(draft, child, parent);
	child->own->table.bound = child->after->table.bound;
	attach_fitting_indexes(child, parent);
	if (draft_shares_identities(draft, child))
		attach_identities(child, parent);
}

static void
inherit(Draft *draft, DraftObject *child, DraftObject *parent)
{
	draft_alter(draft, child, DDL_PARTITION, "INHERIT %s",
				draft_name(draft, parent));
	draft_inherit(draft, child, parent);
}

/*
 * Whether the child must get a column that it is to have only by inheritance.
 */
static bool
gets_columns(const DraftObject *child)
{
	for (int i = 0; i < child->after->table.column_count; i++)
	{
		const ColumnDefinition *after = &child->after->table.columns[i];

		if (!after->local &&
			definition_column(&child->now->table, after->attnum) == NULL)
			return true;
	}
	return false;
}

/*
 * Whether the child has all columns and checks that the parent currently has.
 */
static bool
fits(const DraftObject *child, const DraftObject *parent)
{
	for (int i = 0; i < parent->now->table.column_count; i++)
	{
		const ColumnDefinition *column = &parent->now->table.columns[i];
		const ColumnDefinition *own = column_named(child->now, column->name);

		if (own == NULL || !column_types_equal(own, column) ||
			(column->not_null && !own->not_null))
			return false;
	}
	for (int i = 0; i < parent->now->table.constraint_count; i++)
	{
		const ConstraintDefinition *check = &parent->now->table.constraints[i];

		if (check->kind == CONSTRAINT_CHECK &&
			constraint_named(child->now, check->name) == NULL)
			return false;
	}
	return true;
}

/*
 * Updates the draft: a column that both the parent and the child have is
 * inherited from the parent.
 */
static void
inherit_columns(DraftObject *child, const DraftObject *parent)
{
	for (int i = 0; i < child->own->table.column_count; i++)
		if (column_named(parent->now, child->own->table.columns[i].name) !=
			NULL)
			child->own->table.columns[i].inherited++;
}

static void
inherit_early(Draft *draft, DraftObject *child)
{
	const OidList *parents = &child->after->table.parents;

	for (int i = 0; i < parents->count; i++)
	{
		DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent == NULL || parent->now == NULL ||
			draft_has_oid(&child->now->table.parents, parents->oids[i]) ||
			!fits(child, parent))
			continue;
		inherit(draft, child, parent);
		inherit_columns(child, parent);
	}
}

void
diff_inherit_early(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *child = draft->changed[i];

		if (draft_stays(child, DEFINITION_TABLE) &&
			child->after->table.bound[0] == '\0' && gets_columns(child))
			inherit_early(draft, child);
	}
}

static void
give_parents(Draft *draft, DraftObject *child)
{
	const OidList *parents = &child->after->table.parents;

	for (int i = 0; i < parents->count; i++)
	{
		DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent == NULL || parent->now == NULL ||
			draft_has_oid(&child->now->table.parents, parents->oids[i]))
			continue;
		if (child->after->table.bound[0] != '\0')
			attach(draft, child, parent);
		else
			inherit(draft, child, parent);
	}
}

/* ---- Indexes ---- */

static void
attach_index(Draft *draft, DraftObject *child, const IndexDefinition *index,
			 const IndexDefinition *parent)
{
	draft_say(draft, child, DDL_INDEX, "ALTER INDEX %s ATTACH PARTITION %s",
			  text_qualified(draft->arena, parent->schema, parent->name),
			  text_qualified(draft->arena, index->schema, index->name));
	draft_edit_index(draft, child, index->oid)->parent = parent->oid;
}

/*
 * Returns the index with this OID if it belongs to a table from which the child
 * inherits; else NULL.
 */
static const IndexDefinition *
parents_index(const Draft *draft, const DraftObject *child, uint32_t oid)
{
	const OidList *parents = &child->now->table.parents;

	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent != NULL && parent->now != NULL &&
			index_of(parent->now, oid) != NULL)
			return index_of(parent->now, oid);
	}
	return NULL;
}

static void
attach_indexes(Draft *draft, DraftObject *child)
{
	for (int i = 0; i < child->now->table.index_count; i++)
	{
		const IndexDefinition *index = &child->now->table.indexes[i];
		const IndexDefinition *after = index_of(child->after, index->oid);
		const IndexDefinition *parent;

		if (after == NULL || after->parent == 0 ||
			after->parent == index->parent)
			continue;
		parent = parents_index(draft, child, after->parent);
		if (parent != NULL)
			attach_index(draft, child, index, parent);
	}
}

void
diff_attach_indexes(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			attach_indexes(draft, draft->changed[i]);
}

void
diff_attach(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
	{
		DraftObject *child = draft->changed[i];

		if (!draft_stays(child, DEFINITION_TABLE))
			continue;
		give_parents(draft, child);
		attach_indexes(draft, child);
	}
}
