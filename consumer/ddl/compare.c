/*
 * compare.c
 *    Reads both sides, compares them, and orders the statements.
 *
 * An object is dropped before the objects that it depends on, and created after
 * them.  So objects on tables are dropped first: comments, privileges,
 * policies, triggers, views, functions with row types.  Then come schemas,
 * extensions and functions that tables may need, then the tables, then
 * functions that need tables, and then the objects on tables, in the opposite
 * order.
 */
#include "ddl/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ddl/align.h"
#include "ddl/diff/diff.h"
#include "ddl/read.h"
#include "ddl/stride.h"
#include "ddl/text_objects.h"

/*
 * The decision on an object that is compared as a text.  For an object that
 * both sides have, `drop` and `done` are set in the target's Decision, and
 * `create` and `replace` in the source's.
 */
typedef struct Decision
{
	bool drop;
	bool done; /* dropped together with another object, or already */
	bool create;
	bool replace;
	int pair; /* index of the same object on the other side; -1: none */
} Decision;

typedef struct Side
{
	PgConn *conn;
	DefinitionSet *set;
	TextObjects texts;
	Decision *decisions;
} Side;

typedef struct Comparison
{
	const DdlCompareOptions *options;
	Arena *arena;
	Side source;
	Side target;
	DdlAlignment alignment;
	OidTable present; /* new OIDs of the target's objects */
	DdlPlan *plan;
	DdlDifferences *differences;
} Comparison;

/* ---- Reading ------------------------------------------------------------ */

static MUST_CHECK Rc
read_side(Comparison *self, Side *side, Error *err)
{
	const DdlReadOptions options = {.publications = self->options->publications,
									.selection = self->options->selection};
	/*
	 * A role that owns nothing on the target may have the setting already, so
	 * the target's settings are read for all roles.
	 */
	const TextObjectOptions text_options = {
		.owners = self->options->owners,
		.privileges = self->options->privileges,
		.database = PQdb(pgconn_raw(self->target.conn)),
		.all_roles = side == &self->target};
	Rc rc = ddl_read(side->conn, &options, side->set, err);

	if (rc == RC_OK)
		rc = text_objects_read(side->conn, &text_options, self->arena,
							   &side->texts, err);
	return rc;
}

static MUST_CHECK Rc
compare_definitions(Comparison *self, Error *err)
{
	const DdlHints hints = {
		.target_version_num = pgconn_server_version_num(self->target.conn)};

	ddl_align(&self->alignment, self->source.set, self->target.set,
			  hints.target_version_num);
	ddl_undo_stride(self->alignment.target, self->source.set,
					self->options->stride);
	for (size_t i = 0; i < self->alignment.aligned.slot_count; i++)
	{
		const OidEntry *entry = &self->alignment.aligned.slots[i];

		if (entry->oid != 0)
			oid_table_put(&self->present, entry->catalog, entry->value, 1);
	}
	return ddl_diff(self->alignment.target, self->source.set, &hints,
					self->arena, &self->plan, err);
}

/* ---- What is selected --------------------------------------------------- */

/* Whether only certain tables, and objects on them, are compared. */
static bool
is_about_tables(const Comparison *self)
{
	const Publications *publications = self->options->publications;
	const Selection *selection = self->options->selection;

	return (publications != NULL && !publications->all_tables) ||
		   (selection != NULL && selection->tables.count > 0);
}

static const Definition *
find_called_like(const DefinitionSet *set, const Definition *table)
{
	for (size_t i = 0; i < definition_set_count(set); i++)
	{
		const Definition *other = definition_set_at(set, i);

		if (other->kind == DEFINITION_TABLE &&
			strcmp(other->schema, table->schema) == 0 &&
			strcmp(other->name, table->name) == 0)
			return other;
	}
	return NULL;
}

/*
 * Whether a table is compared: on the source, if it is published; on the
 * target, if it has the name of a table of the source.
 */
static bool
is_published(const Comparison *self, const Side *side, const Definition *table)
{
	return side == &self->source
			   ? table->table.published
			   : find_called_like(self->source.set, table) != NULL;
}

/*
 * Removes definitions of other tables, and of sequences that no remaining table
 * owns.
 */
