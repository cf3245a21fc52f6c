/*
 * followed_objects.c
 *    Decides by publication, parents and need.
 */
#include "sink/postgres/schema/followed_objects.h"

#include <string.h>

#include "base/buf.h"
#include "ddl/needs.h"
#include "net/sql.h"

/*
 * Largest number of direct and indirect parents; with more, the definitions are
 * assumed to be circular.
 */
#define PARENTS_MAX 1000

/* ---- One table ---------------------------------------------------------- */

/* Whether a table has no rows in the stream. */
static bool
is_without_rows(const Definition *table)
{
	return table->table.partitioned || table->table.unlogged;
}

static const Definition *
find_parent(const DefinitionSet *set, const Definition *table)
{
	return table->table.parents.count > 0
			   ? definition_set_find(set, DEFINITION_IN_CLASS,
									 table->table.parents.oids[0])
			   : NULL;
}

static bool
is_partition(const Definition *table)
{
	return table->table.bound[0] != '\0';
}

/* Whether a table inherits from one that is followed. */
static bool
has_followed_parent(const SchemaFollowed *followed, const DefinitionSet *set,
					const Definition *table)
{
	for (int depth = 0; depth < PARENTS_MAX; depth++)
	{
		table = find_parent(set, table);
		if (table == NULL || table->kind != DEFINITION_TABLE)
			return false;
		if (is_without_rows(table))
			return !table->apart;
		if (followed->is_followed(followed->context, table))
			return true;
	}
	return false;
}

/* Whether a table is a partition of one that the user has excluded. */
static bool
is_part_of_excluded(const SchemaFollowed *followed, const DefinitionSet *set,
					const Definition *table)
{
	const Definition *parent = find_parent(set, table);

	return followed->chooses_tables && is_partition(table) && parent != NULL &&
		   parent->kind == DEFINITION_TABLE && parent->apart &&
		   parent->table.published;
}

static bool
lacks_table(const SchemaFollowed *followed, const DefinitionSet *set,
			const Definition *table)
{
	if (is_without_rows(table))
		return table->apart;
	if (followed->is_followed(followed->context, table))
		return table->apart && is_part_of_excluded(followed, set, table);
	return table->apart || (is_partition(table) && !table->table.published) ||
		   !has_followed_parent(followed, set, table);
}

/* Returns the table that an object is, or belongs to; NULL: none. */
static const Definition *
table_of(const DefinitionSet *set, const Definition *definition)
{
	if (definition != NULL && definition->kind == DEFINITION_SEQUENCE)
		definition = definition_set_find(set, DEFINITION_IN_CLASS,
										 definition->sequence.owner_table);
	return definition != NULL && definition->kind == DEFINITION_TABLE
			   ? definition
			   : NULL;
}

bool
followed_objects_lacks(const SchemaFollowed *followed, const DefinitionSet *set,
					   const Definition *definition)
{
	const Definition *table = table_of(set, definition);

	if (definition == NULL)
		return false;
	return table != NULL ? lacks_table(followed, set, table)
						 : definition->apart;
}

/* ---- What changes ------------------------------------------------------- */

static bool
has_left(const Definition *was, const Definition *is)
{
	return was->table.published && !is->table.published;
}

/* Whether a table that was not there before is not followed. */
static bool
is_new_apart(const SchemaFollowed *followed, const DefinitionSet *after,
			 const Definition *is)
{
	if (is_part_of_excluded(followed, after, is))
		return true;
	return is_without_rows(is) ? !is->table.published
							   : lacks_table(followed, after, is);
}

static bool
is_table_apart(const SchemaFollowed *followed, const DefinitionSet *after,
			   const Definition *was, const Definition *is)
{
	if (was == NULL || was->kind != DEFINITION_TABLE)
		return is_new_apart(followed, after, is);
	if (has_left(was, is))
		return true;
	if (!is_without_rows(is))
		return lacks_table(followed, after, is);
	return was->apart && !(is->table.published && !was->table.published);
}

/*
 * Whether an object is left out because of the state of its table.  Whether it
 * is followed is decided when that table joins the others.
 */
static bool
is_undecided(const FollowedObjects *self, const Definition *is)
{
	const Definition *table = table_of(self->after, is);

	return table != NULL &&
		   self->set->txn.end_lsn <=
			   table_states_left_out_until_of(self->states, table);
}

