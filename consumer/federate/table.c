/*
 * table.c
 *    Makes tables of the coordinator from tables of the source.
 *
 * A foreign table cannot be moved to another server, and a table cannot be
 * partitioned by another key.  In these cases the table is dropped and
 * re-created.  If only the nodes of a partitioned table have changed, only its
 * partitions are re-created, so objects that depend on the table stay.  Nothing
 * is dropped with CASCADE: if an object depends on one that has to be dropped,
 * the coordinator rejects the whole script.
 */
#include "federate/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "federate/existing.h"
#include "model/identifier.h"
#include "net/sql.h"

/*
 * A relation that the coordinator should have, and the relation that it has
 * under that name.
 */
typedef struct Wanted
{
	const TablePlan *plan;
	const PlacedTable *placed;
	const CopyTable *table;
	ColumnRange range;
	ExistingTable existing;
} Wanted;

/* ---- names -------------------------------------------------------------- */

/*
 * Composes the name of the partition with a remainder: the table's name and the
 * remainder.  A name that would be too long is cut, and gets a hash of it in
 * between, since tables may differ only in what is cut off.
 */
static void
part_name(char name[static IDENTIFIER_SIZE], const CopyTable *table,
		  int remainder)
{
	char number[32];
	int room;

	snprintf(number, sizeof(number), "_%d", remainder);
	room = IDENTIFIER_SIZE - 1 - (int) strlen(number);
	if ((int) strlen(table->name) > room)
	{
		snprintf(number, sizeof(number), "_%08" PRIx32 "_%d",
				 (uint32_t) hash_text(HASH_START, table->name), remainder);
		room = IDENTIFIER_SIZE - 1 - (int) strlen(number);

		/* The name is not cut within a UTF-8 character. */
		while (((unsigned char) table->name[room] & 0xC0) == 0x80)
			room--;
	}
	snprintf(name, IDENTIFIER_SIZE, "%.*s%s", room, table->name, number);
}

static void
append_part_name(Buf *sql, const CopyTable *table, int remainder)
{
	char name[IDENTIFIER_SIZE];

	part_name(name, table, remainder);
	sql_append_qualified(sql, table->schema, name);
}

static void
note_handled(FederateScript *script, const char *schema, const char *name)
{
	buf_append_string(&script->handled, ", (");
	buf_append_literal(&script->handled, schema);
	buf_append_string(&script->handled, ", ");
	buf_append_literal(&script->handled, name);
	buf_append_string(&script->handled, ")");
}

/* Records a foreign table that reads from a node. */
static void
note_table(FederateScript *script, int node, const char *schema,
		   const char *name)
{
	Buf qualified;

	ASSERT(node >= 0 && script->servers[node] != NULL);
	note_handled(script, schema, name);
	if (script->tables[node] != NULL)
		return;
	buf_init(&qualified, BUF_TEXT_MAX);
	sql_append_qualified(&qualified, schema, name);
	script->tables[node] = arena_strdup(script->arena, qualified.data);
	buf_release(&qualified);
}

/* ---- what is there ------------------------------------------------------ */

static MUST_CHECK Rc
read_existing(Wanted *wanted, const char *name, Error *err)
{
	const FederateOptions *options = wanted->plan->options;
	const PlacementRule *rule = wanted->placed->rule;
	Buf key;
	Rc rc;

	if (options->coordinator == NULL)
		return RC_OK;
	buf_init(&key, BUF_TEXT_MAX);
	buf_append_string(&key, "'HASH ('");
	for (int i = 0; rule->kind == PLACEMENT_HASH && i < rule->column_count; i++)
	{
		buf_append_string(&key, i > 0 ? " || ', ' || quote_ident("
									  : " || quote_ident(");
		buf_append_literal(&key, rule->columns[i]);
		buf_append_string(&key, ")");
	}
	buf_append_string(&key, " || ')'");
	rc = existing_table_read(&wanted->existing, options->coordinator,
							 wanted->table->schema, name, wanted->table->name,
							 wanted->plan->is_ours, key.data, err);
	buf_release(&key);
	return rc;
}

static ColumnRange
existing_range(const ExistingTable *existing)
{
	return (ColumnRange){.end = PQntuples(existing->columns)};
}

