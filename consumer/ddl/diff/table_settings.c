/*
 * table_settings.c
 *    ALTER TABLE … OF, SET, ROW LEVEL SECURITY, REPLICA IDENTITY, CLUSTER ON.
 */
#include "ddl/diff/table_settings.h"

#include <string.h>

#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* ---- Types ---- */

void
diff_leave_types(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *table = draft->changed[i];

		if (!draft_stays(table, DEFINITION_TABLE) ||
			table->now->table.of_type[0] == '\0' ||
			table->after->table.of_type[0] != '\0')
			continue;
		draft_alter(draft, table, DDL_ALTER, "NOT OF");
		draft_edit(draft, table)->table.of_type = "";
	}
}

/*
 * Sets the type of a table; if only the type's name has changed, there is
 * nothing to do.
 */
static void
set_type(Draft *draft, const DraftObject *table)
{
	if (table->now->table.of_type[0] == '\0' &&
		table->after->table.of_type[0] != '\0')
		draft_alter(draft, table, DDL_ALTER, "OF %s",
					table->after->table.of_type);
}

/* ---- Options ---- */

static void
set_options(Draft *draft, const DraftObject *table)
{
	const StringList *now = &table->now->table.options;
	const StringList *after = &table->after->table.options;
	const char *gone = text_options_gone(draft->arena, now, after);
	const char *set = text_options_set(draft->arena, after, now);

	if (gone[0] != '\0')
		draft_alter(draft, table, DDL_ALTER, "RESET (%s)", gone);
	if (set[0] != '\0')
		draft_alter(draft, table, DDL_ALTER, "SET (%s)", set);
}

static void
set_row_security(Draft *draft, const DraftObject *table)
{
	const TableDefinition *now = &table->now->table;
	const TableDefinition *after = &table->after->table;

	if (now->row_security != after->row_security)
		draft_alter(draft, table, DDL_ALTER, "%s ROW LEVEL SECURITY",
					after->row_security ? "ENABLE" : "DISABLE");
	if (now->force_row_security != after->force_row_security)
		draft_alter(draft, table, DDL_ALTER, "%sFORCE ROW LEVEL SECURITY",
					after->force_row_security ? "" : "NO ");
}

static void
set_access_method(Draft *draft, const DraftObject *table)
{
	const char *method = table->after->table.access_method;

	if (strcmp(table->now->table.access_method, method) == 0)
		return;
	draft_alter(draft, table, DDL_ALTER, "SET ACCESS METHOD %s",
				text_quoted(draft->arena, method[0] != '\0' ? method : "heap"))
		->rewrites = true;
}

/* ---- Persistence ---- */

static bool
becomes(const DraftObject *table, bool unlogged)
{
	return draft_stays(table, DEFINITION_TABLE) &&
		   table->now->table.unlogged != unlogged &&
		   table->after->table.unlogged == unlogged;
}

/* Sets LOGGED or UNLOGGED; sequences of the table change with it. */
static void
set_persistence(Draft *draft, DraftObject *table, bool unlogged)
{
	DdlStatement *statement = draft_alter(draft, table, DDL_ALTER, "SET %s",
										  unlogged ? "UNLOGGED" : "LOGGED");

	statement->rewrites = true;
	draft_edit(draft, table)->table.unlogged = unlogged;
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *object = draft->changed[i];

		if (object->kind == DEFINITION_SEQUENCE && object->now != NULL &&
			object->now->sequence.owner_table == table->oid)
			draft_edit(draft, object)->sequence.unlogged = unlogged;
	}
}

/*
 * Sets the persistence in the order that foreign keys need: a logged table
 * cannot refer to an unlogged one.
 */
static void
spread_persistence(Draft *draft, DraftObject *table, bool unlogged)
{
	table->visited = true;
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *other = draft->changed[i];

		if (!other->visited && becomes(other, unlogged) &&
			(unlogged ? draft_refers_to(other, table)
					  : draft_refers_to(table, other)))
			spread_persistence(draft, other, unlogged);
	}
	set_persistence(draft, table, unlogged);
	table->visited = false;
}

static void
set_all_persistence(Draft *draft, bool unlogged)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (becomes(draft->changed[i], unlogged))
			spread_persistence(draft, draft->changed[i], unlogged);
}

void
diff_table_settings(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		DraftObject *table = draft->changed[i];

		if (!draft_stays(table, DEFINITION_TABLE))
			continue;
		set_type(draft, table);
		set_options(draft, table);
		set_row_security(draft, table);
		set_access_method(draft, table);
	}
	set_all_persistence(draft, false);
	set_all_persistence(draft, true);
}

/* ---- Indexes that are chosen ---- */

/* Returns the index of REPLICA IDENTITY USING INDEX, or NULL. */
static const IndexDefinition *
identifying(const Definition *table)
{
	for (int i = 0; i < table->table.index_count; i++)
		if (table->table.indexes[i].replica_identity)
			return &table->table.indexes[i];
	return NULL;
}

static const IndexDefinition *
clustering(const Definition *table)
{
	for (int i = 0; i < table->table.index_count; i++)
		if (table->table.indexes[i].clustered)
			return &table->table.indexes[i];
	return NULL;
}

static bool
same_index(const IndexDefinition *a, const IndexDefinition *b)
{
	return a == b || (a != NULL && b != NULL && a->oid == b->oid);
}

static const char *
identity_text(Draft *draft, const Definition *after)
{
	switch (after->table.replica_identity)
	{
		case IDENTITY_DEFAULT:
			return "DEFAULT";
		case IDENTITY_NOTHING:
			return "NOTHING";
		case IDENTITY_FULL:
			return "FULL";
		case IDENTITY_INDEX:
			return arena_printf(
				draft->arena, "USING INDEX %s",
				text_quoted(draft->arena, identifying(after)->name));
	}
	check_failed("the replica identity is known", __FILE__, __LINE__);
}

/*
 * Sets the replica identity.  There is no statement for an identity whose index
 * was dropped; dropping the index has that effect.
 */
static void
choose_identity(Draft *draft, const DraftObject *table)
{
	ReplicaIdentity identity = table->after->table.replica_identity;
	const IndexDefinition *index = identifying(table->after);

	if (identity == IDENTITY_INDEX && index == NULL)
		return;
	if (table->now->table.replica_identity == identity &&
		(identity != IDENTITY_INDEX ||
		 same_index(identifying(table->now), index)))
		return;
	draft_alter(draft, table, DDL_ALTER, "REPLICA IDENTITY %s",
				identity_text(draft, table->after));
}

static void
choose_clustering(Draft *draft, const DraftObject *table)
{
	const IndexDefinition *index = clustering(table->after);

	if (same_index(clustering(table->now), index))
		return;
	if (index == NULL)
		draft_alter(draft, table, DDL_ALTER, "SET WITHOUT CLUSTER");
	else
		draft_alter(draft, table, DDL_ALTER, "CLUSTER ON %s",
					text_quoted(draft->arena, index->name));
}

void
diff_chosen_indexes(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
	{
		const DraftObject *table = draft->changed[i];

		if (!draft_stays(table, DEFINITION_TABLE))
			continue;
		choose_identity(draft, table);
		choose_clustering(draft, table);
	}
}
