/*
 * tables.c
 *    The queries on the target that compare its tables with the source's, which
 *    they get as JSON (see published.h).
 */
#include "check/tables.h"

#include "net/foreign_actions.h"

/*
 * CTE of the published tables that the placement assigns to a target.  Its
 * column `oid` is the OID of the target's relation of the same name, or null.
 */
#define WANTED_SQL                                                             \
	"WITH wanted AS (SELECT t.*, c.oid, c.relkind,"                            \
	"  format('%I.%I', t.schema, t.name) AS qualified,"                        \
	"  format('\"%s\".\"%s\"', t.schema, t.name) AS shown"                     \
	" FROM json_to_recordset($1::json->'tables') AS t (schema text,"           \
	"  name text, \"insert\" bool, \"update\" bool, \"delete\" bool,"          \
	"  \"truncate\" bool, identity text, columns json)"                        \
	" LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace)"    \
	"  ON n.nspname = t.schema AND c.relname = t.name"                         \
	"  AND c.relkind IN ('r', 'p', 'f', 'v')"                                  \
	" WHERE NOT EXISTS (SELECT FROM json_to_recordset($1::json->'nowhere')"    \
	"  AS x (schema text, name text) WHERE x.schema = t.schema"                \
	"  AND x.name = t.name))"

/* Rows for the columns of a table w, in the source's order. */
#define COLUMNS_SQL                                                            \
	"json_to_recordset(w.columns) AS s (name text, type text, base text,"      \
	" key bool, required bool, \"default\" text)"

/* Expression for the first ten names of an array, and the number of the
 * others. */
#define SOME_SQL(names)                                                        \
	"array_to_string((" names ")[1:10], ', ')"                                 \
	" || CASE WHEN cardinality(" names ") > 10"                                \
	" THEN format(' and %s more', cardinality(" names ") - 10) ELSE '' END"

#define MISSING_SQL "array_agg(shown ORDER BY shown) FILTER (WHERE oid IS NULL)"
#define PRESENT_SQL                                                            \
	"array_agg(shown ORDER BY shown) FILTER (WHERE oid IS NOT NULL)"

/*
 * Query of the target's foreign keys with actions, such as ON DELETE CASCADE,
 * if the role has no privilege to set session_replication_role: a follower
 * refuses to start then.  `may` is a condition for the privilege.
 */
#define ACTIONS_SQL(may, grant)                                                \
	WANTED_SQL                                                                 \
	" SELECT DISTINCT 'error', format('foreign key %I of table %s', "          \
	"f.conname,"                                                               \
	"  f.conrelid::regclass), format('foreign key \"%s\" of table %s on the "  \
	"target changes rows by itself, and cannot be set aside: role \"%s\" may " \
	"not set session_replication_role', f.conname, f.conrelid::regclass,"      \
	"  current_user), format(" grant " || E'\\n-- or, for as long as it is "   \
	"followed:\\nALTER TABLE %2$s DROP CONSTRAINT %3$I;', current_user,"       \
	"  f.conrelid::regclass, f.conname)" FOREIGN_ACTIONS_SQL                   \
	" AND c.oid IN (SELECT oid FROM wanted) AND NOT " may " ORDER BY 2"