static void
keep_published(const Comparison *self, Side *side)
{
	for (size_t i = definition_set_count(side->set); i-- > 0;)
	{
		const Definition *definition = definition_set_at(side->set, i);

		if (definition->kind == DEFINITION_SEQUENCE ||
			(definition->kind == DEFINITION_TABLE &&
			 is_published(self, side, definition)))
			continue;
		definition_set_remove(side->set, definition_catalog(definition->kind),
							  definition->oid);
	}
	for (size_t i = definition_set_count(side->set); i-- > 0;)
	{
		const Definition *definition = definition_set_at(side->set, i);

		if (definition->kind == DEFINITION_SEQUENCE &&
			definition_set_find(side->set, DEFINITION_IN_CLASS,
								definition->sequence.owner_table) == NULL)
			definition_set_remove(side->set, DEFINITION_IN_CLASS,
								  definition->oid);
	}
}

static bool
has_constraint(const Definition *table, const char *name)
{
	for (int i = 0; table != NULL && i < table->table.constraint_count; i++)
		if (strcmp(table->table.constraints[i].name, name) == 0)
			return true;
	return false;
}

/*
 * Whether a foreign key of a table of the source refers to a table that is not
 * compared, and the target does not have it: the target may lack that table, so
 * a clone leaves the key out.
 */
static bool
refers_outside(const Comparison *self, const Definition *there,
			   const ConstraintDefinition *constraint)
{
	return constraint->kind == CONSTRAINT_FOREIGN_KEY &&
		   definition_set_find(self->source.set, DEFINITION_IN_CLASS,
							   constraint->referenced_table) == NULL &&
		   !has_constraint(there, constraint->name);
}

/* Replaces a table of the source by one without such foreign keys. */
static void
leave_out_keys(const Comparison *self, const Definition *table)
{
	Definition *copy = definition_copy(table, self->arena);
	const Definition *there = find_called_like(self->target.set, table);
	int kept = 0;

	for (int i = 0; i < table->table.constraint_count; i++)
		if (!refers_outside(self, there, &table->table.constraints[i]))
			copy->table.constraints[kept++] = copy->table.constraints[i];
	copy->table.constraint_count = kept;
	definition_set_put(self->source.set, copy);
}

static bool
has_key_outside(const Comparison *self, const Definition *table)
{
	for (int i = 0; i < table->table.constraint_count; i++)
		if (refers_outside(self, NULL, &table->table.constraints[i]))
			return true;
	return false;
}

static void
leave_out_all_keys(const Comparison *self)
{
	for (size_t i = 0; i < definition_set_count(self->source.set); i++)
	{
		const Definition *definition = definition_set_at(self->source.set, i);

		if (definition->kind == DEFINITION_TABLE &&
			has_key_outside(self, definition))
			leave_out_keys(self, definition);
	}
}

static bool
is_wanted(const Comparison *self, const TextObject *object,
		  const OidTable *known)
{
	const Selection *selection = self->options->selection;

	if (!is_about_tables(self) &&
		(selection == NULL || selection_is_all(selection)))
		return true;
	if (object->on_oid != 0)
		return oid_table_get(known, object->on_catalog, object->on_oid) != 0;
	return !is_about_tables(self) && object->schema != 0 &&
		   oid_table_get(known, OID_NAMESPACE, object->schema) != 0;
}

static void
select_texts(const Comparison *self, Side *side, const OidTable *known)
{
	TextObjects *texts = &side->texts;
	int kept = 0;

	for (int i = 0; i < texts->count; i++)
		if (is_wanted(self, &texts->objects[i], known))
			texts->objects[kept++] = texts->objects[i];
	texts->count = kept;
	side->decisions = arena_calloc(self->arena, (size_t) kept + 1,
								   sizeof(side->decisions[0]));
	for (int i = 0; i < kept; i++)
		side->decisions[i].pair = -1;
}

/* ---- What differs ------------------------------------------------------- */

static void
decide_pair(const Comparison *self, int source, int target)
{
	const TextObject *object = &self->source.texts.objects[source];
	const TextObject *other = &self->target.texts.objects[target];
	Decision *decision = &self->source.decisions[source];

	decision->pair = target;
	self->target.decisions[target].pair = source;
	if (strcmp(object->text, other->text) == 0)
		return;
	decision->replace = object->replace != NULL &&
						strcmp(object->shape, other->shape) == 0;
	decision->create = !decision->replace;
	self->target.decisions[target].drop = !decision->replace;
}

/* Whether a statement ends with the name of a role, quoted or not. */
static bool
ends_with_role(const char *sql, const char *role)
{
	const char *end = strstr(sql, " FROM ");
	size_t length = strlen(role);

	if (end == NULL)
		return false;
	end += strlen(" FROM ");
	return strcmp(end, role) == 0 ||
		   (end[0] == '"' && strncmp(end + 1, role, length) == 0 &&
			strcmp(end + 1 + length, "\"") == 0);
}

