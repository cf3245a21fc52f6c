/*
 * script.c
 *    Composes the statements in an order in which they can be run.
 *
 * Enums and extensions are created if they are needed.  Other types have to be
 * created by hand, and a comment in the script says so.
 */
#include "federate/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "federate/columns.h"
#include "federate/existing.h"
#include "federate/server.h"
#include "federate/table.h"
#include "net/sql.h"

/* ---- what the source says ----------------------------------------------- */

/*
 * SQL expression for a type's OID: for an array type the OID of its element
 * type.
 */
#define ELEMENT_SQL                                                            \
	"CASE WHEN y.typlen = -1 AND y.typelem <> 0 AND y.typcategory = 'A'"       \
	" THEN y.typelem ELSE y.oid END"

/*
 * Query for the types that the columns need: statements in the order in which
 * they have to be run, the names of their objects, and for an enum its labels.
 * See TypeField for the columns.
 */
static const char types_sql[] =
	", used AS (SELECT DISTINCT " ELEMENT_SQL " AS oid"
	"  FROM columns JOIN pg_type y ON y.oid = base),"
	" named AS (SELECT y.*, n.nspname, d.refobjid AS extension"
	"  FROM used u JOIN pg_type y ON y.oid = u.oid"
	"  JOIN pg_namespace n ON n.oid = y.typnamespace"
	"   AND n.nspname <> 'pg_catalog'"
	"  LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass"
	"   AND d.objid = y.oid AND d.deptype = 'e')"
	" SELECT 1, format('CREATE SCHEMA IF NOT EXISTS %I;', nspname),"
	"  nspname, NULL, NULL FROM named"
	" UNION SELECT 2, format("
	"  'CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I;', x.extname, s.nspname),"
	"  s.nspname, x.extname, NULL"
	"  FROM named JOIN pg_extension x ON x.oid = extension"
	"  JOIN pg_namespace s ON s.oid = x.extnamespace"
	" UNION SELECT 3, format('CREATE TYPE %I.%I AS ENUM (%s);',"
	"  nspname, typname, labels), nspname, typname, labels"
	"  FROM named, LATERAL (SELECT string_agg(quote_literal(e.enumlabel), ', '"
	"   ORDER BY e.enumsortorder) AS labels FROM pg_enum e"
	"   WHERE e.enumtypid = named.oid) l"
	"  WHERE typtype = 'e' AND extension IS NULL"
	" UNION SELECT 4, format("
	"  '-- Type %I.%I has to be there: make it first.', nspname, typname),"
	"  nspname, typname, NULL"
	"  FROM named WHERE typtype <> 'e' AND extension IS NULL"
	" ORDER BY 1, 2";

typedef enum TypeField
{
	TYPE_STEP,
	TYPE_STATEMENT,
	TYPE_SCHEMA,
	TYPE_NAME,
	TYPE_LABELS,
} TypeField;

/* Values of TYPE_STEP. */
typedef enum TypeStep
{
	TYPE_STEP_SCHEMA = 1,
	TYPE_STEP_EXTENSION,
	TYPE_STEP_ENUM,
	TYPE_STEP_OTHER,
} TypeStep;

/*
 * Query for the columns whose hash differs between servers, because it is
 * computed from an OID.
 */
static const char bad_keys_sql[] =
	" SELECT place, attname, format_type(base, base_typmod)"
	" FROM columns JOIN pg_type y ON y.oid = base"
	" JOIN pg_type t ON t.oid = " ELEMENT_SQL
	" WHERE t.typtype = 'e' OR t.typname LIKE 'reg%'"
	"  AND t.typnamespace = 'pg_catalog'::regnamespace";

/* ---- what cannot be ----------------------------------------------------- */

static bool
is_hashed_by(const PlacementRule *rule, const char *column)
{
	if (rule->kind != PLACEMENT_HASH)
		return false;
	for (int i = 0; i < rule->column_count; i++)
		if (strcmp(rule->columns[i], column) == 0)
			return true;
	return false;
}

/*
 * Refuses tables that are placed by such a column: the coordinator's planner
 * would look for the rows of a key on the wrong node.
 */
