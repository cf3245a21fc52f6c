/*
 * names.c
 *    ALTER … SET SCHEMA and ALTER … RENAME TO.
 *
 * Before an object gets its new name, another object may have to give up that
 * name.  The latter gets a spare name first, and its own name in its turn, or
 * is dropped under the spare name.  Normally only a changed object can have a
 * name that another one gets.  But an object that moves to another schema has
 * its old name there for some time, which any object may have.
 */
#include "ddl/diff/names.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/*
 * Namespaces: tables, sequences and indexes share one, types another.  A table
 * also has a type with its name.
 */
enum
{
	NAME_OF_RELATION = 1,
	NAME_OF_TYPE = 2,
	NAME_OF_SCHEMA = 4,
};

/* An object, or an index of a table. */
typedef struct Named
{
	DraftObject *object; /* NULL: nothing */
	uint32_t index;      /* 0: the object itself */
} Named;

static int
spaces(const DraftObject *object)
{
	switch (object->kind)
	{
		case DEFINITION_NAMESPACE:
			return NAME_OF_SCHEMA;
		case DEFINITION_TABLE:
		case DEFINITION_COMPOSITE:
			return NAME_OF_RELATION | NAME_OF_TYPE;
		case DEFINITION_SEQUENCE:
			return NAME_OF_RELATION;
		case DEFINITION_ENUM:
		case DEFINITION_DOMAIN:
			return NAME_OF_TYPE;
	}
	check_failed("the kind of an object is known", __FILE__, __LINE__);
}

static const char *
alter_word(const DraftObject *object)
{
	switch (object->kind)
	{
		case DEFINITION_NAMESPACE:
			return "SCHEMA";
		case DEFINITION_TABLE:
			return "TABLE";
		case DEFINITION_SEQUENCE:
			return "SEQUENCE";
		case DEFINITION_ENUM:
		case DEFINITION_COMPOSITE:
			return "TYPE";
		case DEFINITION_DOMAIN:
			return "DOMAIN";
	}
	check_failed("the kind of an object is known", __FILE__, __LINE__);
}

/* ---- Renaming ---- */

/* Updates the draft after a schema was renamed. */
static void
rename_schema_of_all(Draft *draft, const char *from, const char *to)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];
		Definition *own;

		if (object->now == NULL || object->kind == DEFINITION_NAMESPACE ||
			strcmp(object->now->schema, from) != 0)
			continue;
		own = draft_edit(draft, object);
		own->schema = to;
		for (int k = 0;
			 object->kind == DEFINITION_TABLE && k < own->table.index_count;
			 k++)
			own->table.indexes[k].schema = to;
	}
}

static void
rename_object(Draft *draft, DraftObject *object, const char *name)
{
	const char *from = object->now->name;

	draft_say(draft, object, DDL_RENAME, "ALTER %s %s RENAME TO %s",
			  alter_word(object), draft_name(draft, object),
			  text_quoted(draft->arena, name));
	draft_edit(draft, object)->name = name;
	if (object->kind == DEFINITION_NAMESPACE)
		rename_schema_of_all(draft, from, name);
}

/*
 * Renames a constraint; its index is renamed with it, and checks of children.
 */
static void
rename_constraint(Draft *draft, DraftObject *table, uint32_t oid,
				  const char *name)
{
	ConstraintDefinition *constraint = draft_edit_constraint(draft, table, oid);
	IndexDefinition *index = draft_edit_index(draft, table, constraint->index);
	DraftFamily family = draft_family(draft, table);
	const char *from = constraint->name;

	draft_alter(draft, table, DDL_RENAME, "RENAME CONSTRAINT %s TO %s",
				text_quoted(draft->arena, from),
				text_quoted(draft->arena, name));
	constraint->name = name;
	if (index != NULL && constraint->kind != CONSTRAINT_FOREIGN_KEY)
		index->name = name;
	for (int i = 1; constraint->kind == CONSTRAINT_CHECK && i < family.count;
		 i++)
	{
		const ConstraintDefinition *other = constraint_named(
			family.tables[i]->now, from);

		if (other != NULL && other->inherited > 0)
			draft_edit_constraint(draft, family.tables[i], other->oid)
				->name = name;
	}
}