static MUST_CHECK Rc
refuse(const Wanted *wanted, const char *name, Error *err)
{
	Buf qualified;
	Rc rc;

	buf_init(&qualified, BUF_TEXT_MAX);
	sql_append_qualified(&qualified, wanted->table->schema, name);
	rc = error_set(err, ERR_CONFIG,
				   "%s is on the coordinator already, and not a table of "
				   "pipeline \"%s\"",
				   qualified.data, wanted->plan->options->pipeline);
	if (wanted->existing.kind == 'f')
		error_hint(err, "If it is a node's part of another table, rename one "
						"of the two tables; otherwise rename or drop it there, "
						"or use another database as the coordinator.");
	else
		error_hint(err, "Rename or drop it there, or use another database as "
						"the coordinator.");
	buf_release(&qualified);
	return rc;
}

static const char *
drop_command(char kind)
{
	switch (kind)
	{
		case 'f':
			return "DROP FOREIGN TABLE";
		case 'v':
			return "DROP VIEW";
		default:
			return "DROP TABLE";
	}
}

static void
drop_part(FederateScript *script, const PGresult *parts, int row)
{
	const char *schema = PQgetvalue(parts, row, EXISTING_PART_SCHEMA);
	const char *name = PQgetvalue(parts, row, EXISTING_PART_NAME);

	buf_append_string(&script->statements, "DROP FOREIGN TABLE ");
	sql_append_qualified(&script->statements, schema, name);
	buf_append_string(&script->statements, ";\n");
	note_handled(script, schema, name);
}

/*
 * Drops an existing relation of any kind, with its partitions or the foreign
 * tables that it reads.
 */
static void
drop_existing(Wanted *wanted, const char *name)
{
	FederateScript *script = wanted->plan->script;
	ExistingTable *existing = &wanted->existing;

	buf_printf(&script->statements, "%s ", drop_command(existing->kind));
	sql_append_qualified(&script->statements, wanted->table->schema, name);
	buf_append_string(&script->statements, ";\n");
	for (int i = 0; i < PQntuples(existing->parts); i++)
		if (existing->kind == 'v')
			drop_part(script, existing->parts, i);
		else
			note_handled(script,
						 PQgetvalue(existing->parts, i, EXISTING_PART_SCHEMA),
						 PQgetvalue(existing->parts, i, EXISTING_PART_NAME));
	federate_note(script,
				  "dropped and made anew \"%s\".\"%s\", which is placed in "
				  "another way: privileges on it have to be granted again",
				  wanted->table->schema, name);
	existing->kind = 0;
}

/* ---- columns ------------------------------------------------------------ */

static void
append_action(Buf *actions, const char *verb, const char *column)
{
	buf_printf(actions, "%s%s ", actions->length > 0 ? ", " : "", verb);
	buf_append_identifier(actions, column);
}

/* Appends the actions of ALTER TABLE for a column that the coordinator has. */
static void
append_column_change(Buf *actions, const PGresult *columns, int row,
					 const PGresult *old, int old_row)
{
	const char *name = PQgetvalue(columns, row, COLUMNS_NAME);
	const char *type = PQgetvalue(columns, row, COLUMNS_TYPE);
	bool not_null = sql_bool(columns, row, COLUMNS_NOT_NULL);

	if (strcmp(type, PQgetvalue(old, old_row, COLUMNS_TYPE)) != 0)
	{
		append_action(actions, "ALTER", name);
		buf_printf(actions, " TYPE %s", type);
	}
	if (not_null == sql_bool(old, old_row, COLUMNS_NOT_NULL))
		return;
	append_action(actions, "ALTER", name);
	buf_append_string(actions, not_null ? " SET NOT NULL" : " DROP NOT NULL");
}

static void
append_column_changes(Buf *actions, const Wanted *wanted)
{
	const PGresult *columns = wanted->plan->columns;
	const PGresult *old = wanted->existing.columns;
	ColumnRange old_range = existing_range(&wanted->existing);

	for (int row = wanted->range.first; row < wanted->range.end; row++)
	{
		int old_row = columns_find(old, old_range,
								   PQgetvalue(columns, row, COLUMNS_NAME));

		if (old_row >= 0)
		{
			append_column_change(actions, columns, row, old, old_row);
			continue;
		}
		buf_append_string(actions, actions->length > 0 ? ", ADD " : "ADD ");
		columns_append(actions, columns, row);
	}
	for (int row = 0; row < old_range.end; row++)
		if (columns_find(columns, wanted->range,
						 PQgetvalue(old, row, COLUMNS_NAME)) < 0)
			append_action(actions, "DROP", PQgetvalue(old, row, COLUMNS_NAME));
}

/*
 * Alters a table of the coordinator so that it has the columns of the source's.
 */
