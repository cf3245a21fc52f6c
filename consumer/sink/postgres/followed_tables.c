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

/* A set that is checked. */
typedef struct Walk
{
	const FollowedTables *self;
	const DefinitionSet *known; /* what was known before the set */
	const SchemaSet *schema;

	/*
	 * For each change the definition that its table had before it, in the set
	 * or else in `known`; NULL: none.
	 */
	const Definition **before;
} Walk;

/* A change that defines a table, by its index in the set. */
typedef struct DefinedTable
{
	uint32_t oid;
	size_t index;
} DefinedTable;

static int
compare_defined(const void *a, const void *b)
{
	const DefinedTable *left = a;
	const DefinedTable *right = b;

	if (left->oid != right->oid)
		return left->oid < right->oid ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* Returns the table that a change of the set defines; else NULL. */
static const Definition *
table_at(const SchemaSet *schema, size_t index)
{
	const SchemaChange *change = schema->changes[index]->schema;

	return change->kind == SCHEMA_DEFINED &&
				   change->definition->kind == DEFINITION_TABLE
			   ? change->definition
			   : NULL;
}

static const Definition *
find_known(const DefinitionSet *known, uint32_t oid)
{
	const Definition *was = definition_set_find(known, DEFINITION_IN_CLASS,
												oid);

	return was != NULL && was->kind == DEFINITION_TABLE ? was : NULL;
}

/*
 * Fills in `before`.  A transaction may take a table out of what is published
 * and put it back: what it writes in between is not sent, and so does not
 * divide the set.
 */
static void
find_before(Walk *walk)
{
	const SchemaSet *schema = walk->schema;
	DefinedTable *defined = xcalloc(schema->count + 1, sizeof(DefinedTable));
	size_t count = 0;

	for (size_t i = 0; i < schema->count; i++)
		if (table_at(schema, i) != NULL)
			defined[count++] = (DefinedTable){
				.oid = schema->changes[i]->schema->oid, .index = i};
	qsort(defined, count, sizeof(DefinedTable), compare_defined);
	for (size_t i = 0; i < count; i++)
		walk->before[defined[i].index] = i > 0 && defined[i - 1].oid ==
													  defined[i].oid
											 ? table_at(schema,
														defined[i - 1].index)
											 : find_known(walk->known,
														  defined[i].oid);
	free(defined);
}

/* Whether the target has the rows that a table had before the set. */
static bool
had_rows(const FollowedTables *self, uint32_t oid)
{
	return table_states_only_listed(self->states) ||
		   uncopied_was_copied(self->uncopied, oid);
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
	return had_rows(self, table->oid)
			   ? publication_change_refuse(schema, table, self->placed, err)
			   : publication_change_refuse_uncopied(schema, table, self->label,
													self->placed, err);
}

/*
 * Whether a table is published since this change although the set does not add
 * it to a publication: it was moved to a published schema, or attached to a
 * published table.  Tables that were unlogged are excepted, because all their
 * rows are sent later.
 */
static bool
has_become_published(const Definition *was, const Definition *is)
{
	return was != NULL && is->table.published && !was->table.published &&
		   !is->table.unlogged && !was->table.unlogged;
}

/* Whether operations on a table are published since this change. */
static bool
is_widened(const Definition *was, const Definition *is)
{
	return was != NULL && was->table.published && is->table.published &&
		   (was->table.withheld & ~is->table.withheld) != 0;
}

/*
 * Whether a table is published from a change on, or differently, and the target
 * does not have its earlier rows.  What was published before the set and again
 * later in it lacks what the transaction has changed in between.  What older
 * versions have copied is known without the tables that were not published: a
 * table that is not known when its schema is added may have rows, too.
 */
static bool
lacks_rows(const Walk *walk, size_t index)
{
	const Definition *is = table_at(walk->schema, index);
	const Definition *was = walk->before[index];
	const Definition *known = find_known(walk->known, is->oid);

	if (has_become_published(was, is))
		return known != was || !had_rows(walk->self, is->oid);
	return known == NULL && (is_widened(was, is) ||
							 publication_change_adds_schema(
								 walk->schema, is, walk->self->publications));
}

/*
 * Returns the table that a change defines, if the target has its rows, but not
 * what operations have made of them that are published only now; else NULL.
 */
static const Definition *
find_widened(const Walk *walk, size_t index)
{
	const Definition *is = table_at(walk->schema, index);

	return is != NULL && is_widened(walk->before[index], is) &&
				   had_rows(walk->self, is->oid)
			   ? is
			   : NULL;
}

/* Whether a set has another such table of which this one is a partition. */
static bool
is_part_of_widened(const Walk *walk, const Definition *table)
{
	if (table->table.bound[0] == '\0' || table->table.parents.count == 0)
		return false;
	for (size_t i = 0; i < walk->schema->count; i++)
	{
		const Definition *other = find_widened(walk, i);

		if (other != NULL && other->oid == table->table.parents.oids[0])
			return true;
	}
	return false;
}

static bool
has_table(const Definition *const *tables, size_t count, uint32_t oid)
{
	for (size_t i = 0; i < count; i++)
		if (tables[i]->oid == oid)
			return true;
	return false;
}

/* Refuses a set since which other operations on tables are published. */
static MUST_CHECK Rc
check_operations(const Walk *walk, Error *err)
{
	const SchemaSet *schema = walk->schema;
	const Definition **tables = xcalloc(schema->count + 1,
										sizeof(const Definition *));
	size_t count = 0;
	Rc rc = RC_OK;

	for (size_t i = 0; i < schema->count; i++)
	{
		const Definition *table = find_widened(walk, i);

		if (table != NULL && is_taken(walk->self, table, schema->txn.end_lsn) &&
			!is_part_of_widened(walk, table) &&
			!has_table(tables, count, table->oid))
			tables[count++] = table;
	}
	if (count > 0)
		rc = publication_change_refuse_operations(schema, tables, count,
												  walk->self->placed, err);
	free(tables);
	return rc;
}

/*
 * Returns the table that a change defines, if rows of it are sent after the set
 * whose earlier rows the target may not have; else NULL.
 */
static const Definition *
find_lacking(const Walk *walk, size_t index)
{
	const Words *publications = walk->self->publications;
	const Definition *table = table_at(walk->schema, index);

	if (table == NULL || !table->table.published)
		return NULL;
	return publication_change_table(walk->schema,
									walk->schema->changes[index]->schema,
									publications) != NULL ||
				   lacks_rows(walk, index) ||
				   publication_change_readds_schema(walk->schema, table,
													publications)
			   ? table
			   : NULL;
}

/*
 * Whether a set has such a table of which this one is a partition: then it is
 * copied with that.
 */
static bool
is_part_of_lacking(const Walk *walk, const Definition *table)
{
	if (table->table.bound[0] == '\0' || table->table.parents.count == 0)
		return false;
	for (size_t i = 0; i < walk->schema->count; i++)
	{
		const Definition *other = find_lacking(walk, i);

		if (other != NULL && other->oid == table->table.parents.oids[0])
			return true;
	}
	return false;
}

static MUST_CHECK Rc
check_rows(const Walk *walk, Error *err)
{
	const SchemaSet *schema = walk->schema;

	for (size_t i = 0; i < schema->count; i++)
	{
		const Definition *table = find_lacking(walk, i);

		if (table != NULL && is_taken(walk->self, table, schema->txn.end_lsn) &&
			!is_part_of_lacking(walk, table))
			return check_named(walk->self, schema, table, err);
	}
	return RC_OK;
}

Rc
followed_tables_check(const FollowedTables *self, const DefinitionSet *known,
					  const SchemaSet *schema, Error *err)
{
	Walk walk = {.self = self, .known = known, .schema = schema};
	Rc rc;

	if (self->publications == NULL)
		return RC_OK;
	walk.before = xcalloc(schema->count + 1, sizeof(const Definition *));
	find_before(&walk);
	rc = check_rows(&walk, err);
	if (rc == RC_OK)
		rc = check_operations(&walk, err);
	free(walk.before);
	return rc;
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
