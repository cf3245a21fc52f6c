/*
 * draft.c
 *    Merges the objects of two sets into a draft.
 */
#include "ddl/diff/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ddl/diff/match.h"
#include "ddl/diff/text.h"

#define SPARE_NAME "penstock_spare_"

/*
 * First version in which partitions share the identities of the partitioned
 * table.
 */
#define VERSION_SHARED_IDENTITIES 170000

/* Largest depth of inheritance. */
#define DEPTH_MAX 1000

/* ---- Finding ---- */

static int
compare_objects(const void *a, const void *b)
{
	const DraftObject *one = a;
	const DraftObject *other = b;

	if (one->catalog != other->catalog)
		return one->catalog < other->catalog ? -1 : 1;
	return (one->oid > other->oid) - (one->oid < other->oid);
}

DraftObject *
draft_find(const Draft *draft, DefinitionCatalog catalog, uint32_t oid)
{
	DraftObject key = {.catalog = catalog, .oid = oid};

	if (draft->count == 0)
		return NULL;
	return bsearch(&key, draft->objects, (size_t) draft->count,
				   sizeof(DraftObject), compare_objects);
}

DraftObject *
draft_table(const Draft *draft, uint32_t oid)
{
	DraftObject *object = draft_find(draft, DEFINITION_IN_CLASS, oid);

	return object != NULL && object->kind == DEFINITION_TABLE ? object : NULL;
}

bool
draft_has_oid(const OidList *list, uint32_t oid)
{
	for (int i = 0; i < list->count; i++)
		if (list->oids[i] == oid)
			return true;
	return false;
}

bool
draft_rewritten(const Draft *draft, const DraftObject *table)
{
	return draft_has_oid(&draft->hints->rewritten, table->oid);
}

bool
draft_shares_identities(const Draft *draft, const DraftObject *table)
{
	int version_num = draft->hints->target_version_num;

	return (version_num == 0 || version_num >= VERSION_SHARED_IDENTITIES) &&
		   table->after->table.bound[0] != '\0';
}

/* ---- Changing ---- */

Definition *
draft_edit(Draft *draft, DraftObject *object)
{
	ASSERT(object->now != NULL);
	if (object->own == NULL)
		object->own = definition_copy(object->now, draft->arena);
	object->now = object->own;
	return object->own;
}

static void
add_child(Draft *draft, DraftObject *parent, DraftObject *child)
{
	if (parent->child_count == parent->child_capacity)
	{
		int capacity = parent->child_capacity > 0 ? 2 * parent->child_capacity
												  : 8;
		DraftObject **larger = arena_calloc(draft->arena, (size_t) capacity,
											sizeof(DraftObject *));

		for (int i = 0; i < parent->child_count; i++)
			larger[i] = parent->children[i];
		parent->children = larger;
		parent->child_capacity = capacity;
	}
	parent->children[parent->child_count++] = child;
}

static void
remove_child(DraftObject *parent, const DraftObject *child)
{
	int kept = 0;

	for (int i = 0; i < parent->child_count; i++)
		if (parent->children[i] != child)
			parent->children[kept++] = parent->children[i];
	parent->child_count = kept;
}

/* Adds a table to the children of its parents. */
static void
add_to_parents(Draft *draft, DraftObject *object)
{
	if (object->kind != DEFINITION_TABLE || object->now == NULL)
		return;
	for (int i = 0; i < object->now->table.parents.count; i++)
	{
		DraftObject *parent = draft_table(draft,
										  object->now->table.parents.oids[i]);

		if (parent != NULL)
			add_child(draft, parent, object);
	}
}

void
draft_create(Draft *draft, DraftObject *object, const Definition *now)
{
	ASSERT(object->after != NULL);
	ASSERT(now->kind == object->kind && now->oid == object->oid);
	object->own = definition_copy(now, draft->arena);
	object->now = object->own;
	add_to_parents(draft, object);
}

void
draft_drop(Draft *draft, DraftObject *object)
{
	ASSERT(object->now != NULL);
	if (object->kind == DEFINITION_TABLE)
		for (int i = 0; i < object->now->table.parents.count; i++)
		{
			DraftObject *parent = draft_table(
				draft, object->now->table.parents.oids[i]);

			if (parent != NULL)
				remove_child(parent, object);
		}
	object->now = NULL;
	object->own = NULL;
}

void
draft_inherit(Draft *draft, DraftObject *child, DraftObject *parent)
{
	OidList *parents = &draft_edit(draft, child)->table.parents;
	uint32_t *longer = arena_calloc(draft->arena, (size_t) parents->count + 1,
									sizeof(uint32_t));

	ASSERT(parent->now != NULL && !draft_has_oid(parents, parent->oid));
	for (int i = 0; i < parents->count; i++)
		longer[i] = parents->oids[i];
	longer[parents->count++] = parent->oid;
	parents->oids = longer;
	add_child(draft, parent, child);
}