static bool
is_apart(const FollowedObjects *self, const Definition *is)
{
	const Definition *was = definition_set_find(
		self->known, definition_catalog(is->kind), is->oid);
	const Definition *owner = table_of(self->after, is);

	if (is_undecided(self, is))
		return was != NULL && was->apart;
	if (is->kind == DEFINITION_TABLE)
		return is_table_apart(self->followed, self->after, was, is);
	if (owner != NULL)
		return lacks_table(self->followed, self->after, owner);
	return was != NULL ? was->apart : !self->followed->whole;
}

static void
set_apart(DefinitionSet *set, const Definition *definition, bool apart)
{
	Definition changed = *definition;

	if (definition->apart == apart)
		return;
	changed.apart = apart;
	definition_set_put(set, &changed);
}

/* Returns the object that a change defines, as it is after the set; or NULL. */
static const Definition *
find_defined(const DefinitionSet *after, const SchemaChange *change)
{
	return change->kind == SCHEMA_DEFINED
			   ? definition_set_find(after, change->catalog, change->oid)
			   : NULL;
}

/* Number of tables that an object belongs to, directly or indirectly. */
static int
depth_of(const DefinitionSet *set, const Definition *definition)
{
	const Definition *table = table_of(set, definition);
	int depth = table != definition;

	while (table != NULL && table->kind == DEFINITION_TABLE &&
		   depth < PARENTS_MAX)
	{
		table = find_parent(set, table);
		depth++;
	}
	return depth;
}

/*
 * Decides on the changed objects at one depth; returns the least depth of the
 * others that are deeper, or 0.
 */
static int
decide_at(const FollowedObjects *self, int depth)
{
	int next = 0;

	for (size_t i = 0; i < self->set->count; i++)
	{
		const Definition *is = find_defined(self->after,
											self->set->changes[i]->schema);
		int its;

		if (is == NULL)
			continue;
		its = depth_of(self->after, is);
		if (its == depth)
			set_apart(self->after, is, is_apart(self, is));
		else if (its > depth && (next == 0 || its < next))
			next = its;
	}
	return next;
}

/*
 * What tables that are not followed any more have needed is not followed
 * either.
 */
static void
part_with_tables(const SchemaSet *set, const DefinitionSet *known,
				 DefinitionSet *after)
{
	DefinitionList left = {0};

	for (size_t i = 0; i < set->count; i++)
	{
		const Definition *is = find_defined(after, set->changes[i]->schema);
		const Definition *was = NULL;

		if (is != NULL && is->kind == DEFINITION_TABLE && is->apart)
			was = definition_set_find(known, DEFINITION_IN_CLASS, is->oid);
		if (was != NULL && !was->apart)
			definition_list_add(&left, was);
	}
	if (left.count > 0)
		ddl_part_unneeded(after, &left);
	definition_list_release(&left);
}

/* Whether something that was followed before needs the object: it is there. */
static bool
was_needed(FollowedObjects *self, const Definition *is)
{
	const Definition *was;

	if (self->joined == NULL)
	{
		self->joined = definition_set_copy(self->known);
		ddl_join_all_needed(self->joined);
	}
	was = definition_set_find(self->joined, definition_catalog(is->kind),
							  is->oid);
	return was != NULL && !was->apart;
}

/*
 * Clears `apart` of changed objects that a table needs which was added alone,
 * with what it needs.
 */
static void
join_what_was_needed(FollowedObjects *self)
{
	for (size_t i = 0; i < self->set->count; i++)
	{
		const Definition *is = find_defined(self->after,
											self->set->changes[i]->schema);

		if (is != NULL && is->apart && is->kind != DEFINITION_TABLE &&
			was_needed(self, is))
			set_apart(self->after, is, false);
	}
}

/* Clears `apart` of what the changed objects need that are followed. */
static void
join_what_is_needed(const FollowedObjects *self)
{
	DefinitionSet *copy = definition_set_copy(self->after);
	DefinitionList users = {0};

	for (size_t i = 0; i < self->set->count; i++)
	{
		const Definition *is = find_defined(copy,
											self->set->changes[i]->schema);

		if (is != NULL && !is->apart && !is_undecided(self, is))
			definition_list_add(&users, is);
	}
	ddl_join_needed(self->after, &users);
	definition_list_release(&users);
	definition_set_free(copy);
}