static MUST_CHECK Rc
check_keys(const FederateOptions *options, const char *oids, Error *err)
{
	PGresult *result = NULL;
	Rc rc = columns_ask(&result, options->source, oids, bad_keys_sql, err);

	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
	{
		int place = (int) strtol(PQgetvalue(result, row, 0), NULL, 10);
		const PlacedTable *table = &options->placed->tables[place];
		const char *column = PQgetvalue(result, row, 1);

		if (!is_hashed_by(table->rule, column))
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "table %s cannot be one on a coordinator: it is spread "
					   "by column \"%s\"",
					   table->table->qualified, column);
		error_detail(err,
					 "The hash of type %s is another one on every server, so "
					 "a coordinator would look on the wrong node.",
					 PQgetvalue(result, row, 2));
		error_hint(err, "Spread it by another column.");
	}
	PQclear(result);
	return rc;
}

/* ---- schemas and types -------------------------------------------------- */

/*
 * Whether the coordinator has an object: whether the query `sql` returns a row
 * for $1 = schema and $2 = name.  False if no coordinator was given.
 */
static MUST_CHECK Rc
is_there(const FederateOptions *options, const char *sql, const char *schema,
		 const char *name, bool *exists, Error *err)
{
	const char *const params[] = {schema, name};
	PGresult *result = NULL;
	Rc rc;

	*exists = false;
	if (options->coordinator == NULL)
		return RC_OK;
	rc = pgconn_exec_params(options->coordinator, sql, LENGTH_OF(params),
							params, &result, err);
	*exists = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

static const char has_schema_sql[] =
	"SELECT FROM pg_namespace WHERE nspname = $1 AND $2::text IS NULL";
static const char has_extension_sql[] =
	"SELECT FROM pg_extension WHERE extname = $2 AND $1::text IS NOT NULL";
static const char has_type_sql[] =
	"SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace"
	" WHERE nspname = $1 AND typname = $2";

static MUST_CHECK Rc
append_schema(FederateScript *script, const FederateOptions *options,
			  const char *schema, Error *err)
{
	bool exists = false;
	Rc rc = is_there(options, has_schema_sql, schema, NULL, &exists, err);

	if (exists || rc != RC_OK)
		return rc;
	buf_append_string(&script->statements, "CREATE SCHEMA IF NOT EXISTS ");
	buf_append_identifier(&script->statements, schema);
	buf_append_string(&script->statements, ";\n");
	return RC_OK;
}

static MUST_CHECK Rc
append_schemas(FederateScript *script, const FederateOptions *options,
			   Error *err)
{
	const Placed *placed = options->placed;
	const char *before = "";
	Rc rc = RC_OK;

	for (int i = 0; i < placed->table_count && rc == RC_OK; i++)
	{
		const char *schema = placed->tables[i].table->schema;

		if (placed->tables[i].rule->kind == PLACEMENT_NONE ||
			strcmp(schema, before) == 0)
			continue;
		rc = append_schema(script, options, schema, err);
		before = schema;
	}
	return rc;
}

/*
 * Appends ALTER TYPE … ADD VALUE for the labels that an enum of the coordinator
 * lacks, each after the label before it.  *exists tells whether the enum
 * exists.
 */
static MUST_CHECK Rc
alter_enum(FederateScript *script, PgConn *coordinator, const PGresult *types,
		   int row, bool *exists, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql,
		"SELECT CASE WHEN label IS NOT NULL THEN format("
		"'ALTER TYPE %I.%I ADD VALUE %L %s;', nspname, typname, label,"
		" coalesce('AFTER ' || quote_literal(previous),"
		"  'BEFORE ' || quote_literal((SELECT e.enumlabel FROM pg_enum e"
		"   WHERE e.enumtypid = t.oid ORDER BY enumsortorder LIMIT 1)),"
		"  '')) END"
		" FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace"
		" LEFT JOIN (SELECT label, place, lag(label) OVER (ORDER BY place)"
		"  AS previous FROM unnest(ARRAY[");
	buf_append_string(&sql, PQgetvalue(types, row, TYPE_LABELS));
	buf_append_string(&sql,
					  "]::text[]) WITH ORDINALITY w (label, place)) l"
					  " ON NOT EXISTS (SELECT FROM pg_enum e"
					  "  WHERE e.enumtypid = t.oid AND e.enumlabel = l.label)"
					  " WHERE n.nspname = ");
	buf_append_literal(&sql, PQgetvalue(types, row, TYPE_SCHEMA));
	buf_append_string(&sql, " AND t.typname = ");
	buf_append_literal(&sql, PQgetvalue(types, row, TYPE_NAME));
	buf_append_string(&sql, " ORDER BY place");
	rc = sql_run(coordinator, &sql, &result, err);
	*exists = rc == RC_OK && PQntuples(result) > 0;
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		if (PQgetisnull(result, i, 0))
			continue;
		buf_printf(&script->statements, "%s\n", PQgetvalue(result, i, 0));
		federate_note(script, "added a label to type \"%s\".\"%s\"",
					  PQgetvalue(types, row, TYPE_SCHEMA),
					  PQgetvalue(types, row, TYPE_NAME));
	}
	PQclear(result);
	return rc;
}