static void
alter_columns(const Wanted *wanted, const char *name)
{
	FederateScript *script = wanted->plan->script;
	Buf actions;

	buf_init(&actions, BUF_TEXT_MAX);
	append_column_changes(&actions, wanted);
	if (actions.length > 0)
	{
		buf_append_string(&script->statements, "ALTER TABLE ");
		sql_append_qualified(&script->statements, wanted->table->schema, name);
		buf_printf(&script->statements, " %s;\n", actions.data);
		federate_note(script, "altered columns of \"%s\".\"%s\"",
					  wanted->table->schema, name);
	}
	buf_release(&actions);
}

/*
 * Whether a column of the partition key has another type now, which ALTER TABLE
 * cannot change.
 */
static bool
key_is_altered(const Wanted *wanted)
{
	const PlacementRule *rule = wanted->placed->rule;
	const PGresult *columns = wanted->plan->columns;
	const PGresult *old = wanted->existing.columns;

	for (int i = 0; i < rule->column_count; i++)
	{
		int row = columns_find(columns, wanted->range, rule->columns[i]);
		int old_row = columns_find(old, existing_range(&wanted->existing),
								   rule->columns[i]);

		if (row < 0 || old_row < 0 ||
			strcmp(PQgetvalue(columns, row, COLUMNS_TYPE),
				   PQgetvalue(old, old_row, COLUMNS_TYPE)) != 0)
			return true;
	}
	return false;
}

/* ---- foreign tables ----------------------------------------------------- */

static void
append_server_options(Buf *sql, const char *server, const CopyTable *table)
{
	buf_append_string(sql, " SERVER ");
	buf_append_identifier(sql, server);
	buf_append_string(sql, " OPTIONS (schema_name ");
	buf_append_literal(sql, table->schema);
	buf_append_string(sql, ", table_name ");
	buf_append_literal(sql, table->name);
	buf_append_string(sql, ");\n");
}

static void
create_foreign(const Wanted *wanted, const char *name, int node)
{
	FederateScript *script = wanted->plan->script;
	Buf *sql = &script->statements;

	buf_append_string(sql, "CREATE FOREIGN TABLE ");
	sql_append_qualified(sql, wanted->table->schema, name);
	buf_append_string(sql, " (");
	columns_append_list(sql, wanted->plan->columns, wanted->range);
	buf_append_string(sql, ")");
	append_server_options(sql, script->servers[node], wanted->table);
}

static MUST_CHECK Rc
append_foreign(Wanted *wanted, const char *name, int node, Error *err)
{
	FederateScript *script = wanted->plan->script;
	ExistingTable *existing = &wanted->existing;

	if (existing->kind != 0 && !existing->is_ours)
		return refuse(wanted, name, err);
	if (existing->kind != 0 &&
		(existing->kind != 'f' ||
		 strcmp(PQgetvalue(existing->self, 0, EXISTING_PART_SERVER),
				script->servers[node]) != 0))
		drop_existing(wanted, name);
	if (existing->kind == 0)
		create_foreign(wanted, name, node);
	else
		alter_columns(wanted, name);
	note_table(script, node, wanted->table->schema, name);
	return RC_OK;
}

/* ---- spread by hash ----------------------------------------------------- */

static void
create_parts(const Wanted *wanted)
{
	const TablePlan *plan = wanted->plan;
	Buf *sql = &plan->script->statements;

	for (int i = 0; i < plan->options->hash_node_count; i++)
	{
		buf_append_string(sql, "CREATE FOREIGN TABLE ");
		append_part_name(sql, wanted->table, i);
		buf_printf(sql,
				   " PARTITION OF %s FOR VALUES WITH (MODULUS %d, REMAINDER "
				   "%d)",
				   wanted->table->qualified, plan->options->hash_node_count, i);
		append_server_options(sql, plan->script->servers[i], wanted->table);
	}
}

static void
create_spread(const Wanted *wanted)
{
	const PlacementRule *rule = wanted->placed->rule;
	Buf *sql = &wanted->plan->script->statements;

	buf_printf(sql, "CREATE TABLE %s (", wanted->table->qualified);
	columns_append_list(sql, wanted->plan->columns, wanted->range);
	buf_append_string(sql, ") PARTITION BY HASH (");
	for (int i = 0; i < rule->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_identifier(sql, rule->columns[i]);
	}
	buf_append_string(sql, ");\n");
	create_parts(wanted);
}

/*
 * Whether a row of existing.parts is the table's part for a remainder, with the
 * right server and bound.
 */
