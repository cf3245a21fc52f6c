/*
 * script.c
 *    Tables of the coordinator from tables of the source.
 *
 * Columns of a domain have the type that the domain is made of: what is read
 * was checked when it was written.  Enums and extensions are created as they
 * are needed.  Other types have to be made by hand, and a comment says so.
 */
#include "federate/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/sql.h"
#include "federate/server.h"

/* ---- what the source says ----------------------------------------------- */

/*
 * In front of each query: the columns of an array of tables, their places in
 * the array, which is in the catalog's order, and their types without domains.
 */
static const char columns_head_sql[] =
	"WITH columns AS ("
	" SELECT w.place - 1 AS place, a.*, b.oid AS base, b.typmod AS base_typmod"
	" FROM unnest(";
static const char columns_tail_sql[] =
	") WITH ORDINALITY w (oid, place)"
	" JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0"
	"  AND NOT a.attisdropped"
	" JOIN LATERAL (WITH RECURSIVE d (oid, typmod) AS ("
	"  SELECT a.atttypid, a.atttypmod UNION ALL"
	"  SELECT y.typbasetype, y.typtypmod FROM d"
	"  JOIN pg_type y ON y.oid = d.oid AND y.typtype = 'd')"
	"  SELECT d.oid, d.typmod FROM d JOIN pg_type y ON y.oid = d.oid"
	"  AND y.typtype <> 'd') b ON true)";

/* The element of an array, or the type itself. */
#define ELEMENT_SQL                                                            \
	"CASE WHEN y.typlen = -1 AND y.typelem <> 0 AND y.typcategory = 'A'"       \
	" THEN y.typelem ELSE y.oid END"

/* A table's place, and its columns as in CREATE TABLE. */
static const char tables_sql[] =
	" SELECT place, string_agg(format('%I %s%s%s', attname,"
	"  format_type(base, base_typmod),"
	"  CASE WHEN attcollation <> y.typcollation"
	"   THEN format(' COLLATE %I.%I', n.nspname, c.collname) ELSE '' END,"
	"  CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', '"
	"  ORDER BY attnum)"
	" FROM columns JOIN pg_type y ON y.oid = base"
	" LEFT JOIN pg_collation c ON c.oid = attcollation"
	" LEFT JOIN pg_namespace n ON n.oid = c.collnamespace"
	" GROUP BY place";

/* Statements for the types, in the order in which they are to be run. */
static const char types_sql[] =
	", used AS (SELECT DISTINCT " ELEMENT_SQL " AS oid"
	"  FROM columns JOIN pg_type y ON y.oid = base),"
	" named AS (SELECT y.*, n.nspname, d.refobjid AS extension"
	"  FROM used u JOIN pg_type y ON y.oid = u.oid"
	"  JOIN pg_namespace n ON n.oid = y.typnamespace"
	"   AND n.nspname <> 'pg_catalog'"
	"  LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass"
	"   AND d.objid = y.oid AND d.deptype = 'e')"
	" SELECT 1, format('CREATE SCHEMA IF NOT EXISTS %I;', nspname) FROM named"
	" UNION SELECT 2, format("
	"  'CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I;', x.extname, s.nspname)"
	"  FROM named JOIN pg_extension x ON x.oid = extension"
	"  JOIN pg_namespace s ON s.oid = x.extnamespace"
	" UNION SELECT 3, format('CREATE TYPE %I.%I AS ENUM (%s);',"
	"  nspname, typname, (SELECT string_agg(quote_literal(e.enumlabel), ', '"
	"   ORDER BY e.enumsortorder) FROM pg_enum e"
	"   WHERE e.enumtypid = named.oid))"
	"  FROM named WHERE typtype = 'e' AND extension IS NULL"
	" UNION SELECT 4, format("
	"  '-- Type %I.%I has to be there: make it first.', nspname, typname)"
	"  FROM named WHERE typtype <> 'e' AND extension IS NULL"
	" ORDER BY 1, 2";

/*
 * Columns whose hash is not the same on every server, because it is made of an
 * OID.
 */
static const char bad_keys_sql[] =
	" SELECT place, attname, format_type(base, base_typmod)"
	" FROM columns JOIN pg_type y ON y.oid = base"
	" JOIN pg_type t ON t.oid = " ELEMENT_SQL
	" WHERE t.typtype = 'e' OR t.typname LIKE 'reg%'"
	"  AND t.typnamespace = 'pg_catalog'::regnamespace";

