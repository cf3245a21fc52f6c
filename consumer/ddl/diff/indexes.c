/*
 * indexes.c
 *    CREATE INDEX, ALTER INDEX … SET.
 */
#include "ddl/diff/indexes.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- New ones ---- */

/* Whether something that is done with the rows or the schema needs it. */
static bool
is_waited_for(const DraftObject *table, const IndexDefinition *index)
{
	return !table->existed || table->after->table.partitioned ||
		   index->unique || index->parent != 0 || index->clustered ||
		   index->replica_identity;
}

/* CREATE INDEX CONCURRENTLY IF NOT EXISTS name …: of CREATE INDEX name …. */
static const char *
concurrent_text(Draft *draft, const char *definition)
{
	static const char beginning[] = "CREATE INDEX ";

	if (strncmp(definition, beginning, strlen(beginning)) != 0)
		return NULL;
	return arena_printf(draft->arena,
						"CREATE INDEX CONCURRENTLY IF NOT EXISTS %s",
						definition + strlen(beginning));
}

static void
create_index(Draft *draft, DraftObject *table, const IndexDefinition *index)
{
	IndexDefinition created = *index;
	DdlStatement *statement = draft_say(draft, table, DDL_INDEX, "%s",
										index->definition);

	if (!is_waited_for(table, index))
		statement->concurrent_sql = concurrent_text(draft, index->definition);
	created.parent = 0;
	created.clustered = false;
	created.replica_identity = false;
	draft_add_index(draft, table, &created);
}

/* ---- Options ---- */

/* Splits name='value', … or name=value, …; which has no commas in values. */
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

/* Values of options are quoted where they are no words. */
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

static void
make_indexes(Draft *draft, DraftObject *table)
{
	for (int i = 0; i < table->after->table.index_count; i++)
	{
		const IndexDefinition *after = &table->after->table.indexes[i];
		const IndexDefinition *now = index_of(table->now, after->oid);

		if (now != NULL)
			set_options(draft, table, now, after);
		else if (after->constraint == 0)
			create_index(draft, table, after);
	}
}

void
diff_indexes(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_stays(draft->changed[i], DEFINITION_TABLE))
			make_indexes(draft, draft->changed[i]);
}