/*
 * Whether an object of the target alone is a right on a schema that our role
 * has there: it creates the tables of the pipeline by that.
 */
static bool
is_our_right(const Comparison *self, const TextObject *object)
{
	return object->drop != NULL &&
		   strncmp(object->key, "privilege ", strlen("privilege ")) == 0 &&
		   strstr(object->key, " on SCHEMA ") != NULL &&
		   ends_with_role(object->drop, PQuser(pgconn_raw(self->target.conn)));
}

/* Decides on all objects: a merge of both lists, which are sorted by key. */
static void
decide_all(const Comparison *self)
{
	const TextObjects *source = &self->source.texts;
	const TextObjects *target = &self->target.texts;
	int i = 0;
	int j = 0;

	while (i < source->count || j < target->count)
	{
		int order = i == source->count   ? 1
					: j == target->count ? -1
										 : strcmp(source->objects[i].key,
												  target->objects[j].key);

		if (order == 0)
			decide_pair(self, i++, j++);
		else if (order < 0)
			self->source.decisions[i++].create = true;
		else
		{
			self->target.decisions[j].drop = !is_our_right(self,
														   &target->objects[j]);
			j++;
		}
	}
}

/* Returns the index of the object with that key, or -1. */
static int
find_key(const TextObjects *texts, const char *key)
{
	int low = 0;
	int high = texts->count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (strcmp(texts->objects[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < texts->count && strcmp(texts->objects[low].key, key) == 0 ? low
																		   : -1;
}

/*
 * Whether the object that the source's object is on exists on the target
 * before, so that the text object may exist, too.
 */
static bool
base_stays(const Comparison *self, const TextObject *source)
{
	const Definition *table;

	if (source->on_oid == 0)
		return true;
	if (oid_table_get(&self->present, source->on_catalog, source->on_oid) == 0)
		return false;
	if (source->on_attnum == 0 || source->on_catalog != OID_CLASS)
		return true;
	table = definition_set_find(self->alignment.target, DEFINITION_IN_CLASS,
								source->on_oid);
	return table == NULL || table->kind != DEFINITION_TABLE ||
		   definition_column(&table->table, source->on_attnum) != NULL;
}

/* Whether the object that the target's object is on will be dropped. */
static bool
definition_is_dropped(const Comparison *self, const TextObject *target)
{
	uint32_t aligned = oid_table_get(&self->alignment.aligned,
									 target->on_catalog, target->on_oid);

	return aligned != 0 && oid_table_get(&self->alignment.source,
										 target->on_catalog, aligned) == 0;
}

static bool
parent_is_dropped(const Comparison *self, const TextObject *target)
{
	int parent = target->parent[0] != '\0'
					 ? find_key(&self->target.texts, target->parent)
					 : -1;

	return parent >= 0 && (self->target.decisions[parent].drop ||
						   self->target.decisions[parent].done);
}

/* ---- Views -------------------------------------------------------------- */

/*
 * Whether a statement does something to a table that the server may refuse
 * while a view reads the table, or a function has its row type.
 */
static bool
conflicts_with_views(const DdlStatement *statement)
{
	return statement->catalog == DEFINITION_IN_CLASS &&
		   (statement->kind == DDL_DROP || statement->kind == DDL_RENAME ||
			(statement->kind == DDL_ALTER &&
			 strstr(statement->sql, " TYPE ") != NULL));
}

static bool
has_name(const Definition *definition, const char *quoted)
{
	bool is = false;
	Buf name;

	buf_init(&name, BUF_TEXT_MAX);
	buf_append_identifier(&name, definition->schema);
	buf_append_char(&name, '.');
	buf_append_identifier(&name, definition->name);
	is = strcmp(name.data, quoted) == 0;
	buf_release(&name);
	return is;
}

/*
 * Whether the table or view with that name is dropped or changed in such a way.
 */
static bool
is_changed_under_views(const Comparison *self, const char *quoted)
{
	int view = find_key(&self->target.texts,
						arena_printf(self->arena, "view %s", quoted));

	if (view >= 0)
		return self->target.decisions[view].drop;
	for (int i = 0; i < self->plan->count; i++)
	{
		const DdlStatement *statement = &self->plan->statements[i];
		const Definition *table;

		if (!conflicts_with_views(statement))
			continue;
		table = definition_set_find(self->alignment.target, DEFINITION_IN_CLASS,
									statement->oid);
		if (table != NULL && has_name(table, quoted))
			return true;
	}
	return false;
}

static void
recreate(const Comparison *self, int target)
{
	Decision *decision = &self->target.decisions[target];

	decision->drop = true;
	if (decision->pair < 0)
		return;
	self->source.decisions[decision->pair].create = true;
	self->source.decisions[decision->pair].replace = false;
}

/*
 * Marks views for recreation whose tables or views are changed so; returns
 * whether it found any, because further views may read these.
 */
static bool
recreate_views(const Comparison *self)
{
	const TextObjects *texts = &self->target.texts;
	bool found = false;

	for (int i = 0; i < texts->count; i++)
	{
		bool conflicts = false;

		for (int j = 0; j < texts->objects[i].needs_count && !conflicts; j++)
			conflicts = is_changed_under_views(self,
											   texts->objects[i].needs[j]);
		if (!conflicts || self->target.decisions[i].drop)
			continue;
		recreate(self, i);
		found = true;
	}
	return found;
}

/*
 * Marks objects that are dropped together with the object that they are on, so
 * that they need no DROP, and are created again with it.
 */
static void
follow_parents(const Comparison *self)
{
	const TextObjects *target = &self->target.texts;
	const TextObjects *source = &self->source.texts;

	for (int i = 0; i < target->count; i++)
	{
		Decision *decision = &self->target.decisions[i];

		if (!parent_is_dropped(self, &target->objects[i]) &&
			!definition_is_dropped(self, &target->objects[i]))
			continue;
		decision->done = true;
		if (decision->pair < 0)
			continue;
		self->source.decisions[decision->pair].create = true;
		self->source.decisions[decision->pair].replace = false;
	}
	for (int i = 0; i < source->count; i++)
		if (!base_stays(self, &source->objects[i]))
		{
			self->source.decisions[i].create = true;
			self->source.decisions[i].replace = false;
		}
}

/* ---- Putting in order --------------------------------------------------- */

static DdlDifference *
add(Comparison *self, const char *sql)
{
	DdlDifferences *differences = self->differences;

	if (differences->count == differences->capacity)
	{
		int capacity = differences->capacity == 0 ? 64
												  : 2 * differences->capacity;
		DdlDifference *larger = arena_calloc(self->arena, (size_t) capacity,
											 sizeof(larger[0]));

		if (differences->count > 0)
			memcpy(larger, differences->list,
				   (size_t) differences->count * sizeof(larger[0]));
		differences->list = larger;
		differences->capacity = capacity;
	}
	differences->list[differences->count] = (DdlDifference){.sql = sql};
	return &differences->list[differences->count++];
}

static void
add_note(Comparison *self, const char *what, const char *key)
{
	add(self, NULL)->note = arena_printf(self->arena, "%s: %s", key, what);
	self->differences->notes++;
}

/*
 * The objects of one phase on one side, as indexes, sorted by depth and then by
 * key.
 */
typedef struct Chosen
{
	const TextObjects *texts;
	int *indexes;
	int count;
} Chosen;

static void
choose(const Comparison *self, const Side *side, TextObjectPhase phase,
	   Chosen *chosen)
{
	int depth = 0;
	int next = 0;

	*chosen = (Chosen){.texts = &side->texts};
	chosen->indexes = arena_calloc(self->arena, (size_t) side->texts.count + 1,
								   sizeof(int));
	for (; next <= depth; next++)
		for (int i = 0; i < side->texts.count; i++)
		{
			const TextObject *object = &side->texts.objects[i];

			if (object->phase != phase)
				continue;
			if (object->depth == next)
				chosen->indexes[chosen->count++] = i;
			if (object->depth > depth)
				depth = object->depth;
		}
}

static void
add_drops(Comparison *self, TextObjectPhase phase)
{
	Chosen chosen;

	choose(self, &self->target, phase, &chosen);
	for (int i = chosen.count - 1; i >= 0; i--)
	{
		const TextObject *object = &self->target.texts
										.objects[chosen.indexes[i]];
		Decision *decision = &self->target.decisions[chosen.indexes[i]];

		if (decision->drop && !decision->done && object->drop != NULL)
		{
			add(self, object->drop);
			decision->done = true;
		}
		else if (decision->drop && decision->pair < 0 &&
				 phase == TEXT_UNTRANSLATED)
			add_note(self, "the source does not have it", object->key);
	}
}

/*
 * Adds the DROP of a routine that cannot be replaced, just before its CREATE.
 */
static void
add_drop_before(Comparison *self, const TextObject *object,
				const Decision *decision)
{
	if (decision->pair < 0 || !self->target.decisions[decision->pair].drop ||
		self->target.decisions[decision->pair].done ||
		(object->phase != TEXT_EARLY_ROUTINE &&
		 object->phase != TEXT_LATE_ROUTINE))
		return;
	add(self, self->target.texts.objects[decision->pair].drop);
	self->target.decisions[decision->pair].done = true;
}

static void
add_creates(Comparison *self, TextObjectPhase phase)
{
	Chosen chosen;

	choose(self, &self->source, phase, &chosen);
	for (int i = 0; i < chosen.count; i++)
	{
		const TextObject *object = &self->source.texts
										.objects[chosen.indexes[i]];
		const Decision *decision = &self->source.decisions[chosen.indexes[i]];

		if (decision->create && object->create != NULL)
		{
			add_drop_before(self, object, decision);
			add(self, object->create);
		}
		else if (decision->replace && object->replace != NULL)
			add(self, object->replace);
		else if (decision->create || decision->replace)
			add_note(self,
					 decision->pair < 0 ? "the target does not have it"
										: "it is another one on the target",
					 object->key);
	}
}

/* The statements of ddl/diff in groups, which are added at different times. */
typedef enum Part
{
	PART_NEW_SCHEMAS,
	PART_MAIN,
	PART_OLD_TYPES,
	PART_OLD_SCHEMAS,
} Part;

static Part
part_of(const DdlStatement *statement)
{
	if (statement->catalog == DEFINITION_IN_NAMESPACE &&
		statement->kind == DDL_CREATE)
		return PART_NEW_SCHEMAS;
	if (statement->kind != DDL_DROP)
		return PART_MAIN;
	switch (statement->catalog)
	{
		case DEFINITION_IN_NAMESPACE:
			return PART_OLD_SCHEMAS;
		case DEFINITION_IN_TYPE:
			return PART_OLD_TYPES;
		case DEFINITION_IN_CLASS:
			return PART_MAIN;
	}
	check_failed("the catalog of a definition is known", __FILE__, __LINE__);
}

static void
add_statements(Comparison *self, Part part)
{
	for (int i = 0; i < self->plan->count; i++)
	{
		const DdlStatement *statement = &self->plan->statements[i];
		DdlDifference *difference;

		if (part_of(statement) != part)
			continue;
		difference = add(self, statement->sql);
		difference->loses_rows = statement->loses_rows;
		difference->commits_first = statement->commits_first;
		self->differences->losing_rows += statement->loses_rows ? 1 : 0;
	}
}

static void
put_in_order(Comparison *self)
{
	for (int phase = TEXT_UNTRANSLATED; phase >= TEXT_LATE_ROUTINE; phase--)
		add_drops(self, (TextObjectPhase) phase);
	add_statements(self, PART_NEW_SCHEMAS);
	add_creates(self, TEXT_EXTENSION);
	add_creates(self, TEXT_COLLATION);
	add_creates(self, TEXT_EARLY_ROUTINE);
	add_statements(self, PART_MAIN);
	add_creates(self, TEXT_LATE_ROUTINE);
	add_drops(self, TEXT_EARLY_ROUTINE);
	add_statements(self, PART_OLD_TYPES);
	for (int phase = TEXT_VIEW; phase <= TEXT_UNTRANSLATED; phase++)
		add_creates(self, (TextObjectPhase) phase);
	add_drops(self, TEXT_COLLATION);
	add_drops(self, TEXT_EXTENSION);
	add_statements(self, PART_OLD_SCHEMAS);
}

Rc
ddl_compare(PgConn *source, PgConn *target, const DdlCompareOptions *options,
			Arena *arena, DdlDifferences *differences, Error *err)
{
	Comparison self = {
		.options = options,
		.arena = arena,
		.source = {.conn = source, .set = definition_set_new()},
		.target = {.conn = target, .set = definition_set_new()},
		.differences = differences,
	};
	Rc rc = read_side(&self, &self.source, err);

	*differences = (DdlDifferences){.arena = arena};
	if (rc == RC_OK)
		rc = read_side(&self, &self.target, err);
	if (rc == RC_OK && options->publications != NULL &&
		!options->publications->all_tables)
	{
		keep_published(&self, &self.source);
		keep_published(&self, &self.target);
	}
	if (rc == RC_OK)
	{
		leave_out_all_keys(&self);
		rc = compare_definitions(&self, err);
	}
	if (rc == RC_OK)
	{
		select_texts(&self, &self.source, &self.alignment.source);
		select_texts(&self, &self.target, &self.alignment.aligned);
		decide_all(&self);
		while (recreate_views(&self))
			;
		follow_parents(&self);
		put_in_order(&self);
	}
	ddl_alignment_release(&self.alignment);
	oid_table_release(&self.present);
	definition_set_free(self.source.set);
	definition_set_free(self.target.set);
	return rc;
}
