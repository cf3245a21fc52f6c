/*
 * needs.c
 *    Looks objects up by the names that are in definitions.
 */
#include "ddl/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/xalloc.h"
#include "model/identifier.h"

#define LIST_FIRST 16

/* Objects of a set by their names, and sequences by the tables that own them.
 */
typedef struct Index
{
	DefinitionSet *set;   /* keeps the definitions */
	DefinitionList named; /* schemas, types and sequences without owner */
	DefinitionList owned; /* sequences */
} Index;

/* A traversal. */
typedef struct Walk
{
	const Index *index;
	DefinitionSet *set;
	DefinitionList queue;
	bool parts; /* whether it sets `apart` and not clears it */
} Walk;

void
definition_list_add(DefinitionList *list, const Definition *definition)
{
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity > 0 ? list->capacity * 2 : LIST_FIRST;
		list->definitions = xrealloc_array(list->definitions, list->capacity,
										   sizeof(list->definitions[0]));
	}
	list->definitions[list->count++] = definition;
}

void
definition_list_release(DefinitionList *list)
{
	free(list->definitions);
	*list = (DefinitionList){0};
}

/* ---- The index ---- */

/* A sequence and a type can have the same name. */
static int
name_space(DefinitionKind kind)
{
	return kind == DEFINITION_NAMESPACE ? 0 : kind == DEFINITION_SEQUENCE;
}

static int
compare_names(const void *left, const void *right)
{
	const Definition *a = *(const Definition *const *) left;
	const Definition *b = *(const Definition *const *) right;
	int order = (int) definition_catalog(a->kind) -
				(int) definition_catalog(b->kind);

	if (order == 0)
		order = name_space(a->kind) - name_space(b->kind);
	if (order == 0)
		order = strcmp(a->schema, b->schema);
	return order != 0 ? order : strcmp(a->name, b->name);
}

static int
compare_owners(const void *left, const void *right)
{
	const Definition *a = *(const Definition *const *) left;
	const Definition *b = *(const Definition *const *) right;

	return (a->sequence.owner_table > b->sequence.owner_table) -
		   (a->sequence.owner_table < b->sequence.owner_table);
}

static void
sort(DefinitionList *list, int (*compare)(const void *, const void *))
{
	if (list->count > 0)
		qsort(list->definitions, list->count, sizeof(list->definitions[0]),
			  compare);
}

static Index
make_index(const DefinitionSet *set)
{
	Index index = {.set = definition_set_copy(set)};

	for (size_t i = 0; i < definition_set_count(index.set); i++)
	{
		const Definition *definition = definition_set_at(index.set, i);

		if (definition->kind == DEFINITION_SEQUENCE &&
			definition->sequence.owner_table != 0)
			definition_list_add(&index.owned, definition);
		else if (definition->kind != DEFINITION_TABLE)
			definition_list_add(&index.named, definition);
	}
	sort(&index.named, compare_names);
	sort(&index.owned, compare_owners);
	return index;
}

static void
release_index(Index *index)
{
	definition_list_release(&index->named);
	definition_list_release(&index->owned);
	definition_set_free(index->set);
}

static const Definition *
find_named(const Index *index, DefinitionKind kind, const char *schema,
		   const char *name)
{
	const Definition key = {.kind = kind, .schema = schema, .name = name};
	const Definition *pointer = &key;
	const Definition **found;

	if (index->named.count == 0)
		return NULL;
	found = bsearch(&pointer, index->named.definitions, index->named.count,
					sizeof(pointer), compare_names);
	return found != NULL ? *found : NULL;
}

/* ---- What an object needs ---- */

/* Sets or clears the flag of an object, if it has to be, and goes on with what
 * that needs. */
static void
take(Walk *walk, const Definition *needed)
{
	const Definition *is;
	Definition changed;

	if (needed == NULL || (walk->parts && needed->kind == DEFINITION_TABLE))
		return;
	is = definition_set_find(walk->set, definition_catalog(needed->kind),
							 needed->oid);
	if (is == NULL || is->apart == walk->parts)
		return;
	changed = *is;
	changed.apart = walk->parts;
	definition_set_put(walk->set, &changed);
	definition_list_add(&walk->queue, needed);
}

/* Takes the object of that kind whose qualified name a text begins with. */
static void
take_named(Walk *walk, DefinitionKind kind, const char *text)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	const char *rest = identifier_read(text, schema);

	if (rest != NULL && *rest == '.' && identifier_read(rest + 1, name) != NULL)
		take(walk, find_named(walk->index, kind, schema, name));
}