void
draft_disinherit(Draft *draft, DraftObject *child, DraftObject *parent)
{
	OidList *parents = &draft_edit(draft, child)->table.parents;
	int kept = 0;

	for (int i = 0; i < parents->count; i++)
		if (parents->oids[i] != parent->oid)
			parents->oids[kept++] = parents->oids[i];
	parents->count = kept;
	remove_child(parent, child);
}

/* ---- Making one ---- */

static DraftObject *
append_object(Draft *draft, const Definition *definition)
{
	DraftObject *object = &draft->objects[draft->count++];

	CHECK(definition != NULL);
	*object = (DraftObject){.catalog = definition_catalog(definition->kind),
							.oid = definition->oid,
							.kind = definition->kind};
	/* draft_find() searches an ordered list. */
	ASSERT(draft->count == 1 || compare_objects(object - 1, object) <= 0);
	return object;
}

static int
compare_definitions(const Definition *a, const Definition *b)
{
	DraftObject one = {.catalog = definition_catalog(a->kind), .oid = a->oid};
	DraftObject other = {.catalog = definition_catalog(b->kind), .oid = b->oid};

	return compare_objects(&one, &other);
}

/* Merges both sets, which are sorted by catalog and OID. */
static void
merge(Draft *draft, const DefinitionSet *before, const DefinitionSet *after)
{
	size_t before_count = definition_set_count(before);
	size_t after_count = definition_set_count(after);
	size_t b = 0;
	size_t a = 0;

	draft->objects = arena_calloc(draft->arena, before_count + after_count + 1,
								  sizeof(DraftObject));
	while (b < before_count || a < after_count)
	{
		const Definition *old = b < before_count ? definition_set_at(before, b)
												 : NULL;
		const Definition *new = a < after_count ? definition_set_at(after, a)
												: NULL;
		int order = old == NULL   ? 1
					: new == NULL ? -1
								  : compare_definitions(old, new);
		DraftObject *object;

		/* The OID was reused for an object of another kind. */
		if (order == 0 && old->kind != new->kind)
			order = -1;
		object = append_object(draft, order > 0 ? new : old);
		if (order <= 0)
		{
			object->existed = true;
			object->now = old;
			b++;
		}
		if (order >= 0)
		{
			object->after = new;
			a++;
		}
	}
}

static bool
has_to_change(const DraftObject *object)
{
	return object->renewed || object->now == NULL || object->after == NULL ||
		   !definition_equal(object->now, object->after);
}

/*
 * Marks the table of an identity column whose sequence is created or dropped.
 * The definition of the table only says that the column is an identity.
 */
static void
renew_owner(const Draft *draft, const Definition *sequence)
{
	DraftObject *table;

	if (sequence == NULL || sequence->kind != DEFINITION_SEQUENCE ||
		!sequence->sequence.identity)
		return;
	table = draft_table(draft, sequence->sequence.owner_table);
	if (table != NULL)
		table->renewed = true;
}

static void
renew_owners(const Draft *draft)
{
	for (int i = 0; i < draft->count; i++)
	{
		const DraftObject *object = &draft->objects[i];

		if (object->now == NULL || object->after == NULL)
			renew_owner(draft,
						object->now != NULL ? object->now : object->after);
	}
}

/* Replaces the definitions of a table by simplified copies; see draft_new(). */
static void
simplify(Draft *draft, DraftObject *object, Matches *matches)
{
	Definition *now = NULL;
	Definition *after = NULL;

	if (object->kind != DEFINITION_TABLE)
		return;
	if (object->now != NULL)
		now = draft_edit(draft, object);
	if (object->after != NULL)
		after = definition_copy(object->after, draft->arena);
	if (now != NULL && after != NULL)
		match_table(&now->table, &after->table, matches);
	else if (after != NULL)
		match_alone(&after->table, draft->arena);
	else if (now != NULL)
		match_alone(&now->table, draft->arena);
	object->after = after;
}

/* Appends a table to `changed` after its parents. */
static void visit(Draft *draft, DraftObject *object, int depth);

static void
visit_parents(Draft *draft, const Definition *definition, int depth)
{
	if (definition == NULL || definition->kind != DEFINITION_TABLE)
		return;
	for (int i = 0; i < definition->table.parents.count; i++)
	{
		DraftObject *parent = draft_table(draft,
										  definition->table.parents.oids[i]);

		if (parent != NULL && depth < DEPTH_MAX)
			visit(draft, parent, depth + 1);
	}
}

static void
visit(Draft *draft, DraftObject *object, int depth)
{
	if (object->visited)
		return;
	object->visited = true;
	visit_parents(draft, object->after, depth);
	visit_parents(draft, object->now, depth);
	if (has_to_change(object))
		draft->changed[draft->changed_count++] = object;
}

static void
find_changes(Draft *draft)
{
	Matches matches;

	matches_init(&matches, draft->arena);
	renew_owners(draft);
	for (int i = 0; i < draft->count; i++)
		if (has_to_change(&draft->objects[i]))
			simplify(draft, &draft->objects[i], &matches);
	draft->changed = arena_calloc(draft->arena, (size_t) draft->count + 1,
								  sizeof(DraftObject *));
	for (int i = 0; i < draft->count; i++)
		visit(draft, &draft->objects[i], 0);
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (object->own != NULL && object->after != NULL &&
			object->kind == DEFINITION_TABLE)
			match_partition(&object->own->table, &object->after->table,
							&matches);
	}
	for (int i = 0; i < draft->count; i++)
	{
		DraftObject *object = &draft->objects[i];

		object->visited = false;
		if (object->own != NULL && object->kind == DEFINITION_TABLE)
			match_parents(&object->own->table, &matches);
		add_to_parents(draft, object);
	}
}