static MUST_CHECK Rc
ask(const FederateOptions *options, PgConn *source, const char *query,
	PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, columns_head_sql);
	catalog_append_tables(options->catalog, &sql);
	buf_append_string(&sql, columns_tail_sql);
	buf_append_string(&sql, query);
	return sql_run(source, &sql, result, err);
}

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

/* The planner would look for such a key on the wrong node. */
static MUST_CHECK Rc
check_keys(const FederateOptions *options, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = ask(options, source, bad_keys_sql, &result, err);

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

/* ---- tables ------------------------------------------------------------- */

static void
append_server_options(Buf *script, const char *server, const CopyTable *table)
{
	buf_append_string(script, " SERVER ");
	buf_append_identifier(script, server);
	buf_append_string(script, " OPTIONS (schema_name ");
	buf_append_literal(script, table->schema);
	buf_append_string(script, ", table_name ");
	buf_append_literal(script, table->name);
	buf_append_string(script, ");\n");
}

static void
append_foreign_table(Buf *script, const CopyTable *table, const char *columns,
					 const char *server)
{
	buf_printf(script, "CREATE FOREIGN TABLE %s (%s)", table->qualified,
			   columns);
	append_server_options(script, server, table);
}

/* Of the partition with a remainder; as of an index, not longer than a name
 * may be, and the number keeps names apart. */
static void
append_partition_name(Buf *script, const CopyTable *table, int remainder)
{
	char number[16];
	char name[IDENTIFIER_SIZE];
	int room;

	snprintf(number, sizeof(number), "_%d", remainder);
	room = IDENTIFIER_SIZE - 1 - (int) strlen(number);

	/* Not within a character of UTF-8. */
	if ((int) strlen(table->name) > room)
		while (((unsigned char) table->name[room] & 0xC0) == 0x80)
			room--;
	snprintf(name, sizeof(name), "%.*s%s", room, table->name, number);
	sql_append_qualified(script, table->schema, name);
}

static void
append_spread_table(Buf *script, const FederateOptions *options,
					const PlacedTable *placed, const char *columns,
					char (*servers)[IDENTIFIER_SIZE])
{
	const CopyTable *table = placed->table;

	buf_printf(script, "CREATE TABLE %s (%s) PARTITION BY HASH (",
			   table->qualified, columns);
	for (int i = 0; i < placed->rule->column_count; i++)
	{
		buf_append_string(script, i > 0 ? ", " : "");
		buf_append_identifier(script, placed->rule->columns[i]);
	}
	buf_append_string(script, ");\n");
	for (int i = 0; i < options->hash_node_count; i++)
	{
		buf_append_string(script, "CREATE FOREIGN TABLE ");
		append_partition_name(script, table, i);
		buf_printf(script,
				   " PARTITION OF %s FOR VALUES WITH (MODULUS %d, REMAINDER "
				   "%d)",
				   table->qualified, options->hash_node_count, i);
		append_server_options(script, servers[i], table);
	}
}

/*
 * What a table lists cannot be the bounds of partitions: rows of all targets,
 * under one name.
 */
static void
append_listed_table(Buf *script, const FederateOptions *options,
					const PlacedTable *placed, const char *columns,
					char (*servers)[IDENTIFIER_SIZE])
{
	for (int i = 0; i < options->node_count; i++)
	{
		buf_append_string(script, "CREATE FOREIGN TABLE ");
		append_partition_name(script, placed->table, i);
		buf_printf(script, " (%s)", columns);
		append_server_options(script, servers[i], placed->table);
	}
	buf_printf(script, "CREATE VIEW %s AS", placed->table->qualified);
	for (int i = 0; i < options->node_count; i++)
	{
		buf_append_string(script, i > 0 ? " UNION ALL TABLE " : " TABLE ");
		append_partition_name(script, placed->table, i);
	}
	buf_append_string(script, ";\n");
}

static void
append_table(Buf *script, const FederateOptions *options,
			 const PlacedTable *table, const char *columns,
			 char (*servers)[IDENTIFIER_SIZE])
{
	switch (table->rule->kind)
	{
		case PLACEMENT_HASH:
			append_spread_table(script, options, table, columns, servers);
			break;
		case PLACEMENT_DIRECTORY:
			append_listed_table(script, options, table, columns, servers);
			break;
		case PLACEMENT_ALL:
			append_foreign_table(script, table->table, columns, servers[0]);
			break;
		case PLACEMENT_ONLY:
			append_foreign_table(script, table->table, columns,
								 servers[table->rule->target]);
			break;
		case PLACEMENT_NONE:
			break;
	}
}

static MUST_CHECK Rc
append_tables(Buf *script, const FederateOptions *options, PgConn *source,
			  char (*servers)[IDENTIFIER_SIZE], Error *err)
{
	const Placed *placed = options->placed;
	PGresult *result = NULL;
	Rc rc = ask(options, source, tables_sql, &result, err);

	if (rc != RC_OK)
		return rc;
	for (int row = 0; row < PQntuples(result); row++)
	{
		int place = (int) strtol(PQgetvalue(result, row, 0), NULL, 10);
		const PlacedTable *table = &placed->tables[place];

		append_table(script, options, table, PQgetvalue(result, row, 1),
					 servers);
	}
	PQclear(result);
	return RC_OK;
}

static void
append_schemas(Buf *script, const Placed *placed)
{
	const char *before = "";

	for (int i = 0; i < placed->table_count; i++)
	{
		const char *schema = placed->tables[i].table->schema;

		if (placed->tables[i].rule->kind == PLACEMENT_NONE ||
			strcmp(schema, before) == 0)
			continue;
		buf_append_string(script, "CREATE SCHEMA IF NOT EXISTS ");
		buf_append_identifier(script, schema);
		buf_append_string(script, ";\n");
		before = schema;
	}
}

static MUST_CHECK Rc
append_types(Buf *script, const FederateOptions *options, PgConn *source,
			 Error *err)
{
	PGresult *result = NULL;
	Rc rc = ask(options, source, types_sql, &result, err);

	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
		buf_printf(script, "%s\n", PQgetvalue(result, row, 1));
	PQclear(result);
	return rc;
}

/* ---- the whole ---------------------------------------------------------- */

/*
 * What not every version has, and joins by the key on the nodes.  Aggregates on
 * the nodes are left to the session (enable_partitionwise_aggregate): with it
 * groups of the key are made there, but of all other aggregates the nodes'
 * parts are read one after the other.
 */
static void
append_settings(Buf *script, const FederateOptions *options,
				char (*servers)[IDENTIFIER_SIZE])
{
	buf_append_string(script,
					  "DO $$ BEGIN\n"
					  " IF current_setting('server_version_num')::int >= "
					  "140000 THEN\n");
	for (int i = 0; i < options->node_count; i++)
	{
		buf_append_string(script, "  ALTER SERVER ");
		buf_append_identifier(script, servers[i]);
		buf_append_string(script, " OPTIONS (ADD async_capable 'true');\n");
	}
	buf_append_string(script, " END IF;\n"
							  " EXECUTE format('ALTER DATABASE %I SET "
							  "enable_partitionwise_join = on', "
							  "current_database());\n"
							  "END $$;\n");
}

Rc
federate_script(const FederateOptions *options, PgConn *source, Buf *script,
				Error *err)
{
	char servers[FEDERATE_NODES_MAX][IDENTIFIER_SIZE];
	Rc rc = check_keys(options, source, err);

	ASSERT(options->node_count <= FEDERATE_NODES_MAX);
	buf_append_string(script, "CREATE EXTENSION IF NOT EXISTS postgres_fdw;\n");
	for (int i = 0; rc == RC_OK && i < options->node_count; i++)
	{
		const FederateNode *node = &options->nodes[i];

		rc = server_name(servers[i], options->pipeline, node, err);
		if (rc == RC_OK)
			rc = server_append(script, servers[i], node, err);
	}
	if (rc != RC_OK)
		return rc;
	append_settings(script, options, servers);
	append_schemas(script, options->placed);
	rc = append_types(script, options, source, err);
	if (rc == RC_OK)
		rc = append_tables(script, options, source, servers, err);
	if (rc == RC_OK && script->overflowed)
		rc = error_set(err, ERR_LIMIT, "the script would be too long");
	return rc;
}