/*
 * Appends the statement for a type, unless the coordinator has the type
 * already.
 */
static MUST_CHECK Rc
append_type(FederateScript *script, const FederateOptions *options,
			const PGresult *types, int row, Error *err)
{
	const char *schema = PQgetvalue(types, row, TYPE_SCHEMA);
	const char *name = PQgetvalue(types, row, TYPE_NAME);
	bool exists = false;
	Rc rc = RC_OK;

	switch ((TypeStep) strtol(PQgetvalue(types, row, TYPE_STEP), NULL, 10))
	{
		case TYPE_STEP_SCHEMA:
			return append_schema(script, options, schema, err);
		case TYPE_STEP_EXTENSION:
			rc = is_there(options, has_extension_sql, schema, name, &exists,
						  err);
			break;
		case TYPE_STEP_ENUM:
			if (options->coordinator != NULL)
				rc = alter_enum(script, options->coordinator, types, row,
								&exists, err);
			break;
		case TYPE_STEP_OTHER:
			rc = is_there(options, has_type_sql, schema, name, &exists, err);
			break;
	}
	if (rc == RC_OK && !exists)
		buf_printf(&script->statements, "%s\n",
				   PQgetvalue(types, row, TYPE_STATEMENT));
	return rc;
}

static MUST_CHECK Rc
append_types(FederateScript *script, const FederateOptions *options,
			 const char *oids, Error *err)
{
	PGresult *result = NULL;
	Rc rc = columns_ask(&result, options->source, oids, types_sql, err);

	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
		rc = append_type(script, options, result, row, err);
	PQclear(result);
	return rc;
}

/* ---- tables ------------------------------------------------------------- */

static MUST_CHECK Rc
append_all_tables(const TablePlan *plan, Error *err)
{
	const Placed *placed = plan->options->placed;
	ColumnRange range = {0};
	Rc rc = RC_OK;

	for (int i = 0; i < placed->table_count && rc == RC_OK; i++)
	{
		range.first = range.end;
		while (range.end < PQntuples(plan->columns) &&
			   strtol(PQgetvalue(plan->columns, range.end, COLUMNS_PLACE), NULL,
					  10) == i)
			range.end++;
		rc = table_append(plan, &placed->tables[i], range, err);
	}
	/* All columns were those of a table, in the order of the tables. */
	ASSERT(rc != RC_OK || range.end == PQntuples(plan->columns));
	return rc;
}

/*
 * Notes the foreign tables of the pipeline's servers that the script has not
 * handled: they are not in the pipeline any more, or never were.
 */