static const CheckQuery queries[] = {
	{
		.code = "target_foreign_action",
		.major_max = 14,
		.sql = ACTIONS_SQL("current_setting('is_superuser')::bool",
						   "'ALTER ROLE %1$I SUPERUSER;'"),
	},
	{
		.code = "target_foreign_action",
		.major_min = 15,
		.sql = ACTIONS_SQL(
			"has_parameter_privilege('session_replication_role', 'SET')",
			"'GRANT SET ON PARAMETER session_replication_role TO %1$I;'"),
	},
	{
		.code = "target_tables",
		.sql = WANTED_SQL
		" SELECT CASE WHEN count(oid) IN (0, count(*)) THEN 'info'"
		"  ELSE 'error' END, NULL,"
		" CASE count(oid) WHEN 0 THEN 'none of the published tables is on the "
		"target: \"penstock clone\" creates them'"
		" WHEN count(*) THEN 'all published tables are on the target: if they "
		"are empty, \"penstock clone --data-only\" fills them'"
		" ELSE 'some of the published tables are on the target, some are not: '"
		"  || " SOME_SQL(
			PRESENT_SQL) " || ' are; '"
						 "  || " SOME_SQL(
							 MISSING_SQL) " || ' are not' END,"
										  " CASE WHEN count(oid) NOT IN (0, "
										  "count(*)) THEN"
										  "  E'-- drop those that are there, "
										  "for \"penstock clone\" to create "
										  "all,\n-- or create the others, for "
										  "\"penstock clone --data-only\"' END"
										  " FROM wanted WHERE NOT "
										  "($1::json->>'progress')::bool"
										  " HAVING count(*) > 0",
	},
	{
		.code = "target_table_missing",
		.sql = WANTED_SQL
		" SELECT 'error', 'table ' || qualified, format('table %s is published "
		"and missing on the target', shown),"
		" format(E'-- copies it, with the rows that it has:\npenstock table "
		"add "
		"--name=%s %s', $1::json->>'name',"
		"  CASE WHEN qualified ~ '^[a-z0-9_.]+$' THEN qualified"
		"  ELSE '''' || replace(qualified, '''', '''' || chr(92)"
		"   || '''''') || '''' END)"
		" FROM wanted"
		" WHERE oid IS NULL AND ($1::json->>'progress')::bool"
		" ORDER BY qualified",
	},
	{
		.code = "target_column_missing",
		.sql = WANTED_SQL
		" SELECT 'error', format('column %s.%I', qualified, s.name),"
		" format('column %s.\"%s\" is missing on the target', shown, s.name),"
		" format(E'ALTER TABLE %s ADD COLUMN %I %s%s%s;\n"
		"-- rows that are there have the default in it then, or null: if they "
		"have other\n-- values on the source, run \"penstock table resync\" "
		"for "
		"the table, too', qualified, s.name, s.type,"
		"  ' DEFAULT ' || s.\"default\","
		"  CASE WHEN s.required THEN ' NOT NULL' ELSE '' END)"
		" FROM wanted w CROSS JOIN LATERAL " COLUMNS_SQL
		" WHERE oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a"
		"  WHERE a.attrelid = w.oid AND a.attname = s.name AND a.attnum > 0"
		"  AND NOT a.attisdropped)"
		" ORDER BY qualified",
	},
	{
		.code = "target_column_generated",
		.sql = WANTED_SQL
		" SELECT 'error', format('column %s.%I', qualified, s.name),"
		" format('column %s.\"%s\" is generated on the target, and an ordinary "
		"column on the source', shown, s.name),"
		" format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION;', qualified,"
		"  s.name)"
		" FROM wanted w CROSS JOIN LATERAL " COLUMNS_SQL
		" JOIN pg_attribute a ON a.attrelid = w.oid AND a.attname = s.name"
		" WHERE a.attgenerated <> '' ORDER BY qualified",
	},
	{
		/*
		 * If a column has another type on the target, its values are passed as
		 * text, which the target's type may or may not accept.  y is the
		 * target's type, and o the target's type with the name of the source's.
		 * All values are accepted (`wider`) if there is an implicit cast from o
		 * to y and the column has no type modifier.
		 */
		.code = "target_column_type",
		.sql = WANTED_SQL
		" SELECT CASE WHEN wider THEN 'info' ELSE 'warning' END,"
		" format('column %s.%I', qualified, s.name),"
		" format('column %s.\"%s\" is %s on the target and %s on the source%s',"
		"  shown, s.name, d.type, s.type, CASE WHEN wider THEN '' ELSE"
		"  ': a value that is not valid there stops the pipeline' END),"
		" format('ALTER TABLE %s ALTER COLUMN %I TYPE %s%s;', qualified,"
		"  s.name, s.type, CASE WHEN d.back THEN ''"
		"  ELSE format(' USING %I::text::%s', s.name, s.type) END)"
		" FROM wanted w CROSS JOIN LATERAL " COLUMNS_SQL
		" JOIN pg_attribute a ON a.attrelid = w.oid AND a.attname = s.name"
		" JOIN pg_type y ON y.oid = a.atttypid"
		" LEFT JOIN pg_type o ON o.oid = to_regtype(s.base)"
		" CROSS JOIN LATERAL (SELECT"
		"  format_type(a.atttypid, a.atttypmod) AS type,"
		"  a.atttypmod = -1 AND (y.oid = o.oid OR EXISTS ("
		"   SELECT FROM pg_cast c WHERE c.castsource = o.oid"
		"   AND c.casttarget = y.oid AND c.castcontext = 'i')) AS wider,"
		"  o.typcategory = 'S' OR y.oid = o.oid OR EXISTS ("
		"   SELECT FROM pg_cast c WHERE c.castsource = y.oid"
		"   AND c.casttarget = o.oid AND c.castcontext IN ('a', 'i'))"
		"   AS back) d"
		" WHERE d.type <> s.type AND a.attgenerated = ''"
		" ORDER BY qualified",
	},
	{
		.code = "target_column_required",
		.sql = WANTED_SQL
		" SELECT 'error', format('column %s.%I', qualified, a.attname),"
		" format('column %s.\"%s\" of the target must not be null, has no "
		"default, "
		"and is not published', shown, a.attname),"
		" format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL;', qualified,"
		"  a.attname)"
		" FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid"
		" WHERE w.\"insert\" AND a.attnum > 0 AND NOT a.attisdropped"
		" AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''"
		" AND NOT EXISTS (SELECT FROM " COLUMNS_SQL
		"  WHERE s.name = a.attname) ORDER BY qualified",
	},
	{
		/*
		 * An index is usable if it is unique and has only columns of the
		 * replica identity; with REPLICA IDENTITY FULL, any columns.
		 */
		.code = "target_identity_index",
		.sql = WANTED_SQL
		" SELECT 'warning', 'table ' || qualified,"
		" format('table %s of the target has no unique index on %s: each "
		"update and delete reads the whole table', shown,"
		"  coalesce('(' || k.list || ')', 'any of its columns')),"
		" CASE WHEN k.list IS NULL THEN format('-- on source and target: "
		"ALTER TABLE %s ADD PRIMARY KEY (...);', qualified)"
		" WHEN w.relkind = 'p' THEN format('CREATE UNIQUE INDEX ON %s (%s);',"
		"  qualified, k.list)"
		" ELSE format('CREATE UNIQUE INDEX CONCURRENTLY ON %s (%s);',"
		"  qualified, k.list) END"
		" FROM wanted w CROSS JOIN LATERAL (SELECT"
		"  string_agg(quote_ident(s.name), ', ') AS list,"
		"  array_agg(s.name) AS names"
		"  FROM " COLUMNS_SQL " WHERE s.key) k"
		" WHERE w.relkind IN ('r', 'p') AND (w.\"update\" OR w.\"delete\")"
		" AND (w.identity = 'f' OR k.list IS NOT NULL) AND NOT EXISTS ("
		"  SELECT FROM pg_index i WHERE i.indrelid = w.oid AND i.indisunique"
		"  AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
		"  AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) n"
		"   JOIN pg_attribute a ON a.attrelid = w.oid"
		"   AND a.attnum = i.indkey[n]"
		"   WHERE a.attname <> ALL (k.names)))"
		" ORDER BY qualified",
	},
	{
		.code = "target_privileges",
		.sql = WANTED_SQL
		" SELECT 'error', format('schema %I', schema),"
		" format('role \"%s\" may not write, or not read, %s of the tables of "
		"schema \"%s\" on the target: %s', current_user,"
		"  count(DISTINCT qualified), schema,"
		"  string_agg(DISTINCT quote_ident(name), ', ')),"
		" format(E'GRANT USAGE ON SCHEMA %I TO %I;\n"
		"GRANT %s ON TABLE %s TO %2$I;', schema, current_user,"
		"  coalesce(string_agg(DISTINCT privilege, ', '"
		"   ORDER BY privilege), 'SELECT'),"
		"  string_agg(DISTINCT qualified, ', '))"
		" FROM wanted w CROSS JOIN LATERAL (VALUES ('SELECT', true),"
		"  ('INSERT', w.\"insert\"), ('UPDATE', w.\"update\"),"
		"  ('DELETE', w.\"delete\"), ('TRUNCATE', w.\"truncate\"))"
		"  AS p (privilege, needed)"
		" WHERE w.oid IS NOT NULL AND needed"
		" AND (NOT has_table_privilege(w.oid, privilege)"
		"  OR NOT has_schema_privilege(schema, 'USAGE'))"
		" GROUP BY schema ORDER BY schema",
	},
	{
		/* A crash empties an unlogged table, but not penstock.progress, which
		 * is logged. */
		.code = "target_unlogged",
		.sql = WANTED_SQL
		" SELECT 'warning', format('table %I.%I', n.nspname, c.relname),"
		" format('table \"%s\".\"%s\" of the target is unlogged: a crash of "
		"that "
		"server empties it, and the pipeline goes on as if its rows were "
		"there', n.nspname, c.relname),"
		" format('ALTER TABLE %I.%I SET LOGGED;', n.nspname, c.relname)"
		" FROM wanted w CROSS JOIN LATERAL (SELECT w.oid AS relid"
		"  UNION SELECT p.relid FROM pg_partition_tree(w.oid) p) f"
		" JOIN pg_class c ON c.oid = f.relid AND c.relkind = 'r'"
		"  AND c.relpersistence = 'u'"
		" JOIN pg_namespace n ON n.oid = c.relnamespace"
		" ORDER BY n.nspname, c.relname",
	},
	{
		.code = "target_row_security",
		.sql = WANTED_SQL
		" SELECT 'error', 'table ' || qualified,"
		" format('row security of table %s on the target would stop role "
		"\"%s\"',"
		"  shown, current_user),"
		" format('ALTER ROLE %I BYPASSRLS;', current_user)"
		" FROM wanted WHERE oid IS NOT NULL AND row_security_active(oid)"
		" ORDER BY qualified",
	},
};

Rc
check_tables(CheckContext *context, const CheckServer *target, Error *err)
{
	if (context->tables == NULL)
		return RC_OK;
	return check_run_queries(context, target, queries, LENGTH_OF(queries), err);
}
