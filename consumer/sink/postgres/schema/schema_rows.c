/*
 * schema_rows.c
 *    Finds related tables.
 */
#include "sink/postgres/schema/schema_rows.h"

#include "model/oid_list.h"

/*
 * Largest number of direct and indirect parents of a table; with more, the
 * definitions are assumed to be circular.
 */
#define ANCESTORS_MAX 1000

/* Returns an empty list with room for one table more than there are changes. */
static OidList
new_list(const SchemaRows *rows)
{
	return (OidList){.oids = arena_calloc(rows->arena, rows->set->count + 1,
										  sizeof(uint32_t))};
}

/* ---- tables ------------------------------------------------------------- */

/* Returns a table that can have rows itself, or NULL. */
static const Definition *
find_table(const DefinitionSet *set, uint32_t oid)
{
	const Definition *table = definition_set_find(set, DEFINITION_IN_CLASS,
												  oid);

	return table != NULL && table->kind == DEFINITION_TABLE &&
				   !table->table.partitioned
			   ? table
			   : NULL;
}

static bool
is_unlogged(const SchemaRows *rows, uint32_t oid)
{
	const Definition *was = find_table(rows->before, oid);
	const Definition *is = find_table(rows->after, oid);

	return was != NULL && is != NULL && was->table.unlogged &&
		   is->table.unlogged;
}

/* Returns the table and all its direct and indirect parents. */
static OidList
list_ancestors(const SchemaRows *rows, uint32_t oid)
{
	OidList list = {
		.count = 1,
		.oids = arena_calloc(rows->arena, ANCESTORS_MAX, sizeof(uint32_t))};

	list.oids[0] = oid;
	for (int i = 0; i < list.count; i++)
	{
		const Definition *table = definition_set_find(
			rows->after, DEFINITION_IN_CLASS, list.oids[i]);

		if (table == NULL || table->kind != DEFINITION_TABLE)
			continue;
		for (int p = 0; p < table->table.parents.count; p++)
			if (list.count < ANCESTORS_MAX &&
				!oid_list_has(&list, table->table.parents.oids[p]))
				list.oids[list.count++] = table->table.parents.oids[p];
	}
	return list;
}

/* Whether a table has one of these ancestors. */
static bool
is_related(const SchemaRows *rows, uint32_t oid, const OidList *ancestors)
{
	OidList own = list_ancestors(rows, oid);

	for (int i = 0; i < own.count; i++)
		if (oid_list_has(ancestors, own.oids[i]))
			return true;
	return false;
}

/* ---- hints -------------------------------------------------------------- */

/*
 * Whether a table becomes logged and has no rows.  The rows of a table that
 * becomes logged are sent just before; if it has none, the source sends just
 * after it that the table is empty.
 */
static bool
has_become_logged_empty(const SchemaRows *rows, uint32_t oid)
{
	const Definition *was = find_table(rows->before, oid);
	const Definition *is = find_table(rows->after, oid);

	return was != NULL && is != NULL && was->table.unlogged &&
		   !is->table.unlogged && is->table.published &&
		   !oid_list_has(&rows->set->rewritten_before, oid);
}

void
schema_rows_know(const SchemaRows *rows, DdlHints *hints)
{
	const SchemaSet *set = rows->set;

	hints->rewritten = new_list(rows);
	hints->without_rows = new_list(rows);
	if (set->rewritten != 0)
		hints->rewritten.oids[hints->rewritten.count++] = set->rewritten;
	for (size_t i = 0; i < set->count; i++)
	{
		uint32_t oid = set->changes[i]->schema->oid;
		OidList *list = &hints->without_rows;

		if (!oid_list_has(list, oid) && has_become_logged_empty(rows, oid))
			list->oids[list->count++] = oid;
	}
	oid_list_sort(&hints->without_rows);
}

/*
 * Whether the rows of a table may be sent again.  The command that rewrites
 * tables is the last one in the set, so all rewritten tables are related to the
 * one that is known.  If the first row was not waited for, none is known, and
 * any table may be.
 */
static bool
may_come_anew(const SchemaRows *rows, uint32_t oid, const OidList *ancestors)
{
	if (find_table(rows->before, oid) == NULL ||
		find_table(rows->after, oid) == NULL)
		return false;
	return is_unlogged(rows, oid) || rows->set->is_hurried ||
		   (rows->set->rewritten != 0 && is_related(rows, oid, ancestors));
}

bool
schema_rows_guess(const SchemaRows *rows, DdlHints *hints)
{
	const SchemaSet *set = rows->set;
	const OidList ancestors = list_ancestors(rows, set->rewritten);
	OidList list = new_list(rows);
	int known_count = hints->rewritten.count;

	for (int i = 0; i < known_count; i++)
		list.oids[list.count++] = hints->rewritten.oids[i];
	for (size_t i = 0; i < set->count; i++)
	{
		const SchemaChange *change = set->changes[i]->schema;

		if (change->kind == SCHEMA_DEFINED &&
			!oid_list_has(&list, change->oid) &&
			may_come_anew(rows, change->oid, &ancestors))
			list.oids[list.count++] = change->oid;
	}
	oid_list_sort(&list);
	hints->rewritten = list;
	hints->was_refused = true;
	return list.count > 0;
}

bool
schema_rows_must_come(const SchemaRows *rows, const DdlHints *hints,
					  uint32_t oid)
{
	return !oid_list_has(&hints->without_rows, oid) && !is_unlogged(rows, oid);
}