static void
rename_index(Draft *draft, DraftObject *table, uint32_t oid, const char *name)
{
	const IndexDefinition *index = index_of(table->now, oid);

	if (constraint_of(table->now, index->constraint) != NULL)
	{
		rename_constraint(draft, table, index->constraint, name);
		return;
	}
	draft_say(draft, table, DDL_RENAME, "ALTER INDEX %s RENAME TO %s",
			  text_qualified(draft->arena, index->schema, index->name),
			  text_quoted(draft->arena, name));
	draft_edit_index(draft, table, oid)->name = name;
}

static void
rename_named(Draft *draft, Named named, const char *name)
{
	if (named.index != 0)
		rename_index(draft, named.object, named.index, name);
	else
		rename_object(draft, named.object, name);
}

/* ---- Names that are needed ---- */

static bool
is_called(const char *schema, const char *name, const char *wanted_schema,
		  const char *wanted)
{
	return strcmp(name, wanted) == 0 && strcmp(schema, wanted_schema) == 0;
}

/* Returns an index of the table with that name; 0: none. */
static uint32_t
index_called(const DraftObject *object, const char *schema, const char *name)
{
	const TableDefinition *table = &object->now->table;

	if (object->kind != DEFINITION_TABLE)
		return 0;
	for (int i = 0; i < table->index_count; i++)
		if (is_called(table->indexes[i].schema, table->indexes[i].name, schema,
					  name))
			return table->indexes[i].oid;
	return 0;
}

/*
 * Finds the object other than `self` that has the name in one of these
 * namespaces.
 */
static Named
holder(const Draft *draft, const char *schema, const char *name, int space,
	   Named self)
{
	for (int i = 0; i < draft->count; i++)
	{
		DraftObject *object = &draft->objects[i];
		uint32_t index;

		if (object->now == NULL)
			continue;
		if ((spaces(object) & space) != 0 &&
			(object != self.object || self.index != 0) &&
			is_called(object->now->schema, object->now->name, schema, name))
			return (Named){.object = object};
		index = (space & NAME_OF_RELATION) != 0
					? index_called(object, schema, name)
					: 0;
		if (index != 0 && (object != self.object || self.index != index))
			return (Named){.object = object, .index = index};
	}
	return (Named){.object = NULL};
}

static void
free_name(Draft *draft, const char *schema, const char *name, int space,
		  Named self)
{
	Named named;

	for (;;)
	{
		named = holder(draft, schema, name, space, self);
		if (named.object == NULL)
			return;
		rename_named(draft, named, draft_spare_name(draft));
	}
}

/* ---- Moves to other schemas ---- */

/*
 * Gives an object a spare name if its name is used in the schema to which it
 * moves.
 */
static void
avoid(Draft *draft, Named named, const char *name, int space,
	  const char *schema)
{
	if (holder(draft, schema, name, space, named).object != NULL)
		rename_named(draft, named, draft_spare_name(draft));
}

static bool
owns(const DraftObject *table, const DraftObject *sequence)
{
	return table->kind == DEFINITION_TABLE &&
		   sequence->kind == DEFINITION_SEQUENCE && sequence->now != NULL &&
		   sequence->now->sequence.owner_table == table->oid;
}

/* Does the same for a table's indexes and sequences, which move with it. */
static void
avoid_all(Draft *draft, DraftObject *object, const char *schema)
{
	avoid(draft, (Named){.object = object}, object->now->name, spaces(object),
		  schema);
	for (int i = 0;
		 object->kind == DEFINITION_TABLE && i < object->now->table.index_count;
		 i++)
		avoid(draft,
			  (Named){.object = object,
					  .index = object->now->table.indexes[i].oid},
			  object->now->table.indexes[i].name, NAME_OF_RELATION, schema);
	for (int i = 0; i < draft->changed_count; i++)
		if (owns(object, draft->changed[i]))
			avoid(draft, (Named){.object = draft->changed[i]},
				  draft->changed[i]->now->name, NAME_OF_RELATION, schema);
}