static MUST_CHECK Rc
note_other_tables(FederateScript *script, const FederateOptions *options,
				  const char *is_ours, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, FEDERATE_BYTES_MAX);
	buf_append_string(
		&sql, "SELECT format('%I.%I', n.nspname, c.relname), s.srvname"
			  " FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid"
			  " JOIN pg_namespace n ON n.oid = c.relnamespace"
			  " JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE ");
	buf_append_string(&sql, is_ours);
	buf_append_string(&sql, " AND (n.nspname, c.relname) NOT IN (");
	buf_append_string(&sql, script->handled.data);
	buf_append_string(&sql, ") ORDER BY 1");
	rc = sql_run(options->coordinator, &sql, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
		federate_note(script,
					  "kept table %s of server \"%s\", which the pipeline does "
					  "not place",
					  PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
append_tables(FederateScript *script, const FederateOptions *options,
			  const char *oids, Error *err)
{
	PGresult *columns = NULL;
	Buf is_ours;
	Rc rc = columns_read(&columns, options->source, oids, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&is_ours, BUF_TEXT_MAX);
	existing_append_is_ours(&is_ours, options->pipeline, script->servers,
							options->node_count);
	rc = append_all_tables(
		&(TablePlan){
			.script = script,
			.options = options,
			.is_ours = is_ours.data,
			.columns = columns,
		},
		err);
	PQclear(columns);
	if (rc == RC_OK && options->coordinator != NULL)
		rc = server_append_removed(script, options, is_ours.data, err);
	if (rc == RC_OK && options->coordinator != NULL)
		rc = note_other_tables(script, options, is_ours.data, err);
	buf_release(&is_ours);
	return rc;
}

/* ---- the whole ---------------------------------------------------------- */

static MUST_CHECK Rc
append_extension(FederateScript *script, const FederateOptions *options,
				 Error *err)
{
	bool exists = false;
	Rc rc = is_there(options, has_extension_sql, "", "postgres_fdw", &exists,
					 err);

	if (rc != RC_OK || exists)
		return rc;
	buf_append_string(&script->statements,
					  "CREATE EXTENSION IF NOT EXISTS postgres_fdw;\n");
	federate_note(script, "created extension postgres_fdw");
	return RC_OK;
}

static MUST_CHECK Rc
append_servers(FederateScript *script, const FederateOptions *options,
			   Error *err)
{
	Rc rc = RC_OK;

	ASSERT(options->node_count <= FEDERATE_NODES_MAX);
	if (options->coordinator == NULL)
		buf_append_string(&script->statements,
						  "-- PostgreSQL 13 does not know async_capable: leave "
						  "it out there.\n");
	for (int i = 0; rc == RC_OK && i < options->node_count; i++)
		rc = server_name(&script->servers[i], options, i, script->arena, err);
	for (int i = 0; rc == RC_OK && i < options->node_count; i++)
		rc = server_append(script, options, i, err);
	return rc;
}

#define JOIN_SETTING "enable_partitionwise_join"

/*
 * Appends ALTER DATABASE … SET enable_partitionwise_join = on, unless the
 * database has a value for that setting: joins by the key are then made on the
 * nodes.
 *
 * We do not set enable_partitionwise_aggregate; each session can.  With it,
 * groups by the key are aggregated on the nodes, but all other aggregates read
 * from one node after the other.
 */
static MUST_CHECK Rc
append_setting(FederateScript *script, const FederateOptions *options,
			   Error *err)
{
	static const char printed[] =
		"SELECT format('ALTER DATABASE %I SET " JOIN_SETTING
		" = on', current_database()) \\gexec\n";
	static const char sql[] =
		"SELECT format('ALTER DATABASE %I SET " JOIN_SETTING
		" = on;', datname), pg_has_role(datdba, 'USAGE')"
		" FROM pg_database d WHERE datname = current_database()"
		" AND NOT EXISTS (SELECT FROM pg_db_role_setting s,"
		"  unnest(setconfig) c WHERE s.setdatabase = d.oid AND s.setrole = 0"
		"  AND starts_with(c, '" JOIN_SETTING "='))";
	PGresult *result = NULL;
	Rc rc;

	if (options->coordinator == NULL)
	{
		buf_append_string(&script->statements, printed);
		return RC_OK;
	}
	rc = pgconn_exec(options->coordinator, sql, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0 && sql_bool(result, 0, 1))
	{
		buf_printf(&script->statements, "%s\n", PQgetvalue(result, 0, 0));
		federate_note(script, "set " JOIN_SETTING " for the database");
	}
	else if (rc == RC_OK && PQntuples(result) > 0)
		federate_note(script,
					  "joins by the key are made on the coordinator until the "
					  "owner of the database runs: %s",
					  PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
append_all(FederateScript *script, const FederateOptions *options,
		   const char *oids, Error *err)
{
	Rc rc = check_keys(options, oids, err);

	if (rc == RC_OK)
		rc = append_extension(script, options, err);
	if (rc == RC_OK)
		rc = append_servers(script, options, err);
	if (rc == RC_OK)
		rc = append_setting(script, options, err);
	if (rc == RC_OK)
		rc = append_schemas(script, options, err);
	if (rc == RC_OK)
		rc = append_types(script, options, oids, err);
	if (rc == RC_OK)
		rc = append_tables(script, options, oids, err);
	return rc;
}

Rc
federate_script(FederateScript *script, const FederateOptions *options,
				Error *err)
{
	Buf oids;
	Rc rc;

	/* Results have indexes of tables, which must be the same in both. */
	ASSERT(options->placed->table_count == options->catalog->table_count);
	ASSERT(options->hash_node_count > 0 &&
		   options->hash_node_count <= options->node_count);
	buf_init(&oids, FEDERATE_BYTES_MAX);
	catalog_append_tables(options->catalog, &oids);
	rc = append_all(script, options, oids.data, err);
	buf_release(&oids);
	if (rc == RC_OK &&
		(script->statements.overflowed || script->handled.overflowed ||
		 script->passwords.overflowed))
		rc = error_set(err, ERR_LIMIT, "the script would be too long");
	return rc;
}
