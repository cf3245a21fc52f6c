/*
 * indexes.c
 *    CREATE INDEX, ALTER INDEX … SET; primary keys, unique and exclusion
 *    constraints.
 *
 * When a partition is attached, the server uses for each index of the parent
 * the first matching one, in the order of their creation.  So they are created
 * in the order of the parent's indexes.
 */
#include "ddl/diff/indexes.h"

#include <stdlib.h>
#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- New ones ---- */

/* Whether the index is needed at once, by rows or by another statement. */
static bool
is_waited_for(const DraftObject *table, const IndexDefinition *index)
{
	return !table->existed || table->after->table.partitioned ||
		   index->unique || index->parent != 0 || index->clustered ||
		   index->replica_identity;
}

/*
 * Turns "CREATE INDEX name …" into "CREATE INDEX CONCURRENTLY name …".
 */
static const char *
concurrent_text(Draft *draft, const char *definition)
{
	static const char beginning[] = "CREATE INDEX ";

	if (strncmp(definition, beginning, strlen(beginning)) != 0)
		return NULL;
	return arena_printf(draft->arena, "CREATE INDEX CONCURRENTLY %s",
						definition + strlen(beginning));
}

/* Creates an index.  REPLICA IDENTITY and CLUSTER ON are set later. */
static void
add_index(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	IndexDefinition created = *index;

	created.parent = 0;
	created.clustered = false;
	created.replica_identity = false;
	draft_add_index(draft, table, &created);
}

static void
create_index(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	DdlStatement *statement = draft_say(draft, table, DDL_INDEX, "%s",
										index->definition);

	if (!is_waited_for(table, index))
		statement->concurrent_sql = concurrent_text(draft, index->definition);
	if (statement->concurrent_sql != NULL)
		statement->index = index;
	add_index(draft, table, index);
}

/* ---- Keys ---- */

static void
note_key(Draft *draft, DraftObject *table, const ConstraintDefinition *key)
{
	ConstraintDefinition added = *key;

	added.parent = 0;
	added.local = true;
	added.inherited = 0;
	draft_add_constraint(draft, table, &added);
}

/* Adds a constraint with an existing index. */
static void
add_key_using(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	const ConstraintDefinition *key = constraint_of(table->after,
													index->constraint);
	const char *deferred;

	if (key == NULL)
		return;
	deferred = text_find_word(key->definition, "DEFERRABLE");
	draft_alter(
		draft, table, DDL_CONSTRAINT, "ADD CONSTRAINT %s %s USING INDEX %s%s%s",
		text_quoted(draft->arena, key->name),
		key->kind == CONSTRAINT_PRIMARY_KEY ? "PRIMARY KEY" : "UNIQUE",
		text_quoted(draft->arena, index_of(table->now, index->oid)->name),
		deferred != NULL ? " " : "", deferred != NULL ? deferred : "");
	draft_edit_index(draft, table, index->oid)->constraint = key->oid;
	note_key(draft, table, key);
}

/*
 * Returns the offset in a constraint's definition at which options of its index
 * belong.
 */
static size_t
place_of_options(const char *definition)
{
	static const char *const words[] = {"WHERE", "DEFERRABLE"};
	size_t place = strlen(definition);

	for (size_t i = 0; i < LENGTH_OF(words); i++)
	{
		const char *at = text_find_word(definition, words[i]);

		if (at != NULL && (size_t) (at - definition) < place)
			place = (size_t) (at - definition);
	}
	while (place > 0 && definition[place - 1] == ' ')
		place--;
	return place;
}

/*
 * Returns the definition of a constraint with the options of its index, which
 * the definitions of most constraints do not contain.
 */
static const char *
key_text(Draft *draft, const ConstraintDefinition *key,
		 const IndexDefinition *index)
{
	const char *options = text_find_word(index->definition, "WITH");
	size_t place = place_of_options(key->definition);

	if (options == NULL || text_find_word(key->definition, "WITH") != NULL)
		return key->definition;
	return arena_printf(draft->arena, "%.*s %.*s)%s", (int) place,
						key->definition, (int) strcspn(options, ")"), options,
						key->definition + place);
}

/*
 * Adds a key with ONLY; partitions get their own keys, which are attached
 * later.
 */
static void
add_key(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	const ConstraintDefinition *key = constraint_of(table->after,
													index->constraint);

	if (key == NULL)
		return;
	draft_alter_only(draft, table, DDL_CONSTRAINT, "ADD CONSTRAINT %s %s",
					 text_quoted(draft->arena, key->name),
					 key_text(draft, key, index));
	add_index(draft, table, index);
	note_key(draft, table, key);
}

