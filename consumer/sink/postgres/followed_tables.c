/*
 * followed_tables.c
 *    Looks at each table of a set.
 */
#include "sink/postgres/followed_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "control/copy/copied_table.h"
#include "sink/postgres/publication_change.h"

/* Whether changes of a transaction with this end_lsn to a table are applied. */
static bool
is_taken(const FollowedTables *self, const Definition *table, Lsn end_lsn)
{
	return end_lsn > table_states_left_out_until_of(self->states, table);
}

bool
followed_tables_has_copied(const FollowedTables *self,
						   const SchemaChange *change, Lsn end_lsn)
{
	return change->kind == SCHEMA_DEFINED &&
		   change->definition->kind == DEFINITION_TABLE &&
		   !is_taken(self, change->definition, end_lsn);
}

/* Whether a change defines this table, or gives its schema its present name. */
static bool
is_of_table(const SchemaChange *change, const Definition *table)
{
	if (change->kind != SCHEMA_DEFINED)
		return false;
	if (change->definition->kind == DEFINITION_NAMESPACE)
		return strcmp(change->definition->name, table->schema) == 0;
	return change->definition->kind == DEFINITION_TABLE &&
		   change->oid == table->oid;
}

static bool
is_table_of(const SchemaSet *schema, const Definition *definition)
{
	if (definition->kind != DEFINITION_TABLE)
		return false;
	for (size_t i = 0; i < schema->count; i++)
		if (is_of_table(schema->changes[i]->schema, definition))
			return true;
	return false;
}

/* Lists the changed tables in their new form; returns their number. */
static int
list_changed(const FollowedTables *self, const DefinitionSet *known,
			 const SchemaSet *schema, CopiedTable *tables)
{
	int count = 0;

	for (size_t i = 0; i < definition_set_count(known); i++)
	{
		const Definition *is = definition_set_at(known, i);

		if (is_table_of(schema, is))
			tables[count++] = (CopiedTable){
				.name = {.schema = is->schema, .name = is->name},
				.oid = is->oid,
				.copied = uncopied_is_followed(self->uncopied, is->oid,
											   is->table.published)};
	}
	return count;
}

static int
list_gone(const SchemaSet *schema, uint32_t *gone)
{
	int count = 0;

	for (size_t i = 0; i < schema->count; i++)
	{
		const SchemaChange *change = schema->changes[i]->schema;

		if (change->kind == SCHEMA_GONE &&
			change->catalog == DEFINITION_IN_CLASS)
			gone[count++] = change->oid;
	}
	return count;
}

Rc
followed_tables_note(const FollowedTables *self, PgConn *conn,
					 const DefinitionSet *known, const SchemaSet *schema,
					 Error *err)
{
	size_t known_count = definition_set_count(known);
	CopiedTable *tables = xcalloc(known_count + 1, sizeof(CopiedTable));
	uint32_t *gone = xcalloc(schema->count, sizeof(uint32_t));
	int table_count = list_changed(self, known, schema, tables);
	int gone_count = list_gone(schema, gone);
	Rc rc = copied_table_follow(conn, self->pipeline, tables, table_count, gone,
								gone_count, err);

	free(tables);
	free(gone);
	return rc;
}

/*
 * Refuses a table that a publication now contains, because it may have rows
 * from before.  That includes a table which the same transaction has created:
 * the source has not sent its first rows.
 */
static MUST_CHECK Rc
check_named(const FollowedTables *self, const SchemaSet *schema,
			const Definition *table, Error *err)
{
	return table_states_only_listed(self->states) ||
				   uncopied_was_copied(self->uncopied, table->oid)
			   ? publication_change_refuse(schema, table, self->placed, err)
			   : publication_change_refuse_uncopied(schema, table, self->label,
													self->placed, err);
}

/*
 * Whether a table is published since the set although the set does not add it
 * to a publication: it was moved to a published schema, or attached to a
 * published table.  Tables that were unlogged are excepted, because all their
 * rows are sent later.
 */
static bool
has_become_published(const DefinitionSet *known, const SchemaChange *change)
{
	const Definition *was = definition_set_find(known, DEFINITION_IN_CLASS,
												change->oid);
	const Definition *is = change->definition;

	return change->kind == SCHEMA_DEFINED && is->kind == DEFINITION_TABLE &&
		   was != NULL && was->kind == DEFINITION_TABLE &&
		   is->table.published && !was->table.published &&
		   !is->table.unlogged && !was->table.unlogged;
}

/*
 * Whether a table is published from now on whose earlier rows the target does
 * not have.
 */
static bool
lacks_rows(const FollowedTables *self, const DefinitionSet *known,
		   const SchemaChange *change)
{
	return !table_states_only_listed(self->states) &&
		   has_become_published(known, change) &&
		   !uncopied_was_copied(self->uncopied, change->oid);
}