static bool
is_part(const Wanted *wanted, int row, int remainder, const char *bound)
{
	const PGresult *parts = wanted->existing.parts;
	char name[IDENTIFIER_SIZE];

	part_name(name, wanted->table, remainder);
	return strcmp(PQgetvalue(parts, row, EXISTING_PART_SCHEMA),
				  wanted->table->schema) == 0 &&
		   strcmp(PQgetvalue(parts, row, EXISTING_PART_NAME), name) == 0 &&
		   strcmp(PQgetvalue(parts, row, EXISTING_PART_SERVER),
				  wanted->plan->script->servers[remainder]) == 0 &&
		   strcmp(PQgetvalue(parts, row, EXISTING_PART_BOUND), bound) == 0;
}

/*
 * Whether a row of existing.parts is one of the `count` parts that the table
 * should have.
 */
static bool
is_wanted_part(const Wanted *wanted, int row, int count, bool has_bound)
{
	char bound[64] = "";

	for (int i = 0; i < count; i++)
	{
		if (has_bound)
			snprintf(bound, sizeof(bound),
					 "FOR VALUES WITH (modulus %d, remainder %d)", count, i);
		if (is_part(wanted, row, i, bound))
			return true;
	}
	return false;
}

/*
 * Whether existing.parts are exactly the `count` parts that the table should
 * have.
 */
static bool
parts_are_right(const Wanted *wanted, int count, bool has_bound)
{
	for (int row = 0; row < PQntuples(wanted->existing.parts); row++)
		if (!is_wanted_part(wanted, row, count, has_bound))
			return false;
	return PQntuples(wanted->existing.parts) == count;
}

static void
renew_parts(Wanted *wanted)
{
	FederateScript *script = wanted->plan->script;

	for (int row = 0; row < PQntuples(wanted->existing.parts); row++)
		drop_part(script, wanted->existing.parts, row);
	create_parts(wanted);
	federate_note(script, "made the partitions of %s anew",
				  wanted->table->qualified);
}

static MUST_CHECK Rc
append_spread(Wanted *wanted, Error *err)
{
	const TablePlan *plan = wanted->plan;
	const CopyTable *table = wanted->table;
	ExistingTable *existing = &wanted->existing;

	if (existing->kind != 0 && !existing->is_ours)
		return refuse(wanted, table->name, err);
	if (existing->kind != 0 && (existing->kind != 'p' || !existing->same_key ||
								key_is_altered(wanted)))
		drop_existing(wanted, table->name);
	if (existing->kind == 0)
		create_spread(wanted);
	else
	{
		alter_columns(wanted, table->name);
		if (!parts_are_right(wanted, plan->options->hash_node_count, true))
			renew_parts(wanted);
	}
	note_handled(plan->script, table->schema, table->name);
	for (int i = 0; i < plan->options->hash_node_count; i++)
	{
		char name[IDENTIFIER_SIZE];

		part_name(name, table, i);
		note_table(plan->script, i, table->schema, name);
	}
	return RC_OK;
}

/* ---- listed in a directory ---------------------------------------------- */

/*
 * Appends a SELECT of one part.  It names the columns, because a part has them
 * in the order in which they were added.
 */
static void
append_select(Buf *sql, const Wanted *wanted, int node)
{
	const PGresult *columns = wanted->plan->columns;

	buf_append_string(sql, "SELECT ");
	for (int row = wanted->range.first; row < wanted->range.end; row++)
	{
		buf_append_string(sql, row > wanted->range.first ? ", " : "");
		buf_append_identifier(sql, PQgetvalue(columns, row, COLUMNS_NAME));
	}
	buf_append_string(sql, " FROM ");
	append_part_name(sql, wanted->table, node);
}

/*
 * Appends CREATE VIEW for a table that is placed by a directory.  A list of
 * keys cannot be a partition bound, so the view reads from all nodes.
 */
static void
create_view(const Wanted *wanted, bool replace)
{
	Buf *sql = &wanted->plan->script->statements;

	buf_printf(sql, "CREATE %sVIEW %s AS ", replace ? "OR REPLACE " : "",
			   wanted->table->qualified);
	for (int i = 0; i < wanted->plan->options->node_count; i++)
	{
		buf_append_string(sql, i > 0 ? " UNION ALL " : "");
		append_select(sql, wanted, i);
	}
	buf_append_string(sql, ";\n");
}

/*
 * Returns the number of columns of the existing view if they are the first
 * columns of the table as it should be; otherwise -1.
 */
static int
columns_in_common(const Wanted *wanted)
{
	const PGresult *columns = wanted->plan->columns;
	const PGresult *old = wanted->existing.columns;
	int count = PQntuples(old);

	if (count > wanted->range.end - wanted->range.first)
		return -1;
	for (int i = 0; i < count; i++)
	{
		int row = wanted->range.first + i;

		if (strcmp(PQgetvalue(columns, row, COLUMNS_NAME),
				   PQgetvalue(old, i, COLUMNS_NAME)) != 0 ||
			strcmp(PQgetvalue(columns, row, COLUMNS_TYPE),
				   PQgetvalue(old, i, COLUMNS_TYPE)) != 0)
			return -1;
	}
	return count;
}