static void
move(Draft *draft, DraftObject *object, const char *schema)
{
	Definition *own;

	avoid_all(draft, object, schema);
	draft_say(draft, object, DDL_RENAME, "ALTER %s %s SET SCHEMA %s",
			  alter_word(object), draft_name(draft, object),
			  text_quoted(draft->arena, schema));
	own = draft_edit(draft, object);
	own->schema = schema;
	for (int i = 0;
		 object->kind == DEFINITION_TABLE && i < own->table.index_count; i++)
		own->table.indexes[i].schema = schema;
	for (int i = 0; i < draft->changed_count; i++)
		if (owns(object, draft->changed[i]))
			draft_edit(draft, draft->changed[i])->schema = schema;
}

/* ---- Names of constraints that have no index ---- */

static void
rename_plain_constraint(Draft *draft, DraftObject *table,
						const ConstraintDefinition *constraint,
						const char *name)
{
	uint32_t oid = constraint->oid;
	const ConstraintDefinition *other = constraint_named(table->now, name);

	if (other != NULL)
		rename_constraint(draft, table, other->oid, draft_spare_name(draft));
	rename_constraint(draft, table, oid, name);
}

static void
rename_constraints(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.constraint_count; i++)
	{
		const ConstraintDefinition *now = &table->now->table.constraints[i];
		const ConstraintDefinition *after = constraint_of(table->after,
														  now->oid);

		if (after != NULL && strcmp(now->name, after->name) != 0 &&
			now->kind != CONSTRAINT_NOT_NULL)
			rename_plain_constraint(draft, table, now, after->name);
	}
}

/* ---- In their order ---- */

static void
rename_own(Draft *draft, DraftObject *object)
{
	if (strcmp(object->now->name, object->after->name) == 0)
		return;
	free_name(draft, object->after->schema, object->after->name, spaces(object),
			  (Named){.object = object});
	rename_object(draft, object, object->after->name);
}

static void
rename_indexes(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->now->table.index_count; i++)
	{
		const IndexDefinition *now = &table->now->table.indexes[i];
		const IndexDefinition *after = index_of(table->after, now->oid);
		Named self = {.object = table, .index = now->oid};

		if (after == NULL || strcmp(now->name, after->name) == 0)
			continue;
		free_name(draft, after->schema, after->name, NAME_OF_RELATION, self);
		rename_index(draft, table, self.index, after->name);
	}
}

static void
free_names_of_indexes(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->after->table.index_count; i++)
	{
		const IndexDefinition *after = &table->after->table.indexes[i];

		if (table->now == NULL || index_of(table->now, after->oid) == NULL)
			free_name(draft, after->schema, after->name, NAME_OF_RELATION,
					  (Named){.object = NULL});
	}
}

static void
name_schemas(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_NAMESPACE))
			rename_own(draft, draft->changed[i]);
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *schema = draft->changed[i];

		if (!draft_comes(schema, DEFINITION_NAMESPACE))
			continue;
		free_name(draft, "", schema->after->name, NAME_OF_SCHEMA,
				  (Named){.object = NULL});
		draft_say(draft, schema, DDL_CREATE, "CREATE SCHEMA IF NOT EXISTS %s",
				  draft_name(draft, schema));
		draft_create(draft, schema, schema->after);
	}
}

static bool
has_a_schema(const DraftObject *object)
{
	return object->kind != DEFINITION_NAMESPACE && object->after != NULL;
}

static void
move_all(Draft *draft)
{
	/* Sequences last, because they move with the tables that own them. */
	for (int sequences = 0; sequences <= 1; sequences++)
		for (int i = 0; i < draft->changed_count; i++)
		{
			DraftObject *object = draft->changed[i];

			if (has_a_schema(object) && object->now != NULL &&
				(object->kind == DEFINITION_SEQUENCE) == (sequences == 1) &&
				strcmp(object->now->schema, object->after->schema) != 0)
				move(draft, object, object->after->schema);
		}
}

void
diff_names(Draft *draft)
{
	name_schemas(draft);
	move_all(draft);
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (!has_a_schema(object) || object->now == NULL)
			continue;
		rename_own(draft, object);
		if (object->kind != DEFINITION_TABLE)
			continue;
		rename_indexes(draft, object);
		rename_constraints(draft, object);
	}
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (!has_a_schema(object))
			continue;
		if (object->now == NULL)
			free_name(draft, object->after->schema, object->after->name,
					  spaces(object), (Named){.object = NULL});
		if (object->kind == DEFINITION_TABLE)
			free_names_of_indexes(draft, object);
	}
}
