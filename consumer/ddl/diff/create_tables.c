/*
 * create_tables.c
 *    CREATE TABLE.
 */
#include "ddl/diff/create_tables.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/draft_sequence.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/text.h"

/* Counts the parents that have the column. */
static int
count_with_column(const Draft *draft, const OidList *parents, const char *name)
{
	int count = 0;

	for (int i = 0; i < parents->count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents->oids[i]);

		if (parent != NULL && parent->now != NULL &&
			column_named(parent->now, name) != NULL)
			count++;
	}
	return count;
}

/*
 * Whether the table has a column or check only from the last of these parents;
 * a column must not be in any other parent.
 */
static bool
needs_last(const Draft *draft, const DraftObject *table, const OidList *parents)
{
	const TableDefinition *after = &table->after->table;
	const DraftObject *last = draft_table(draft,
										  parents->oids[parents->count - 1]);

	if (last == NULL || last->now == NULL)
		return false;
	for (int i = 0; i < after->column_count; i++)
		if (!after->columns[i].local &&
			column_named(last->now, after->columns[i].name) != NULL &&
			count_with_column(draft, parents, after->columns[i].name) == 1)
			return true;
	for (int i = 0; i < after->constraint_count; i++)
		if (after->constraints[i].kind == CONSTRAINT_CHECK &&
			!after->constraints[i].local && last->after != NULL &&
			constraint_named(last->after, after->constraints[i].name) != NULL)
			return true;
	return false;
}

/*
 * Returns the parents with which the table is created: all up to the last one
 * from which it has something that it does not declare.  It inherits from the
 * rest, and is attached as a partition, later.
 */
static OidList
parents_of(const Draft *draft, const DraftObject *table)
{
	OidList parents = table->after->table.parents;

	if (table->after->table.bound[0] != '\0')
		parents.count = 0;
	while (parents.count > 1 && !needs_last(draft, table, &parents))
		parents.count--;
	return parents;
}

/* Returns the column with that name of one of the parents, or NULL. */
static const ColumnDefinition *
parents_column(const Draft *draft, const DraftObject *table, const char *name)
{
	OidList parents = parents_of(draft, table);

	for (int i = 0; i < parents.count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents.oids[i]);
		const ColumnDefinition *column = NULL;

		if (parent != NULL && parent->now != NULL)
			column = column_named(parent->now, name);
		if (column != NULL)
			return column;
	}
	return NULL;
}

/* ---- The statement ---- */

static bool
is_listed(const Draft *draft, const DraftObject *table,
		  const ColumnDefinition *column)
{
	return column->local || parents_column(draft, table, column->name) == NULL;
}

/* Whether the table has NOT NULL only from its parents. */
static bool
inherits_not_null(const Draft *draft, const DraftObject *table,
				  const ColumnDefinition *column)
{
	const ColumnDefinition *parent = parents_column(draft, table, column->name);
	const ConstraintDefinition *constraint = column_not_null_constraint(
		draft, table, column->attnum);

	return parent != NULL && parent->not_null && constraint != NULL &&
		   !constraint->local;
}

/*
 * Returns the column as CREATE TABLE lists it.  A partition that shares its
 * parent's identity is created without one.  A default that uses the sequence
 * of an identity is set later, if that sequence does not exist yet.
 */
static ColumnDefinition
listed_column(const Draft *draft, const DraftObject *table,
			  const ColumnDefinition *column)
{
	ColumnDefinition listed = *column;

	if (draft_shares_identities(draft, table))
		listed.identity = IDENTITY_COLUMN_NOT;
	if (draft_sequence_is_to_come(draft, listed.default_expression))
		listed.default_expression = "";
	if (inherits_not_null(draft, table, column))
		listed.not_null = false;
	return listed;
}

static bool
has_own_not_null(const Draft *draft, const DraftObject *table,
				 const ColumnDefinition *column)
{
	const ConstraintDefinition *constraint = column_not_null_constraint(
		draft, table, column->attnum);

	return constraint != NULL && constraint->local;
}

/*
 * Appends the NOT NULL constraint that the table declares itself on an
 * inherited column.
 */
static void
append_own_not_null(Draft *draft, const DraftObject *table,
					const ColumnDefinition *column, const char **separator,
					Buf *buf)
{
	const ConstraintDefinition *constraint = column_not_null_constraint(
		draft, table, column->attnum);

	if (constraint == NULL || !constraint->local)
		return;
	buf_printf(buf, "%sCONSTRAINT %s NOT NULL %s", *separator,
			   text_quoted(draft->arena, constraint->name),
			   text_quoted(draft->arena, column->name));
	*separator = ", ";
}