static void
note_name(Draft *draft, const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return;
	if (draft->renamed_count == draft->renamed_capacity)
	{
		int capacity = draft->renamed_capacity > 0 ? 2 * draft->renamed_capacity
												   : 8;
		NamePair *larger = arena_calloc(draft->arena, (size_t) capacity,
										sizeof(NamePair));

		for (int i = 0; i < draft->renamed_count; i++)
			larger[i] = draft->renamed[i];
		draft->renamed = larger;
		draft->renamed_capacity = capacity;
	}
	draft->renamed[draft->renamed_count++] = (NamePair){from, to};
}

static void
note_column_names(Draft *draft, const TableDefinition *now,
				  const TableDefinition *after)
{
	for (int i = 0; i < now->column_count; i++)
	{
		const ColumnDefinition *column = definition_column(
			after, now->columns[i].attnum);

		if (column != NULL)
			note_name(draft, now->columns[i].name, column->name);
	}
}

static void
note_names(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		const DraftObject *object = draft->changed[i];

		if (object->now == NULL || object->after == NULL)
			continue;
		note_name(draft, object->now->name, object->after->name);
		note_name(draft, object->now->schema, object->after->schema);
		if (object->kind == DEFINITION_TABLE)
			note_column_names(draft, &object->now->table,
							  &object->after->table);
	}
}

Draft *
draft_new(const DefinitionSet *before, const DefinitionSet *after,
		  const DdlHints *hints, Arena *arena)
{
	Draft *draft = arena_calloc(arena, 1, sizeof(Draft));

	ASSERT(hints->spare_name == NULL ||
		   strlen(hints->spare_name) <= DDL_SPARE_NAME_MAX);
	draft->arena = arena;
	draft->hints = hints;
	draft->plan = ddl_plan_new(arena);
	merge(draft, before, after);
	find_changes(draft);
	note_names(draft);
	return draft;
}

/* ---- Saying ---- */

const char *
draft_name(const Draft *draft, const DraftObject *object)
{
	const Definition *definition = object->now != NULL ? object->now
													   : object->after;

	/* What has been dropped has no name that a statement could say. */
	ASSERT(definition != NULL);
	if (definition->kind == DEFINITION_NAMESPACE)
		return text_quoted(draft->arena, definition->name);
	return text_qualified(draft->arena, definition->schema, definition->name);
}

const char *
draft_spare_name(Draft *draft)
{
	const char *beginning = draft->hints->spare_name;

	if (beginning == NULL)
		beginning = SPARE_NAME;
	return arena_printf(draft->arena, "%.*s%d", DDL_SPARE_NAME_MAX, beginning,
						++draft->spare_count);
}

static DdlStatement *say(Draft *draft, const DraftObject *object, DdlKind kind,
						 const char *beginning, const char *format,
						 va_list args) PRINTF_LIKE(5, 0);

static DdlStatement *
say(Draft *draft, const DraftObject *object, DdlKind kind,
	const char *beginning, const char *format, va_list args)
{
	char *rest = xvasprintf(format, args);
	DdlStatement statement = {
		.sql = arena_printf(draft->arena, "%s%s", beginning, rest),
		.kind = kind,
		.catalog = object->catalog,
		.oid = object->oid,
		.object = draft_name(draft, object),
	};

	free(rest);
	return ddl_plan_add(draft->plan, &statement);
}

DdlStatement *
draft_say(Draft *draft, const DraftObject *object, DdlKind kind,
		  const char *format, ...)
{
	DdlStatement *statement;
	va_list args;

	va_start(args, format);
	statement = say(draft, object, kind, "", format, args);
	va_end(args);
	return statement;
}

DdlStatement *
draft_alter(Draft *draft, const DraftObject *table, DdlKind kind,
			const char *format, ...)
{
	DdlStatement *statement;
	va_list args;

	ASSERT(table->kind == DEFINITION_TABLE && table->now != NULL);
	va_start(args, format);
	statement = say(
		draft, table, kind,
		arena_printf(draft->arena, "ALTER TABLE %s ", draft_name(draft, table)),
		format, args);
	va_end(args);
	return statement;
}

DdlStatement *
draft_alter_only(Draft *draft, const DraftObject *table, DdlKind kind,
				 const char *format, ...)
{
	DdlStatement *statement;
	va_list args;

	ASSERT(table->kind == DEFINITION_TABLE && table->now != NULL);
	va_start(args, format);
	statement = say(draft, table, kind,
					arena_printf(draft->arena, "ALTER TABLE ONLY %s ",
								 draft_name(draft, table)),
					format, args);
	va_end(args);
	return statement;
}