static bool
has_apart(const DefinitionSet *set)
{
	for (size_t i = 0; i < definition_set_count(set); i++)
		if (definition_set_at(set, i)->apart)
			return true;
	return false;
}

void
followed_objects_decide(FollowedObjects *self)
{
	int depth = 0;

	do
		depth = decide_at(self, depth);
	while (depth > 0);
	if (has_apart(self->after))
	{
		join_what_was_needed(self);
		join_what_is_needed(self);
	}
	if (!self->followed->whole)
		part_with_tables(self->set, self->known, self->after);
}

void
followed_objects_release(FollowedObjects *self)
{
	definition_set_free(self->joined);
	self->joined = NULL;
}

/* ---- What the target has ------------------------------------------------ */

/*
 * SQL that tells whether an object exists, by its name $1; that of a plain
 * table may be another's, which new_table_check() and CREATE TABLE tell.
 */
static const char *
presence_sql(const Definition *definition)
{
	switch (definition->kind)
	{
		case DEFINITION_NAMESPACE:
			return "SELECT pg_catalog.to_regnamespace($1) IS NOT NULL";
		case DEFINITION_TABLE:
			return definition->table.partitioned
					   ? "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c"
						 " WHERE c.oid OPERATOR(pg_catalog.=)"
						 "  pg_catalog.to_regclass($1)"
						 " AND c.relkind OPERATOR(pg_catalog.=) 'p')"
					   : NULL;
		case DEFINITION_SEQUENCE:
			return definition->sequence.owner_table == 0
					   ? "SELECT pg_catalog.to_regclass($1) IS NOT NULL"
					   : NULL;
		case DEFINITION_ENUM:
		case DEFINITION_DOMAIN:
		case DEFINITION_COMPOSITE:
			return "SELECT pg_catalog.to_regtype($1) IS NOT NULL";
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}

static MUST_CHECK Rc
is_present(PgConn *target, const Definition *definition, bool *present,
		   Error *err)
{
	const char *sql = presence_sql(definition);
	const char *params[1];
	PGresult *result = NULL;
	Buf name;
	Rc rc;

	*present = false;
	if (sql == NULL)
		return RC_OK;
	buf_init(&name, BUF_TEXT_MAX);
	if (definition->kind == DEFINITION_NAMESPACE)
		buf_append_identifier(&name, definition->name);
	else
		sql_append_qualified(&name, definition->schema, definition->name);
	params[0] = name.data;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK)
		*present = sql_bool(result, 0, 0);
	PQclear(result);
	buf_release(&name);
	return rc;
}

/* For an object that has come to be followed. */
static MUST_CHECK Rc
settle_joined(FollowedObjects *self, PgConn *target, const Definition *is,
			  DefinitionSet *before, Error *err)
{
	DefinitionCatalog catalog = definition_catalog(is->kind);
	bool present;
	Rc rc;

	if (was_needed(self, is))
	{
		set_apart(before, definition_set_find(before, catalog, is->oid), false);
		return RC_OK;
	}
	rc = is_present(target, is, &present, err);
	if (rc != RC_OK)
		return rc;
	if (present)
		definition_set_put(before, is);
	else
		definition_set_remove(before, catalog, is->oid);
	return RC_OK;
}

static void
forget_gone(const DefinitionSet *known, const DefinitionSet *after,
			DefinitionSet *before)
{
	for (size_t i = 0; i < definition_set_count(known); i++)
	{
		const Definition *was = definition_set_at(known, i);
		DefinitionCatalog catalog = definition_catalog(was->kind);

		if (was->apart && definition_set_find(after, catalog, was->oid) == NULL)
			definition_set_remove(before, catalog, was->oid);
	}
}

Rc
followed_objects_settle(FollowedObjects *self, PgConn *target,
						DefinitionSet *before, Error *err)
{
	Rc rc = RC_OK;

	forget_gone(self->known, self->after, before);
	for (size_t i = 0; i < definition_set_count(self->after) && rc == RC_OK;
		 i++)
	{
		const Definition *is = definition_set_at(self->after, i);
		const Definition *was = definition_set_find(
			self->known, definition_catalog(is->kind), is->oid);

		if (is == was)
			continue;
		if (is->apart)
			definition_set_put(before, is);
		else if (was != NULL && was->apart)
			rc = settle_joined(self, target, is, before, err);
	}
	return rc;
}