/*
 * Returns the table that a change defines, if the target has its rows, but not
 * what operations have made of them that are published only now; else NULL.
 */
static const Definition *
find_widened(const FollowedTables *self, const DefinitionSet *known,
			 const SchemaChange *change)
{
	const Definition *is = change->definition;
	const Definition *was;

	if (change->kind != SCHEMA_DEFINED || is->kind != DEFINITION_TABLE)
		return NULL;
	was = definition_set_find(known, DEFINITION_IN_CLASS, change->oid);
	if (was == NULL || was->kind != DEFINITION_TABLE || !was->table.published ||
		!is->table.published ||
		(was->table.withheld & ~is->table.withheld) == 0)
		return NULL;
	return table_states_only_listed(self->states) ||
				   uncopied_was_copied(self->uncopied, change->oid)
			   ? is
			   : NULL;
}

/* Whether a set has another such table of which this one is a partition. */
static bool
is_part_of_widened(const FollowedTables *self, const DefinitionSet *known,
				   const SchemaSet *schema, const Definition *table)
{
	if (table->table.bound[0] == '\0' || table->table.parents.count == 0)
		return false;
	for (size_t i = 0; i < schema->count; i++)
	{
		const Definition *other = find_widened(self, known,
											   schema->changes[i]->schema);

		if (other != NULL && other->oid == table->table.parents.oids[0])
			return true;
	}
	return false;
}

/* Refuses a set since which other operations on tables are published. */
static MUST_CHECK Rc
check_operations(const FollowedTables *self, const DefinitionSet *known,
				 const SchemaSet *schema, Error *err)
{
	const Definition **tables = xcalloc(schema->count + 1,
										sizeof(const Definition *));
	size_t count = 0;
	Rc rc = RC_OK;

	for (size_t i = 0; i < schema->count; i++)
	{
		const Definition *table = find_widened(self, known,
											   schema->changes[i]->schema);

		if (table != NULL && is_taken(self, table, schema->txn.end_lsn) &&
			!is_part_of_widened(self, known, schema, table))
			tables[count++] = table;
	}
	if (count > 0)
		rc = publication_change_refuse_operations(schema, tables, count,
												  self->placed, err);
	free(tables);
	return rc;
}

/*
 * Returns the table that a change defines, if rows of it are sent after the set
 * whose earlier rows the target may not have; else NULL.
 */
static const Definition *
find_lacking(const FollowedTables *self, const DefinitionSet *known,
			 const SchemaSet *schema, const SchemaChange *change)
{
	const Definition *table = publication_change_table(schema, change,
													   self->publications);

	if (table == NULL && lacks_rows(self, known, change))
		table = change->definition;
	if (table == NULL && change->kind == SCHEMA_DEFINED &&
		change->definition->kind == DEFINITION_TABLE &&
		change->definition->table.published &&
		publication_change_readds_schema(schema, change->definition,
										 self->publications))
		table = change->definition;
	return table;
}

/*
 * Whether a set has such a table of which this one is a partition: then it is
 * copied with that.
 */
static bool
is_part_of_lacking(const FollowedTables *self, const DefinitionSet *known,
				   const SchemaSet *schema, const Definition *table)
{
	if (table->table.bound[0] == '\0' || table->table.parents.count == 0)
		return false;
	for (size_t i = 0; i < schema->count; i++)
	{
		const Definition *other = find_lacking(self, known, schema,
											   schema->changes[i]->schema);

		if (other != NULL && other->oid == table->table.parents.oids[0])
			return true;
	}
	return false;
}

Rc
followed_tables_check(const FollowedTables *self, const DefinitionSet *known,
					  const SchemaSet *schema, Error *err)
{
	Rc rc = RC_OK;

	if (self->publications == NULL)
		return RC_OK;
	for (size_t i = 0; i < schema->count && rc == RC_OK; i++)
	{
		const Definition *table = find_lacking(self, known, schema,
											   schema->changes[i]->schema);

		if (table != NULL && is_taken(self, table, schema->txn.end_lsn) &&
			!is_part_of_lacking(self, known, schema, table))
			rc = check_named(self, schema, table, err);
	}
	return rc == RC_OK ? check_operations(self, known, schema, err) : rc;
}

void
followed_tables_settle(const FollowedTables *self, const SchemaSet *schema)
{
	for (size_t i = 0; i < schema->count; i++)
	{
		const SchemaChange *change = schema->changes[i]->schema;

		if (!followed_tables_has_copied(self, change, schema->txn.end_lsn))
			uncopied_settle(self->uncopied, change);
	}
}
