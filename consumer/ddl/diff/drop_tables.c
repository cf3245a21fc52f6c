/*
 * drop_tables.c
 *    DROP TABLE, DROP SEQUENCE, DROP TYPE, DROP SCHEMA.
 */
#include "ddl/diff/drop_tables.h"

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- Sequences that stay ---- */

static bool
loses_owner(const DraftObject *sequence)
{
	const SequenceDefinition *now;
	const SequenceDefinition *after;

	if (!draft_stays(sequence, DEFINITION_SEQUENCE))
		return false;
	now = &sequence->now->sequence;
	after = &sequence->after->sequence;
	return !now->identity && now->owner_table != 0 &&
		   (now->owner_table != after->owner_table ||
			now->owner_attnum != after->owner_attnum);
}

void
diff_disown(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *sequence = draft->changed[i];

		if (!loses_owner(sequence))
			continue;
		draft_say(draft, sequence, DDL_SEQUENCE,
				  "ALTER SEQUENCE %s OWNED BY NONE",
				  draft_name(draft, sequence));
		draft_edit(draft, sequence)->sequence.owner_table = 0;
		sequence->own->sequence.owner_attnum = 0;
	}
}

/* ---- Tables ---- */

/*
 * Drops the foreign keys between tables that refer to each other, before the
 * tables.
 */
static void
drop_references(Draft *draft, DraftObject *table, const DraftObject *other)
{
	for (int i = table->now->table.constraint_count - 1; i >= 0; i--)
	{
		const ConstraintDefinition *constraint = &table->now->table
													  .constraints[i];

		if (constraint->kind != CONSTRAINT_FOREIGN_KEY ||
			constraint->parent != 0 ||
			constraint->referenced_table != other->oid)
			continue;
		draft_alter(draft, table, DDL_CONSTRAINT,
					"DROP CONSTRAINT IF EXISTS %s",
					text_quoted(draft->arena, constraint->name));
		draft_remove_constraint(draft, table, constraint->oid);
	}
}

static void
forget_table(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (object->kind == DEFINITION_SEQUENCE && object->now != NULL &&
			object->now->sequence.owner_table == table->oid)
			draft_drop(draft, object);
	}
	draft_drop(draft, table);
}

static bool
is_partition(const DraftObject *table)
{
	return table->now != NULL && table->now->table.bound[0] != '\0';
}

/* Marks a table and all its partitions as being dropped. */
static void
mark_tree(DraftObject *table, bool visited)
{
	table->visited = visited;
	for (int i = 0; i < table->child_count; i++)
		if (is_partition(table->children[i]))
			mark_tree(table->children[i], visited);
}

static bool
is_in_tree(const DraftObject *table, const DraftObject *other)
{
	if (table == other)
		return true;
	for (int i = 0; i < table->child_count; i++)
		if (is_partition(table->children[i]) &&
			is_in_tree(table->children[i], other))
			return true;
	return false;
}

static void drop_table(Draft *draft, DraftObject *table);

/*
 * Drops tables with foreign keys to the table.  A foreign key to a partitioned
 * table refers to each of its partitions, too.
 */
static void
drop_what_refers_to(Draft *draft, const DraftObject *top, DraftObject *table)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *other = draft->changed[i];

		if (!draft_goes(other, DEFINITION_TABLE) ||
			!draft_refers_to(other, table) || is_in_tree(top, other))
			continue;
		if (other->visited)
			drop_references(draft, other, table);
		else
			drop_table(draft, other);
	}
	for (int i = 0; i < table->child_count; i++)
		if (is_partition(table->children[i]))
			drop_what_refers_to(draft, top, table->children[i]);
}

static void
forget_tree(Draft *draft, DraftObject *table)
{
	for (int i = table->child_count - 1; i >= 0; i--)
		if (is_partition(table->children[i]))
			forget_tree(draft, table->children[i]);
	forget_table(draft, table);
}

/*
 * Drops a table together with its partitions.  A partition could not be dropped
 * first if another partition has a foreign key to the whole table.
 */
static void
drop_table(Draft *draft, DraftObject *table)
{
	DdlStatement *statement;

	/* Its rows would be lost: diff_check_followable() has refused it. */
	CHECK(table->after == NULL);
	mark_tree(table, true);
	drop_what_refers_to(draft, table, table);
	for (int i = table->child_count - 1; i >= 0; i--)
		if (!table->children[i]->visited)
			drop_table(draft, table->children[i]);
	/* A partition is gone if its partitioned table had to be dropped before. */
	if (table->now == NULL)
		return;
	statement = draft_say(draft, table, DDL_DROP, "DROP TABLE IF EXISTS %s",
						  draft_name(draft, table));
	statement->loses_rows = true;
	mark_tree(table, false);
	forget_tree(draft, table);
}

/*
 * Later tables first, because they may use the row type of earlier ones.
 * Partitions go with their partitioned table, or at the end.
 */
void
diff_drop_tables(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
		if (draft_goes(draft->changed[i], DEFINITION_TABLE) &&
			!is_partition(draft->changed[i]))
			drop_table(draft, draft->changed[i]);
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_goes(draft->changed[i], DEFINITION_TABLE))
			drop_table(draft, draft->changed[i]);
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *sequence = draft->changed[i];

		if (!draft_goes(sequence, DEFINITION_SEQUENCE))
			continue;
		draft_say(draft, sequence, DDL_DROP, "DROP SEQUENCE IF EXISTS %s",
				  draft_name(draft, sequence));
		draft_drop(draft, sequence);
	}
}

/* ---- Types and schemas ---- */

static bool
is_type(const DraftObject *object)
{
	return object->catalog == DEFINITION_IN_TYPE;
}

/* Later types first, because they may consist of earlier ones. */
void
diff_drop_types(Draft *draft)
{
	for (int i = draft->changed_count - 1; i >= 0; i--)
	{
		DraftObject *type = draft->changed[i];

		if (!is_type(type) || type->now == NULL || type->after != NULL)
			continue;
		draft_say(draft, type, DDL_DROP, "DROP %s IF EXISTS %s",
				  type->kind == DEFINITION_DOMAIN ? "DOMAIN" : "TYPE",
				  draft_name(draft, type));
		draft_drop(draft, type);
	}
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *schema = draft->changed[i];

		if (!draft_goes(schema, DEFINITION_NAMESPACE))
			continue;
		draft_say(draft, schema, DDL_DROP, "DROP SCHEMA IF EXISTS %s",
				  draft_name(draft, schema));
		draft_drop(draft, schema);
	}
}