static void
append_columns(Draft *draft, const DraftObject *table, Buf *buf)
{
	const char *separator = "";

	for (int i = 0; i < table->after->table.column_count; i++)
	{
		ColumnDefinition column = listed_column(
			draft, table, &table->after->table.columns[i]);

		if (!is_listed(draft, table, &column))
		{
			append_own_not_null(draft, table, &column, &separator, buf);
			continue;
		}
		buf_printf(buf, "%s%s", separator, column_text(draft, table, &column));
		separator = ", ";
	}
}

static void
append_parents(Draft *draft, const DraftObject *table, Buf *buf)
{
	OidList parents = parents_of(draft, table);
	const char *separator = " INHERITS (";

	for (int i = 0; i < parents.count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents.oids[i]);

		if (parent == NULL)
			continue;
		buf_printf(buf, "%s%s", separator, draft_name(draft, parent));
		separator = ", ";
	}
	if (separator[0] == ',')
		buf_append_char(buf, ')');
}

static const char *
statement_text(Draft *draft, const DraftObject *table)
{
	static const StringList none = {.count = 0};
	const TableDefinition *after = &table->after->table;
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	buf_printf(&buf, "CREATE %sTABLE %s (", after->unlogged ? "UNLOGGED " : "",
			   draft_name(draft, table));
	append_columns(draft, table, &buf);
	buf_append_char(&buf, ')');
	append_parents(draft, table, &buf);
	if (after->partition_key[0] != '\0')
		buf_printf(&buf, " PARTITION BY %s", after->partition_key);
	if (after->access_method[0] != '\0')
		buf_printf(&buf, " USING %s",
				   text_quoted(draft->arena, after->access_method));
	if (after->options.count > 0)
		buf_printf(&buf, " WITH (%s)",
				   text_options_set(draft->arena, &after->options, &none));
	return text_taken(draft->arena, &buf);
}

/* ---- What is there then ---- */

static void
set_column(const Draft *draft, const DraftObject *table,
		   ColumnDefinition *column)
{
	const ColumnDefinition *parent = parents_column(draft, table, column->name);
	bool listed = is_listed(draft, table, column);

	column->storage = parent != NULL ? parent->storage : "";
	column->compression = parent != NULL ? parent->compression : "";
	column->statistics = -1;
	column->options = (StringList){.count = 0};
	column->local = listed;
	column->inherited = parent != NULL ? 1 : 0;
	column->not_null = column->not_null || (parent != NULL && parent->not_null);
	if (listed || parent == NULL)
		return;
	column->default_expression = parent->default_expression;
	column->generated = parent->generated;
	column->not_null = parent->not_null ||
					   has_own_not_null(draft, table, column);
	column->identity = IDENTITY_COLUMN_NOT;
}

/* Updates the draft: the table inherits checks of its parents. */
static void
inherit_checks(Draft *draft, DraftObject *table)
{
	OidList parents = parents_of(draft, table);

	for (int i = 0; i < parents.count; i++)
	{
		const DraftObject *parent = draft_table(draft, parents.oids[i]);

		for (int k = 0; parent != NULL && parent->now != NULL &&
						k < parent->now->table.constraint_count;
			 k++)
			draft_inherit_check(draft, table,
								&parent->now->table.constraints[k]);
	}
}

static void
create_table(Draft *draft, DraftObject *table)
{
	Definition now = *table->after;
	TableDefinition *created = &now.table;

	draft_say(draft, table, DDL_CREATE, "%s", statement_text(draft, table));
	created->replica_identity = IDENTITY_DEFAULT;
	created->parents = parents_of(draft, table);
	created->bound = "";
	created->of_type = "";
	created->row_security = false;
	created->force_row_security = false;
	created->constraint_count = 0;
	created->index_count = 0;
	draft_create(draft, table, &now);
	for (int i = 0; i < table->own->table.column_count; i++)
	{
		ColumnDefinition *column = &table->own->table.columns[i];

		*column = listed_column(draft, table, column);
		set_column(draft, table, column);
	}
	inherit_checks(draft, table);
}

void
diff_create_tables(Draft *draft)
{
	for (int i = 0; i < draft->changed_count; i++)
		if (draft_comes(draft->changed[i], DEFINITION_TABLE))
			create_table(draft, draft->changed[i]);
}
