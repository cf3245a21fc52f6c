/*
 * constraints.c
 *    ALTER TABLE … ADD CONSTRAINT, VALIDATE CONSTRAINT, ALTER CONSTRAINT.
 */
#include "ddl/diff/constraints.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

static void
add_constraint(Draft *draft, DraftObject *table,
			   const ConstraintDefinition *constraint)
{
	draft_alter(draft, table, DDL_CONSTRAINT, "ADD CONSTRAINT %s %s",
				text_quoted(draft->arena, constraint->name),
				constraint->definition);
}

/* ---- Checks ---- */

/* Whether the table gets the check from a parent that has it in `after`. */
static bool
comes_from_parent(const Draft *draft, const DraftObject *table,
				  const ConstraintDefinition *check)
{
	const OidList *parents = &table->now->table.parents;

	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);
		const ConstraintDefinition *other = NULL;

		if (parent != NULL && parent->after != NULL)
			other = constraint_named(parent->after, check->name);
		if (other != NULL && other->kind == CONSTRAINT_CHECK &&
			text_find_word(other->definition, "NO INHERIT") == NULL)
			return true;
	}
	return false;
}

/*
 * Updates the draft's children of a table that got a check: each child inherits
 * it.
 */
static void
spread_check(Draft *draft, DraftObject *table,
			 const ConstraintDefinition *check)
{
	for (int i = 0; i < table->child_count; i++)
	{
		DraftObject *child = table->children[i];
		bool known = constraint_named(child->now, check->name) != NULL;

		draft_inherit_check(draft, child, check);
		if (!known && constraint_named(child->now, check->name) != NULL)
			spread_check(draft, child, check);
	}
}

/*
 * Adds checks to children before parents, so that a check which both declare
 * belongs to the child, too.
 */
static void
add_checks(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->after->table.constraint_count; i++)
	{
		const ConstraintDefinition *check = &table->after->table.constraints[i];
		ConstraintDefinition added = *check;

		if (check->kind != CONSTRAINT_CHECK ||
			constraint_of(table->now, check->oid) != NULL ||
			(!check->local && comes_from_parent(draft, table, check)))
			continue;
		add_constraint(draft, table, check);
		added.local = true;
		added.inherited = 0;
		draft_add_constraint(draft, table, &added);
		spread_check(draft, table, &added);
	}
}

/* ---- Altered ones ---- */

static void
validate(Draft *draft, DraftObject *table, const ConstraintDefinition *after)
{
	ConstraintDefinition *now = draft_edit_constraint(draft, table, after->oid);
	DraftFamily family = draft_family(draft, table);

	draft_alter(draft, table, DDL_CONSTRAINT, "VALIDATE CONSTRAINT %s",
				text_quoted(draft->arena, after->name));
	now->validated = true;
	for (int i = 1; i < family.count; i++)
	{
		const ConstraintDefinition *other = constraint_named(
			family.tables[i]->now, after->name);

		if (other != NULL && other->inherited > 0)
			draft_edit_constraint(draft, family.tables[i], other->oid)
				->validated = true;
	}
}

static const char *
deferring(const char *definition)
{
	if (text_find_word(definition, "DEFERRABLE") == NULL)
		return "NOT DEFERRABLE";
	return text_find_word(definition, "INITIALLY DEFERRED") != NULL
			   ? "DEFERRABLE INITIALLY DEFERRED"
			   : "DEFERRABLE INITIALLY IMMEDIATE";
}

static const char *
enforcing(const char *definition)
{
	return text_find_word(definition, "NOT ENFORCED") != NULL ? "NOT ENFORCED"
															  : "ENFORCED";
}

/*
 * Alters a foreign key; those of partitions change together with the
 * partitioned table's.
 */
static void
alter_foreign_key(Draft *draft, DraftObject *table,
				  const ConstraintDefinition *now,
				  const ConstraintDefinition *after)
{
	const char *name = text_quoted(draft->arena, after->name);

	if (now->parent != 0 || after->kind != CONSTRAINT_FOREIGN_KEY)
		return;
	if (strcmp(deferring(now->definition), deferring(after->definition)) != 0)
		draft_alter(draft, table, DDL_CONSTRAINT, "ALTER CONSTRAINT %s %s",
					name, deferring(after->definition));
	if (strcmp(enforcing(now->definition), enforcing(after->definition)) != 0)
		draft_alter(draft, table, DDL_CONSTRAINT, "ALTER CONSTRAINT %s %s",
					name, enforcing(after->definition));
}

static void
alter_constraints(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.constraint_count; i++)
	{
		const ConstraintDefinition *now = &table->now->table.constraints[i];
		const ConstraintDefinition *after = constraint_of(table->after,
														  now->oid);

		if (after == NULL || after->kind == CONSTRAINT_NOT_NULL)
			continue;
		alter_foreign_key(draft, table, now, after);
		if (after->validated && !now->validated &&
			text_find_word(after->definition, "NOT ENFORCED") == NULL)
			validate(draft, table, after);
	}
}

void
diff_checks(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			add_checks(draft, draft->changed[i]);
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			alter_constraints(draft, draft->changed[i]);
}

/* ---- Foreign keys ---- */

void
diff_table_foreign_keys(Draft *draft, DraftObject *table, bool with_parent_only)
{
	ASSERT(draft_stays(table, DEFINITION_TABLE));
	for (int i = 0; i < table->after->table.constraint_count; i++)
	{
		const ConstraintDefinition *key = &table->after->table.constraints[i];
		ConstraintDefinition added = *key;

		if (key->kind != CONSTRAINT_FOREIGN_KEY ||
			constraint_of(table->now, key->oid) != NULL ||
			(with_parent_only && key->parent == 0))
			continue;
		add_constraint(draft, table, key);
		added.parent = 0;
		draft_add_constraint(draft, table, &added);
	}
}

/*
 * Adds the keys of partitions first; the partitioned table's key then uses
 * them.
 */
void
diff_foreign_keys(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			diff_table_foreign_keys(draft, draft->changed[i], false);
}
