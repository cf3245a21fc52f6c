/*
 * drop_constraints.c
 *    ALTER TABLE … DROP CONSTRAINT, DROP INDEX.
 *
 * Parents come first: what tables inherit is dropped with the parent's.
 */
#include "ddl/diff/drop_constraints.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- What goes along ---- */

/*
 * Remove a constraint or index from the draft, together with those of
 * partitions.
 */
static void
forget_index(Draft *draft, DraftFamily *family, uint32_t oid)
{
	for (int i = 0; i < family->count; i++)
	{
		DraftObject *table = family->tables[i];

		for (int k = table->now->table.index_count - 1; k >= 0; k--)
		{
			const IndexDefinition *index = &table->now->table.indexes[k];
			uint32_t partition_oid = index->oid;

			if (index->parent != oid)
				continue;
			draft_remove_index(draft, table, partition_oid);
			forget_index(draft, family, partition_oid);
		}
	}
}

static void
forget_key(Draft *draft, DraftFamily *family, uint32_t oid)
{
	for (int i = 0; i < family->count; i++)
	{
		DraftObject *table = family->tables[i];

		for (int k = table->now->table.constraint_count - 1; k >= 0; k--)
		{
			const ConstraintDefinition *constraint = &table->now->table
														  .constraints[k];
			uint32_t partition_oid = constraint->oid;

			if (constraint->parent != oid)
				continue;
			draft_remove_index(draft, table, constraint->index);
			draft_remove_constraint(draft, table, partition_oid);
			forget_key(draft, family, partition_oid);
		}
	}
}

/*
 * Updates the draft after a check was dropped: children inherit it from one
 * parent less, and lose it if they do not declare it.
 */
static void
forget_check(Draft *draft, DraftFamily *family, const char *name, bool only)
{
	for (int i = 1; i < family->count; i++)
	{
		DraftObject *table = family->tables[i];
		const ConstraintDefinition *known = constraint_named(table->now, name);
		ConstraintDefinition *constraint;

		if (known == NULL || known->inherited == 0)
			continue;
		constraint = draft_edit_constraint(draft, table, known->oid);
		constraint->inherited--;
		constraint->local = constraint->local || only;
		if (constraint->inherited == 0 && !constraint->local)
			draft_remove_constraint(draft, table, constraint->oid);
	}
}

/* ---- Constraints ---- */

/*
 * Whether a child keeps the check, which dropping it in the table would drop,
 * too.
 */
static bool
children_keep(const DraftObject *table, const ConstraintDefinition *constraint)
{
	if (constraint->kind != CONSTRAINT_CHECK || table->now->table.partitioned)
		return false;
	for (int i = 0; i < table->child_count; i++)
	{
		const DraftObject *child = table->children[i];
		const ConstraintDefinition *other = constraint_named(child->now,
															 constraint->name);

		if (other != NULL && other->inherited == 1 && !other->local &&
			child->after != NULL &&
			constraint_of(child->after, other->oid) != NULL)
			return true;
	}
	return false;
}

static void
drop_constraint(Draft *draft, DraftObject *table,
				const ConstraintDefinition *constraint)
{
	bool only = children_keep(table, constraint);
	DraftFamily family = draft_family(draft, table);
	ConstraintDefinition gone = *constraint;

	draft_say(draft, table, DDL_CONSTRAINT,
			  "ALTER TABLE %s%s DROP CONSTRAINT IF EXISTS %s",
			  only ? "ONLY " : "", draft_name(draft, table),
			  text_quoted(draft->arena, gone.name));
	draft_remove_index(draft, table, gone.index);
	draft_remove_constraint(draft, table, gone.oid);
	if (gone.kind == CONSTRAINT_CHECK)
		forget_check(draft, &family, gone.name, only);
	else
		forget_key(draft, &family, gone.oid);
}

/* Whether a table that stays loses a key, to which foreign keys may refer. */
static bool
loses_key(const DraftObject *table)
{
	if (table == NULL || !draft_stays(table, DEFINITION_TABLE))
		return false;
	for (int i = 0; i < table->now->table.constraint_count; i++)
	{
		const ConstraintDefinition *constraint = &table->now->table
													  .constraints[i];

		if (constraint->index != 0 &&
			constraint->kind != CONSTRAINT_FOREIGN_KEY &&
			constraint_of(table->after, constraint->oid) == NULL)
			return true;
	}
	return false;
}

/*
 * Whether a constraint needs a DROP.  Foreign keys of a table that will be
 * dropped need one only if the key that they refer to is dropped earlier.
 */
static bool
has_to_go(const Draft *draft, const DraftObject *table,
		  const ConstraintDefinition *constraint)
{
	if (constraint->kind == CONSTRAINT_NOT_NULL || constraint->parent != 0)
		return false;
	if (table->after == NULL)
		return constraint->kind == CONSTRAINT_FOREIGN_KEY &&
			   loses_key(draft_table(draft, constraint->referenced_table));
	return constraint_of(table->after, constraint->oid) == NULL &&
		   (constraint->kind != CONSTRAINT_CHECK || constraint->inherited == 0);
}

static void
drop_constraints(Draft *draft, DraftObject *table, bool foreign)
{
	for (int i = table->now->table.constraint_count - 1; i >= 0; i--)
	{
		const ConstraintDefinition *constraint = &table->now->table
													  .constraints[i];

		if ((constraint->kind == CONSTRAINT_FOREIGN_KEY) == foreign &&
			has_to_go(draft, table, constraint))
			drop_constraint(draft, table, constraint);
	}
}

static void
drop_indexes(Draft *draft, DraftObject *table)
{
	for (int i = table->now->table.index_count - 1; i >= 0; i--)
	{
		const IndexDefinition *index = &table->now->table.indexes[i];
		DraftFamily family;
		uint32_t oid = index->oid;

		if (index->constraint != 0 || index->parent != 0 ||
			index_of(table->after, oid) != NULL)
			continue;
		draft_say(draft, table, DDL_INDEX, "DROP INDEX IF EXISTS %s",
				  text_qualified(draft->arena, index->schema, index->name));
		family = draft_family(draft, table);
		draft_remove_index(draft, table, oid);
		forget_index(draft, &family, oid);
	}
}

void
diff_drop_constraints(Draft *draft)
{
	for (int foreign = 1; foreign >= 0; foreign--)
		for (int i = 0; i < draft->changed_count; i++)
			if (draft->changed[i]->kind == DEFINITION_TABLE &&
				draft->changed[i]->now != NULL)
				drop_constraints(draft, draft->changed[i], foreign == 1);
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			drop_indexes(draft, draft->changed[i]);
}