/*
 * Appends statements for one of the foreign tables that a view reads.
 * `is_gone`: the existing one was dropped together with its parent.
 */
static MUST_CHECK Rc
append_listed_part(const Wanted *whole, int node, bool is_gone, Error *err)
{
	Wanted part = *whole;
	char name[IDENTIFIER_SIZE];
	Rc rc = RC_OK;

	part.existing = (ExistingTable){0};
	part_name(name, whole->table, node);
	if (!is_gone)
		rc = read_existing(&part, name, err);
	if (rc == RC_OK)
		rc = append_foreign(&part, name, node, err);
	existing_table_release(&part.existing);
	return rc;
}

static void
drop_unwanted_parts(const Wanted *wanted)
{
	const TablePlan *plan = wanted->plan;

	for (int row = 0; row < PQntuples(wanted->existing.parts); row++)
		if (!is_wanted_part(wanted, row, plan->options->node_count, false))
			drop_part(plan->script, wanted->existing.parts, row);
}

static void
drop_view(const Wanted *wanted)
{
	FederateScript *script = wanted->plan->script;

	buf_printf(&script->statements, "DROP VIEW %s;\n",
			   wanted->table->qualified);
	federate_note(script,
				  "dropped and made anew %s: privileges on it have to be "
				  "granted again",
				  wanted->table->qualified);
}

/*
 * Appends statements for a table that is placed by a directory: a view and its
 * foreign tables.  A view depends on its tables and their column types, so it
 * is dropped before they are altered, unless columns are only added.
 */
static MUST_CHECK Rc
append_listed(Wanted *wanted, Error *err)
{
	const TablePlan *plan = wanted->plan;
	const CopyTable *table = wanted->table;
	const ExistingTable *existing = &wanted->existing;
	int node_count = plan->options->node_count;
	bool was_there = existing->kind == 'v';
	bool is_gone = false; /* whether dropping the existing relation has dropped
						   * its parts */
	bool same_parts = parts_are_right(wanted, node_count, false);
	int common;
	Rc rc = RC_OK;

	if (existing->kind != 0 && !existing->is_ours)
		return refuse(wanted, table->name, err);
	if (existing->kind != 0 && !was_there)
	{
		is_gone = existing->kind == 'p';
		drop_existing(wanted, table->name);
	}
	common = was_there ? columns_in_common(wanted) : -1;
	if (was_there && (common < 0 || !same_parts))
		drop_view(wanted);
	for (int i = 0; i < node_count && rc == RC_OK; i++)
		rc = append_listed_part(wanted, i, is_gone, err);
	if (rc != RC_OK)
		return rc;
	if (!was_there || common < 0 || !same_parts)
		create_view(wanted, false);
	else if (common < wanted->range.end - wanted->range.first)
		create_view(wanted, true);
	if (was_there)
		drop_unwanted_parts(wanted);
	note_handled(plan->script, table->schema, table->name);
	return RC_OK;
}

/* ---- the whole ---------------------------------------------------------- */

static MUST_CHECK Rc
append_placed(Wanted *wanted, Error *err)
{
	const PlacementRule *rule = wanted->placed->rule;

	switch (rule->kind)
	{
		case PLACEMENT_HASH:
			return append_spread(wanted, err);
		case PLACEMENT_DIRECTORY:
			return append_listed(wanted, err);
		case PLACEMENT_ALL:
			return append_foreign(wanted, wanted->table->name, 0, err);
		case PLACEMENT_ONLY:
			return append_foreign(wanted, wanted->table->name, rule->target,
								  err);
		case PLACEMENT_NONE:
			break;
	}
	return RC_OK;
}

Rc
table_append(const TablePlan *plan, const PlacedTable *placed,
			 ColumnRange range, Error *err)
{
	Wanted wanted = {
		.plan = plan,
		.placed = placed,
		.table = placed->table,
		.range = range,
	};
	Rc rc;

	if (placed->rule->kind == PLACEMENT_NONE)
		return RC_OK;
	plan->script->tables_placed++;
	rc = read_existing(&wanted, placed->table->name, err);
	plan->script->tables_made += wanted.existing.kind == 0;
	if (rc == RC_OK)
		rc = append_placed(&wanted, err);
	existing_table_release(&wanted.existing);
	return rc;
}