static void
take_type(Walk *walk, const char *type)
{
	take_named(walk, DEFINITION_ENUM, type);
}

/* Takes what an expression casts to, and the sequences that it draws from. */
static void
take_of_expression(Walk *walk, const char *expression)
{
	static const char cast[] = "::";
	static const char nextval[] = "nextval('";

	for (const char *at = expression; (at = strstr(at, cast)) != NULL;)
	{
		at += strlen(cast);
		take_type(walk, at);
	}
	for (const char *at = expression; (at = strstr(at, nextval)) != NULL;)
	{
		at += strlen(nextval);
		take_named(walk, DEFINITION_SEQUENCE, at);
	}
}

static void
take_of_columns(Walk *walk, const ColumnDefinition *columns, int count)
{
	for (int i = 0; i < count; i++)
	{
		take_type(walk, columns[i].type);
		take_of_expression(walk, columns[i].default_expression);
	}
}

static void
take_of_constraints(Walk *walk, const ConstraintDefinition *constraints,
					int count)
{
	for (int i = 0; i < count; i++)
		take_of_expression(walk, constraints[i].definition);
}

static void
take_owned(Walk *walk, uint32_t table)
{
	const DefinitionList *owned = &walk->index->owned;
	size_t first = 0;
	size_t end = owned->count;

	while (first < end)
	{
		size_t middle = first + (end - first) / 2;

		if (owned->definitions[middle]->sequence.owner_table < table)
			first = middle + 1;
		else
			end = middle;
	}
	for (; first < owned->count &&
		   owned->definitions[first]->sequence.owner_table == table;
		 first++)
		take(walk, owned->definitions[first]);
}

static void
take_of_table(Walk *walk, const Definition *user)
{
	const TableDefinition *table = &user->table;

	for (int i = 0; i < table->parents.count; i++)
		take(walk, definition_set_find(walk->index->set, DEFINITION_IN_CLASS,
									   table->parents.oids[i]));
	take_type(walk, table->of_type);
	take_of_columns(walk, table->columns, table->column_count);
	take_of_constraints(walk, table->constraints, table->constraint_count);
	take_owned(walk, user->oid);
}

static void
take_of(Walk *walk, const Definition *user)
{
	if (user->kind != DEFINITION_NAMESPACE)
		take(walk,
			 find_named(walk->index, DEFINITION_NAMESPACE, "", user->schema));
	switch (user->kind)
	{
		case DEFINITION_NAMESPACE:
		case DEFINITION_SEQUENCE:
		case DEFINITION_ENUM:
			return;
		case DEFINITION_TABLE:
			take_of_table(walk, user);
			return;
		case DEFINITION_DOMAIN:
			take_type(walk, user->domain.base_type);
			take_of_expression(walk, user->domain.default_expression);
			take_of_constraints(walk, user->domain.constraints,
								user->domain.constraint_count);
			return;
		case DEFINITION_COMPOSITE:
			for (int i = 0; i < user->composite.column_count; i++)
				take_type(walk, user->composite.columns[i].type);
			return;
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}

static void
walk_from(Walk *walk, const DefinitionList *users)
{
	for (size_t i = 0; i < users->count; i++)
		take_of(walk, users->definitions[i]);
	for (size_t i = 0; i < walk->queue.count; i++)
		take_of(walk, walk->queue.definitions[i]);
	definition_list_release(&walk->queue);
}

void
ddl_join_needed(DefinitionSet *set, const DefinitionList *users)
{
	Index index = make_index(set);
	Walk walk = {.index = &index, .set = set};

	walk_from(&walk, users);
	release_index(&index);
}

void
ddl_join_all_needed(DefinitionSet *set)
{
	DefinitionSet *users_set = definition_set_copy(set);
	DefinitionList users = {0};

	for (size_t i = 0; i < definition_set_count(users_set); i++)
	{
		const Definition *definition = definition_set_at(users_set, i);

		if (!definition->apart)
			definition_list_add(&users, definition);
	}
	ddl_join_needed(set, &users);
	definition_list_release(&users);
	definition_set_free(users_set);
}

void
ddl_part_unneeded(DefinitionSet *set, const DefinitionList *users)
{
	Index index = make_index(set);
	Walk walk = {.index = &index, .set = set, .parts = true};

	walk_from(&walk, users);
	release_index(&index);
	ddl_join_all_needed(set);
}