/* ---- Options ---- */

/*
 * Splits a list of options: name='value', … or name=value, …; no value contains
 * a comma.
 */
static StringList
options_in(Draft *draft, const char *definition)
{
	const char *at = text_find_word(definition, "WITH");
	StringList list = {.count = 0};

	if (at == NULL)
		return list;
	at += strcspn(at, "(");
	list.strings = arena_calloc(draft->arena, strlen(at) + 1, sizeof(char *));
	while (*at != '\0' && *at != ')')
	{
		size_t length;

		at++;
		at += strspn(at, " ");
		length = strcspn(at, ",)");
		list.strings[list.count++] = arena_printf(draft->arena, "%.*s",
												  (int) length, at);
		at += length;
	}
	return list;
}

/* Removes the quotes from values that are not words. */
static void
unquote(Draft *draft, StringList *list)
{
	for (int i = 0; i < list->count; i++)
	{
		const char *value = strchr(list->strings[i], '=');
		size_t length = value == NULL ? 0 : strlen(value);

		if (length < 3 || value[1] != '\'' || value[length - 1] != '\'')
			continue;
		list->strings[i] = arena_printf(
			draft->arena, "%.*s=%.*s", (int) (value - list->strings[i]),
			list->strings[i], (int) length - 3, value + 2);
	}
}

static void
set_options(Draft *draft, const DraftObject *table, const IndexDefinition *now,
			const IndexDefinition *after)
{
	const char *name = text_qualified(draft->arena, now->schema, now->name);
	StringList old = options_in(draft, now->definition);
	StringList new = options_in(draft, after->definition);
	const char *gone;
	const char *set;

	unquote(draft, &old);
	unquote(draft, &new);
	gone = text_options_gone(draft->arena, &old, &new);
	set = text_options_set(draft->arena, &new, &old);
	if (gone[0] != '\0')
		draft_say(draft, table, DDL_INDEX, "ALTER INDEX %s RESET (%s)", name,
				  gone);
	if (set[0] != '\0')
		draft_say(draft, table, DDL_INDEX, "ALTER INDEX %s SET (%s)", name,
				  set);
}

/* ---- In their order ---- */

static int
compare_parents(const void *a, const void *b)
{
	const IndexDefinition *one = *(const IndexDefinition *const *) a;
	const IndexDefinition *other = *(const IndexDefinition *const *) b;
	bool is_key = one->constraint != 0;

	if (one->parent != other->parent)
		return one->parent < other->parent ? -1 : 1;
	if (is_key != (other->constraint != 0))
		return is_key ? -1 : 1;
	return strcmp(one->name, other->name);
}

/*
 * Returns the indexes of the new state in the order in which they are created.
 */
static const IndexDefinition **
in_order(Draft *draft, const TableDefinition *after)
{
	size_t count = (size_t) after->index_count;
	const IndexDefinition **order = arena_calloc(draft->arena, count + 1,
												 sizeof(order[0]));

	for (size_t i = 0; i < count; i++)
		order[i] = &after->indexes[i];
	qsort(order, count, sizeof(order[0]), compare_parents);
	return order;
}

static void
make_index(Draft *draft, DraftObject *table, const IndexDefinition *after)
{
	const IndexDefinition *now = index_of(table->now, after->oid);

	if (now == NULL && after->constraint == 0)
		create_index(draft, table, after);
	else if (now == NULL)
		add_key(draft, table, after);
	else if (now->constraint == 0 && after->constraint != 0)
		add_key_using(draft, table, after);
	now = index_of(table->now, after->oid);
	if (now != NULL)
		set_options(draft, table, now, after);
}

/*
 * Whether a partition does not have the index of its partitioned table.  Such
 * an index is created after partitions were attached, because an attached
 * partition would get the index, too.
 */
static bool
is_unfinished(const DraftObject *table, const IndexDefinition *index)
{
	return table->after->table.partitioned && !index->valid;
}

static void
make_indexes(Draft *draft, bool unfinished)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *table = draft->changed[i];
		const IndexDefinition **order;

		if (!draft_stays(table, DEFINITION_TABLE))
			continue;
		order = in_order(draft, &table->after->table);
		for (int k = 0; k < table->after->table.index_count; k++)
			if (is_unfinished(table, order[k]) == unfinished)
				make_index(draft, table, order[k]);
	}
}

void
diff_indexes(Draft *draft)
{
	make_indexes(draft, false);
}

void
diff_unfinished_indexes(Draft *draft)
{
	make_indexes(draft, true);
}
