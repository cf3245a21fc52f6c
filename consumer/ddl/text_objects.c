/*
 * text_objects.c
 *    One query for each kind of object.
 *
 * Names in statements and texts have their schema, because search_path contains
 * only pg_catalog.  A query may contain words in braces, which stand for SQL
 * that many queries share (see `words`).
 */
#include "ddl/text_objects.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/own_schema.h"
#include "catalog/settings.h"
#include "net/sql.h"

/* Columns of the result of each query. */
enum
{
	RESULT_KEY,
	RESULT_TEXT,
	RESULT_SHAPE,
	RESULT_CREATE,
	RESULT_REPLACE,
	RESULT_DROP,
	RESULT_PARENT,
	RESULT_ON_CATALOG, /* a value of OidCatalog */
	RESULT_ON_OID,
	RESULT_ON_ATTNUM,
	RESULT_SCHEMA,
	RESULT_NEEDS, /* separated by line breaks, which names of tables rarely
				   * contain */
	RESULT_DEPTH,
};

/*
 * A word that is used in braces, and the SQL that it stands for.  In that SQL,
 * $1 and $2 are the arguments after the word.
 */
typedef struct Word
{
	const char *name;
	const char *sql;
} Word;

static const Word words[] = {
	/* Condition: objects in schema n are read. */
	{"told", "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema',"
			 " '" CATALOG_OWN_SCHEMA "')"},

	/*
	 * Condition: the object with OID $2 in catalog $1 does not belong to an
	 * extension, and is not a function or cast of a range type.
	 */
	{"free", "NOT EXISTS (SELECT FROM pg_depend e WHERE (e.deptype = 'e' OR"
			 " e.deptype = 'i' AND e.classid IN ('pg_proc'::regclass,"
			 " 'pg_cast'::regclass))"
			 " AND e.classid = $1::regclass AND e.objid = $2)"},

	/* Schema $1 and name $2 in double quotes, as in keys. */
	{"name", "'\"' || replace($1, '\"', '\"\"') || '\".\"'"
			 " || replace($2, '\"', '\"\"') || '\"'"},

	/*
	 * Query: objects of catalog $1, of which only kind and name are known.  The
	 * second one is for objects whose schema is in column $2.
	 */
	{"global", "SELECT i.type || ' ' || i.identity, '', '', NULL, NULL, NULL,"
			   " '', 0, 0, 0, 0, NULL, 0 FROM $1 o CROSS JOIN LATERAL"
			   " pg_identify_object('$1'::regclass, o.oid, 0) i"
			   " WHERE o.oid >= 16384 AND {free '$1' o.oid}"},
	{"within", "SELECT i.type || ' ' || i.identity, '', '', NULL, NULL, NULL,"
			   " '', 0, 0, 0, n.oid, NULL, 0 FROM $1 o JOIN pg_namespace n"
			   " ON n.oid = o.$2 CROSS JOIN LATERAL"
			   " pg_identify_object('$1'::regclass, o.oid, 0) i"
			   " WHERE o.oid >= 16384 AND {told} AND {free '$1' o.oid}"},

	/*
	 * Condition: the arguments of function p have types of pg_catalog, and its
	 * body is a text that the server does not analyze.
	 */
	{"early",
	 "NOT EXISTS (SELECT FROM pg_type y WHERE y.oid ="
	 " ANY (p.proargtypes::oid[] || coalesce(p.proallargtypes, ARRAY[]::oid[])"
	 " || p.prorettype)"
	 " AND y.typnamespace <> 'pg_catalog'::regnamespace)"
	 " AND to_jsonb(p) ->> 'prosqlbody' IS NULL"},
};

static const char extensions_sql[] =
	"SELECT format('extension %I', x.extname), n.nspname, '', "
	"format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', x.extname, "
	"n.nspname), format('ALTER EXTENSION %I SET SCHEMA %I', x.extname, "
	"n.nspname), format('DROP EXTENSION IF EXISTS %I', x.extname), '', 0, "
	"0, 0, 0, NULL, 0 FROM pg_extension x "
	"JOIN pg_namespace n ON n.oid = x.extnamespace "
	"WHERE x.oid >= 16384";

/*
 * The columns of pg_collation depend on the server's version, so rows are read
 * as JSON.
 */
static const char collations_sql[] =
	"SELECT 'collation ' || {name n.nspname o.collname}, s.sql, '', s.sql, "
	"NULL, format('DROP COLLATION IF EXISTS %I.%I', n.nspname, o.collname), "
	"'', 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace "
	"CROSS JOIN LATERAL (SELECT to_jsonb(o) AS row) j "
	"CROSS JOIN LATERAL (SELECT format('CREATE COLLATION %I.%I (provider = "
	"%s, %s%s%s)', n.nspname, o.collname, CASE o.collprovider WHEN 'i' THEN "
	"'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, "
	"CASE WHEN o.collprovider = 'c' THEN format('lc_collate = %L, lc_ctype = "
	"%L', o.collcollate, o.collctype) ELSE format('locale = %L', "
	"coalesce(row ->> 'colllocale', row ->> 'colliculocale', "
	"o.collcollate::text)) END, CASE WHEN NOT o.collisdeterministic THEN "
	"', deterministic = false' END, ', rules = ' || quote_literal(row ->> "
	"'collicurules')) AS sql) s "
	"WHERE o.oid >= 16384 AND {told} AND {free 'pg_collation' o.oid}";

static const char early_routines_sql[] =
	"SELECT 'routine ' || p.oid::regprocedure, pg_get_functiondef(p.oid), "
	"p.prokind::text || p.pronargdefaults || ' ' || p.proretset || "
	"coalesce(pg_get_function_result(p.oid), '') || "
	"pg_get_function_identity_arguments(p.oid), pg_get_functiondef(p.oid), "
	"pg_get_functiondef(p.oid), 'DROP ROUTINE IF EXISTS ' || "
	"p.oid::regprocedure, '', 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE p.prokind <> 'a' AND p.oid >= 16384 AND {told} AND "
	"{free 'pg_proc' p.oid} AND {early}";

static const char late_routines_sql[] =
	"SELECT 'routine ' || p.oid::regprocedure, pg_get_functiondef(p.oid), "
	"p.prokind::text || p.pronargdefaults || ' ' || p.proretset || "
	"coalesce(pg_get_function_result(p.oid), '') || "
	"pg_get_function_identity_arguments(p.oid), pg_get_functiondef(p.oid), "
	"pg_get_functiondef(p.oid), 'DROP ROUTINE IF EXISTS ' || "
	"p.oid::regprocedure, '', 0, 0, 0, n.oid, (SELECT "
	"string_agg({name m.nspname c.relname}, chr(10)) FROM pg_class c "
	"JOIN pg_namespace m ON m.oid = c.relnamespace "
	"JOIN pg_type t ON t.typrelid = c.oid "
	"WHERE t.oid = ANY (p.proargtypes::oid[] || p.proallargtypes || "
	"p.prorettype) OR t.typarray = ANY (p.proargtypes::oid[] || "
	"p.proallargtypes || p.prorettype)), 0 "
	"FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE p.prokind <> 'a' AND p.oid >= 16384 AND {told} AND "
	"{free 'pg_proc' p.oid} AND NOT ({early})";

static const char views_sql[] =
	"WITH RECURSIVE needs AS MATERIALIZED (SELECT DISTINCT w.ev_class AS "
	"oid, d.refobjid AS needed "
	"FROM pg_rewrite w JOIN pg_depend d ON d.classid = "
	"'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = "
	"'pg_class'::regclass AND d.refobjid <> w.ev_class "
	"WHERE w.rulename = '_RETURN'), depths (oid, depth) AS (SELECT c.oid, "
	"0 FROM pg_class c WHERE c.relkind IN ('v', 'm') "
	"UNION SELECT s.oid, t.depth + 1 "
	"FROM depths t JOIN needs s ON s.needed = t.oid) "
	"SELECT 'view ' || {name n.nspname c.relname}, c.relkind::text || "
	"coalesce(array_to_string(c.reloptions, ', '), '') || "
	"pg_get_viewdef(c.oid), '', format('CREATE %sVIEW %I.%I%s AS %s', CASE "
	"c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END, n.nspname, "
	"c.relname, ' WITH (' || array_to_string(c.reloptions, ', ') || ')', "
	"rtrim(pg_get_viewdef(c.oid), ';')), NULL, format('DROP %sVIEW IF "
	"EXISTS %I.%I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' "
	"END, n.nspname, c.relname), '', 0, 0, 0, n.oid, (SELECT "
	"string_agg({name m.nspname r.relname}, chr(10)) "
	"FROM needs s JOIN pg_class r ON r.oid = s.needed "
	"JOIN pg_namespace m ON m.oid = r.relnamespace "
	"WHERE s.oid = c.oid), (SELECT max(t.depth) "
	"FROM depths t WHERE t.oid = c.oid) "
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND c.oid "
	">= 16384 AND {told} AND {free 'pg_class' c.oid}";

static const char view_indexes_sql[] =
	"SELECT 'index ' || {name n.nspname x.relname}, "
	"pg_get_indexdef(i.indexrelid), '', pg_get_indexdef(i.indexrelid), "
	"NULL, format('DROP INDEX IF EXISTS %I.%I', n.nspname, x.relname), "
	"'view ' || {name n.nspname c.relname}, 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid "
	"JOIN pg_class c ON c.oid = i.indrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE c.relkind = 'm' AND c.oid >= 16384 AND {told} AND "
	"{free 'pg_class' c.oid}";

static const char statistics_sql[] =
	"SELECT 'statistics ' || {name m.nspname s.stxname}, "
	"pg_get_statisticsobjdef(s.oid), '', pg_get_statisticsobjdef(s.oid), "
	"NULL, format('DROP STATISTICS IF EXISTS %I.%I', m.nspname, "
	"s.stxname), CASE WHEN c.relkind IN ('v', 'm') THEN 'view ' || "
	"{name n.nspname c.relname} ELSE '' END, 1, CASE WHEN c.relkind IN "
	"('r', 'p', 'S') THEN c.oid ELSE 0 END, 0, n.oid, NULL, 0 "
	"FROM pg_statistic_ext s JOIN pg_namespace m ON m.oid = s.stxnamespace "
	"JOIN pg_class c ON c.oid = s.stxrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE {told} AND {free 'pg_class' c.oid}";

static const char triggers_sql[] =
	"SELECT format('trigger %I on ', t.tgname) || "
	"{name n.nspname c.relname}, pg_get_triggerdef(t.oid) || "
	"t.tgenabled::text, "
	"'', pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled = 'O' THEN '' "
	"ELSE format(E';\\nALTER TABLE %I.%I %s TRIGGER %I', n.nspname, "
	"c.relname, CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN "
	"'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, t.tgname) END, NULL, "
	"format('DROP TRIGGER IF EXISTS %I ON %I.%I', t.tgname, n.nspname, "
	"c.relname), CASE WHEN c.relkind IN ('v', 'm') THEN 'view ' || "
	"{name n.nspname c.relname} ELSE '' END, 1, CASE WHEN c.relkind IN "
	"('r', 'p', 'S') THEN c.oid ELSE 0 END, 0, n.oid, NULL, 0 "
	"FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relpersistence <> "
	"'t' AND NOT EXISTS (SELECT FROM pg_proc f JOIN pg_namespace fn ON "
	"fn.oid = f.pronamespace WHERE f.oid = t.tgfoid AND fn.nspname = "
	"'penstock') AND {told} AND {free 'pg_class' c.oid} AND "
	"{free 'pg_trigger' t.oid}";

static const char rules_sql[] =
	"SELECT format('rule %I on ', w.rulename) || "
	"{name n.nspname c.relname}, pg_get_ruledef(w.oid) || w.ev_enabled::text, "
	"'', rtrim(pg_get_ruledef(w.oid), ';') || CASE WHEN w.ev_enabled = 'O' "
	"THEN '' ELSE format(E';\\nALTER TABLE %I.%I %s RULE %I', n.nspname, "
	"c.relname, CASE w.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN "
	"'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, w.rulename) END, NULL, "
	"format('DROP RULE IF EXISTS %I ON %I.%I', w.rulename, n.nspname, "
	"c.relname), CASE WHEN c.relkind IN ('v', 'm') THEN 'view ' || "
	"{name n.nspname c.relname} ELSE '' END, 1, CASE WHEN c.relkind IN "
	"('r', 'p', 'S') THEN c.oid ELSE 0 END, 0, n.oid, NULL, 0 "
	"FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE w.rulename <> '_RETURN' AND c.relpersistence <> 't' AND {told} "
	"AND {free 'pg_class' c.oid}";

static const char policies_sql[] =
	"SELECT format('policy %I on ', p.polname) || "
	"{name n.nspname c.relname}, s.sql, '', s.sql, NULL, format('DROP "
	"POLICY IF EXISTS %I ON %I.%I', p.polname, n.nspname, c.relname), CASE "
	"WHEN c.relkind IN ('v', 'm') THEN 'view ' || "
	"{name n.nspname c.relname} ELSE '' END, 1, CASE WHEN c.relkind IN "
	"('r', 'p', 'S') THEN c.oid ELSE 0 END, 0, n.oid, NULL, 0 "
	"FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"CROSS JOIN LATERAL (SELECT format('CREATE POLICY %I ON %I.%I AS %s "
	"FOR %s TO %s', p.polname, n.nspname, c.relname, CASE WHEN "
	"p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, CASE "
	"p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN "
	"'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END, (SELECT "
	"string_agg(CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE "
	"quote_ident(pg_get_userbyid(r.oid)) END, ', ' ORDER BY "
	"pg_get_userbyid(r.oid)) FROM unnest(p.polroles) r (oid))) || "
	"coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') "
	"|| coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, "
	"p.polrelid) || ')', '') AS sql) s "
	"WHERE {told} AND {free 'pg_class' c.oid}";

static const char owners_sql[] =
	"WITH objects AS ( SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' "
	"THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN "
	"'FOREIGN TABLE' ELSE 'TABLE' END || format(' %I.%I', n.nspname, "
	"c.relname) AS what, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE "
	"'TABLE' END || format(' %I.%I', n.nspname, c.relname) AS granted, "
	"c.relowner AS owner, c.relacl AS acl, CASE c.relkind WHEN 'S' THEN "
	"'s' ELSE 'r' END AS kind, CASE WHEN c.relkind IN ('v', 'm') THEN "
	"'view ' || {name n.nspname c.relname} ELSE '' END AS parent, 1 AS "
	"on_catalog, CASE WHEN c.relkind IN ('r', 'p', 'S') THEN c.oid ELSE 0 "
	"END AS on_oid, n.oid AS schema, EXISTS (SELECT "
	"FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = "
	"c.oid AND c.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND "
	"d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS owned "
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND "
	"c.relpersistence <> 't' AND c.oid >= 16384 AND {told} AND "
	"{free 'pg_class' c.oid} UNION ALL SELECT 'SCHEMA ' || "
	"quote_ident(n.nspname), 'SCHEMA ' || quote_ident(n.nspname), "
	"n.nspowner, n.nspacl, 'n', '', 0, n.oid, n.oid, false "
	"FROM pg_namespace n WHERE {told} AND {free 'pg_namespace' n.oid} "
	"UNION ALL SELECT 'ROUTINE ' || p.oid::regprocedure, 'ROUTINE ' || "
	"p.oid::regprocedure, p.proowner, p.proacl, 'f', CASE p.prokind WHEN "
	"'a' THEN '' ELSE 'routine ' || p.oid::regprocedure END, 0, 0, n.oid, "
	"false FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE p.oid >= 16384 AND {told} AND {free 'pg_proc' p.oid} "
	"UNION ALL SELECT 'TYPE ' || format('%I.%I', n.nspname, t.typname), "
	"'TYPE ' || format('%I.%I', n.nspname, t.typname), t.typowner, "
	"t.typacl, 'T', '', 2, t.oid, n.oid, false "
	"FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
	"LEFT JOIN pg_class c ON c.oid = t.typrelid "
	"WHERE (t.typtype IN ('e', 'd') OR c.relkind = 'c') AND t.oid >= 16384 "
	"AND {told} AND {free 'pg_type' t.oid} "
	"UNION ALL SELECT 'STATISTICS ' || format('%I.%I', n.nspname, "
	"s.stxname), '', s.stxowner, NULL, '', 'statistics ' || "
	"{name n.nspname s.stxname}, 0, 0, n.oid, false "
	"FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace "
	"WHERE {told}) SELECT 'owner of ' || o.what, pg_get_userbyid(o.owner), "
	"'', 'ALTER ' || o.what || ' OWNER TO ' || "
	"quote_ident(pg_get_userbyid(o.owner)), 'ALTER ' || o.what || ' OWNER "
	"TO ' || quote_ident(pg_get_userbyid(o.owner)), NULL, o.parent, "
	"o.on_catalog, o.on_oid, 0, o.schema, NULL, 0 "
	"FROM objects o WHERE NOT o.owned";

static const char privileges_sql[] =
	"WITH objects AS ( SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' "
	"THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN "
	"'FOREIGN TABLE' ELSE 'TABLE' END || format(' %I.%I', n.nspname, "
	"c.relname) AS what, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE "
	"'TABLE' END || format(' %I.%I', n.nspname, c.relname) AS granted, "
	"c.relowner AS owner, c.relacl AS acl, CASE c.relkind WHEN 'S' THEN "
	"'s' ELSE 'r' END AS kind, CASE WHEN c.relkind IN ('v', 'm') THEN "
	"'view ' || {name n.nspname c.relname} ELSE '' END AS parent, 1 AS "
	"on_catalog, CASE WHEN c.relkind IN ('r', 'p', 'S') THEN c.oid ELSE 0 "
	"END AS on_oid, n.oid AS schema, EXISTS (SELECT "
	"FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = "
	"c.oid AND c.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND "
	"d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS owned "
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND "
	"c.relpersistence <> 't' AND c.oid >= 16384 AND {told} AND "
	"{free 'pg_class' c.oid} UNION ALL SELECT 'SCHEMA ' || "
	"quote_ident(n.nspname), 'SCHEMA ' || quote_ident(n.nspname), "
	"n.nspowner, n.nspacl, 'n', '', 0, n.oid, n.oid, false "
	"FROM pg_namespace n WHERE {told} AND {free 'pg_namespace' n.oid} "
	"UNION ALL SELECT 'ROUTINE ' || p.oid::regprocedure, 'ROUTINE ' || "
	"p.oid::regprocedure, p.proowner, p.proacl, 'f', CASE p.prokind WHEN "
	"'a' THEN '' ELSE 'routine ' || p.oid::regprocedure END, 0, 0, n.oid, "
	"false FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE p.oid >= 16384 AND {told} AND {free 'pg_proc' p.oid} "
	"UNION ALL SELECT 'TYPE ' || format('%I.%I', n.nspname, t.typname), "
	"'TYPE ' || format('%I.%I', n.nspname, t.typname), t.typowner, "
	"t.typacl, 'T', '', 2, t.oid, n.oid, false "
	"FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
	"LEFT JOIN pg_class c ON c.oid = t.typrelid "
	"WHERE (t.typtype IN ('e', 'd') OR c.relkind = 'c') AND t.oid >= 16384 "
	"AND {told} AND {free 'pg_type' t.oid} "
	"UNION ALL SELECT 'STATISTICS ' || format('%I.%I', n.nspname, "
	"s.stxname), '', s.stxowner, NULL, '', 'statistics ' || "
	"{name n.nspname s.stxname}, 0, 0, n.oid, false "
	"FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace "
	"WHERE {told}) SELECT format('privilege %s on %s of %s%s', "
	"a.privilege_type, o.granted, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
	"quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable "
	"THEN ' with grant option' END), '', '', format('GRANT %s ON %s TO "
	"%s%s', a.privilege_type, o.granted, CASE a.grantee WHEN 0 THEN "
	"'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN "
	"a.is_grantable THEN ' WITH GRANT OPTION' END), NULL, format('REVOKE "
	"%s ON %s FROM %s', a.privilege_type, o.granted, CASE a.grantee WHEN 0 "
	"THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END), "
	"o.parent, o.on_catalog, o.on_oid, 0, o.schema, NULL, 0 "
	"FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a "
	"WHERE a.grantee <> o.owner AND NOT (a.grantee = 0 AND o.kind IN ('f', "
	"'T') AND NOT a.is_grantable) "
	"UNION ALL SELECT 'no privilege on ' || o.granted || ' of PUBLIC', '', "
	"'', format('REVOKE ALL ON %s "
	"FROM PUBLIC', o.granted), NULL, format('GRANT %s ON %s TO PUBLIC', "
	"CASE o.kind WHEN 'f' THEN 'EXECUTE' ELSE 'USAGE' END, o.granted), "
	"o.parent, o.on_catalog, o.on_oid, 0, o.schema, NULL, 0 "
	"FROM objects o WHERE o.kind IN ('f', 'T') AND o.acl IS NOT NULL AND "
	"NOT EXISTS (SELECT FROM aclexplode(o.acl) a "
	"WHERE a.grantee = 0) UNION ALL "
	"SELECT format('no privilege %s on %s of its owner', d.privilege_type, "
	"o.granted), '', '', format('REVOKE %s ON %s FROM %I', "
	"d.privilege_type, o.granted, pg_get_userbyid(o.owner)), NULL, "
	"format('GRANT %s ON %s TO %I', d.privilege_type, o.granted, "
	"pg_get_userbyid(o.owner)), o.parent, o.on_catalog, o.on_oid, 0, "
	"o.schema, NULL, 0 FROM objects o "
	"CROSS JOIN LATERAL aclexplode(CASE WHEN o.kind <> '' THEN "
	"acldefault(o.kind::\"char\", o.owner) END) d "
	"WHERE o.acl IS NOT NULL AND d.grantee = o.owner AND NOT EXISTS (SELECT "
	"FROM aclexplode(o.acl) a WHERE a.grantee = o.owner "
	"AND a.privilege_type = d.privilege_type) "
	"UNION ALL SELECT format('privilege %s (%I) on %s "
	"of %s%s', a.privilege_type, k.attname, o.granted, CASE a.grantee WHEN "
	"0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, "
	"CASE WHEN a.is_grantable THEN ' with grant option' END), '', '', "
	"format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, k.attname, "
	"o.granted, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
	"quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable "
	"THEN ' WITH GRANT OPTION' END), NULL, format('REVOKE %s (%I) ON %s "
	"FROM %s', a.privilege_type, k.attname, o.granted, CASE a.grantee WHEN "
	"0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END), "
	"o.parent, o.on_catalog, o.on_oid, k.attnum, o.schema, NULL, 0 "
	"FROM objects o JOIN pg_attribute k ON k.attrelid = o.on_oid AND "
	"o.on_catalog = 1 AND k.attnum > 0 AND NOT k.attisdropped "
	"CROSS JOIN LATERAL aclexplode(k.attacl) a";

static const char comments_sql[] =
	"SELECT 'comment on ' || CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' "
	"THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN "
	"'FOREIGN TABLE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE "
	"'TABLE' END || format(' %I.%I', n.nspname, c.relname), d.description, "
	"'', 'COMMENT ON ' || CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' "
	"THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN "
	"'FOREIGN TABLE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE "
	"'TABLE' END || format(' %I.%I', n.nspname, c.relname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || CASE c.relkind WHEN "
	"'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN "
	"'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'i' THEN 'INDEX' WHEN "
	"'I' THEN 'INDEX' ELSE 'TABLE' END || format(' %I.%I', n.nspname, "
	"c.relname) || ' IS ' || quote_literal(d.description), 'COMMENT ON ' "
	"|| CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED "
	"VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'i' "
	"THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END || format(' "
	"%I.%I', n.nspname, c.relname) || ' IS NULL', CASE WHEN c.relkind IN "
	"('v', 'm') THEN 'view ' || {name n.nspname c.relname} ELSE '' END, 1, "
	"CASE WHEN c.relkind IN ('r', 'p', 'S', 'i', 'I') THEN c.oid ELSE 0 "
	"END, 0, n.oid, NULL, 0 FROM pg_description d "
	"JOIN pg_class c ON c.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND {told} "
	"AND c.relkind <> 'c' AND c.relpersistence <> 't' AND "
	"{free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('COLUMN %I.%I.%I', "
	"n.nspname, c.relname, a.attname), d.description, '', 'COMMENT ON ' || "
	"format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname) || ' IS ' "
	"|| quote_literal(d.description), 'COMMENT ON ' || format('COLUMN "
	"%I.%I.%I', n.nspname, c.relname, a.attname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('COLUMN "
	"%I.%I.%I', n.nspname, c.relname, a.attname) || ' IS NULL', CASE WHEN "
	"c.relkind IN ('v', 'm') THEN 'view ' || {name n.nspname c.relname} "
	"ELSE '' END, CASE WHEN c.relkind = 'c' THEN 2 ELSE 1 END, CASE WHEN "
	"c.relkind = 'c' THEN c.reltype WHEN c.relkind IN ('r', 'p') THEN "
	"c.oid ELSE 0 END, a.attnum, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = "
	"d.objsubid WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 "
	"AND {told} AND c.relpersistence <> 't' AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || CASE t.typtype WHEN 'd' THEN "
	"'DOMAIN' ELSE 'TYPE' END || format(' %I.%I', n.nspname, t.typname), "
	"d.description, '', 'COMMENT ON ' || CASE t.typtype WHEN 'd' THEN "
	"'DOMAIN' ELSE 'TYPE' END || format(' %I.%I', n.nspname, t.typname) || "
	"' IS ' || quote_literal(d.description), 'COMMENT ON ' || CASE "
	"t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END || format(' %I.%I', "
	"n.nspname, t.typname) || ' IS ' || quote_literal(d.description), "
	"'COMMENT ON ' || CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' "
	"END || format(' %I.%I', n.nspname, t.typname) || ' IS NULL', '', 2, "
	"CASE WHEN t.typtype IN ('e', 'd', 'c') THEN t.oid ELSE 0 END, 0, "
	"n.oid, NULL, 0 FROM pg_description d "
	"JOIN pg_type t ON t.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = t.typnamespace "
	"WHERE d.classoid = 'pg_type'::regclass AND d.objsubid = 0 AND {told} "
	"AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('CONSTRAINT %I ON %I.%I', "
	"k.conname, n.nspname, c.relname), d.description, '', 'COMMENT ON ' || "
	"format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname) || "
	"' IS ' || quote_literal(d.description), 'COMMENT ON ' || "
	"format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname) || "
	"' IS ' || quote_literal(d.description), 'COMMENT ON ' || "
	"format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname) || "
	"' IS NULL', '', 3, k.oid, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_constraint k ON k.oid = d.objoid "
	"JOIN pg_class c ON c.oid = k.conrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE d.classoid = 'pg_constraint'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('CONSTRAINT %I ON DOMAIN "
	"%I.%I', k.conname, n.nspname, t.typname), d.description, '', 'COMMENT "
	"ON ' || format('CONSTRAINT %I ON DOMAIN %I.%I', k.conname, n.nspname, "
	"t.typname) || ' IS ' || quote_literal(d.description), 'COMMENT ON ' "
	"|| format('CONSTRAINT %I ON DOMAIN %I.%I', k.conname, n.nspname, "
	"t.typname) || ' IS ' || quote_literal(d.description), 'COMMENT ON ' "
	"|| format('CONSTRAINT %I ON DOMAIN %I.%I', k.conname, n.nspname, "
	"t.typname) || ' IS NULL', '', 3, k.oid, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_constraint k ON k.oid = d.objoid "
	"JOIN pg_type t ON t.oid = k.contypid "
	"JOIN pg_namespace n ON n.oid = t.typnamespace "
	"WHERE d.classoid = 'pg_constraint'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || 'ROUTINE ' || p.oid::regprocedure, "
	"d.description, '', 'COMMENT ON ' || 'ROUTINE ' || p.oid::regprocedure "
	"|| ' IS ' || quote_literal(d.description), 'COMMENT ON ' || 'ROUTINE "
	"' || p.oid::regprocedure || ' IS ' || quote_literal(d.description), "
	"'COMMENT ON ' || 'ROUTINE ' || p.oid::regprocedure || ' IS NULL', "
	"CASE p.prokind WHEN 'a' THEN '' ELSE 'routine ' || "
	"p.oid::regprocedure END, 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE d.classoid = 'pg_proc'::regclass AND d.objsubid = 0 AND {told} "
	"AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || 'SCHEMA ' || "
	"quote_ident(n.nspname), d.description, '', 'COMMENT ON ' || 'SCHEMA ' "
	"|| quote_ident(n.nspname) || ' IS ' || quote_literal(d.description), "
	"'COMMENT ON ' || 'SCHEMA ' || quote_ident(n.nspname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || 'SCHEMA ' || "
	"quote_ident(n.nspname) || ' IS NULL', '', 0, n.oid, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_namespace n ON n.oid = d.objoid "
	"WHERE d.classoid = 'pg_namespace'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('STATISTICS %I.%I', "
	"n.nspname, s.stxname), d.description, '', 'COMMENT ON ' || "
	"format('STATISTICS %I.%I', n.nspname, s.stxname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('STATISTICS "
	"%I.%I', n.nspname, s.stxname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('STATISTICS "
	"%I.%I', n.nspname, s.stxname) || ' IS NULL', 'statistics ' || "
	"{name n.nspname s.stxname}, 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_statistic_ext s ON s.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = s.stxnamespace "
	"WHERE d.classoid = 'pg_statistic_ext'::regclass AND d.objsubid = 0 "
	"AND {told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('TRIGGER %I ON %I.%I', "
	"t.tgname, n.nspname, c.relname), d.description, '', 'COMMENT ON ' || "
	"format('TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname) || ' IS "
	"' || quote_literal(d.description), 'COMMENT ON ' || format('TRIGGER "
	"%I ON %I.%I', t.tgname, n.nspname, c.relname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('TRIGGER %I ON "
	"%I.%I', t.tgname, n.nspname, c.relname) || ' IS NULL', "
	"format('trigger %I on ', t.tgname) || {name n.nspname c.relname}, 0, "
	"0, 0, n.oid, NULL, 0 FROM pg_description d "
	"JOIN pg_trigger t ON t.oid = d.objoid "
	"JOIN pg_class c ON c.oid = t.tgrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE d.classoid = 'pg_trigger'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('RULE %I ON %I.%I', "
	"w.rulename, n.nspname, c.relname), d.description, '', 'COMMENT ON ' "
	"|| format('RULE %I ON %I.%I', w.rulename, n.nspname, c.relname) || ' "
	"IS ' || quote_literal(d.description), 'COMMENT ON ' || format('RULE "
	"%I ON %I.%I', w.rulename, n.nspname, c.relname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('RULE %I ON "
	"%I.%I', w.rulename, n.nspname, c.relname) || ' IS NULL', format('rule "
	"%I on ', w.rulename) || {name n.nspname c.relname}, 0, 0, 0, n.oid, "
	"NULL, 0 FROM pg_description d "
	"JOIN pg_rewrite w ON w.oid = d.objoid "
	"JOIN pg_class c ON c.oid = w.ev_class "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE d.classoid = 'pg_rewrite'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT 'comment on ' || format('POLICY %I ON %I.%I', "
	"p.polname, n.nspname, c.relname), d.description, '', 'COMMENT ON ' || "
	"format('POLICY %I ON %I.%I', p.polname, n.nspname, c.relname) || ' IS "
	"' || quote_literal(d.description), 'COMMENT ON ' || format('POLICY %I "
	"ON %I.%I', p.polname, n.nspname, c.relname) || ' IS ' || "
	"quote_literal(d.description), 'COMMENT ON ' || format('POLICY %I ON "
	"%I.%I', p.polname, n.nspname, c.relname) || ' IS NULL', "
	"format('policy %I on ', p.polname) || {name n.nspname c.relname}, 0, "
	"0, 0, n.oid, NULL, 0 FROM pg_description d "
	"JOIN pg_policy p ON p.oid = d.objoid "
	"JOIN pg_class c ON c.oid = p.polrelid "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE d.classoid = 'pg_policy'::regclass AND d.objsubid = 0 AND "
	"{told} AND {free d.classoid d.objoid} "
	"UNION ALL SELECT format('comment on EXTENSION %I', x.extname), "
	"d.description, '', format('COMMENT ON EXTENSION %I IS %L', x.extname, "
	"d.description), format('COMMENT ON EXTENSION %I IS %L', x.extname, "
	"d.description), format('COMMENT ON EXTENSION %I IS NULL', x.extname), "
	"format('extension %I', x.extname), 0, 0, 0, x.extnamespace, NULL, 0 "
	"FROM pg_description d JOIN pg_extension x ON x.oid = d.objoid "
	"WHERE d.classoid = 'pg_extension'::regclass AND x.oid >= 16384 "
	"UNION ALL SELECT format('comment on COLLATION %I.%I', n.nspname, "
	"o.collname), d.description, '', format('COMMENT ON COLLATION %I.%I IS "
	"%L', n.nspname, o.collname, d.description), format('COMMENT ON COLLATION "
	"%I.%I IS %L', n.nspname, o.collname, d.description), format('COMMENT ON "
	"COLLATION %I.%I IS NULL', n.nspname, o.collname), 'collation ' || "
	"{name n.nspname o.collname}, 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_description d JOIN pg_collation o ON o.oid = d.objoid "
	"JOIN pg_namespace n ON n.oid = o.collnamespace "
	"WHERE d.classoid = 'pg_collation'::regclass AND {told} AND "
	"{free d.classoid d.objoid}";

/*
 * From here on $1 is the name of the target's database.  Of privileges that
 * only the target has granted on it, those of roles stay, because they may be
 * for the pipeline; those of PUBLIC are revoked.
 */
static const char database_privileges_sql[] =
	"SELECT format('privilege %s on DATABASE of %s%s', a.privilege_type, "
	"g.name, CASE WHEN a.is_grantable THEN ' with grant option' END), '', '', "
	"format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $1::text, "
	"g.name, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END), NULL, "
	"CASE a.grantee WHEN 0 THEN format('REVOKE %s ON DATABASE %I FROM PUBLIC', "
	"a.privilege_type, $1::text) END, '', 0, 0, 0, 0, NULL, 0 "
	"FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, "
	"acldefault('d', d.datdba))) a CROSS JOIN LATERAL (SELECT CASE a.grantee "
	"WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END "
	"AS name) g "
	"WHERE d.datname = current_database() AND a.grantee <> d.datdba";

static const char database_comment_sql[] =
	"SELECT 'comment on DATABASE', c.text, '', s.sql, s.sql, format('COMMENT "
	"ON DATABASE %I IS NULL', $1::text), '', 0, 0, 0, 0, NULL, 0 "
	"FROM pg_database d CROSS JOIN LATERAL shobj_description(d.oid, "
	"'pg_database') c (text) CROSS JOIN LATERAL (SELECT format('COMMENT ON "
	"DATABASE %I IS %L', $1::text, c.text) AS sql) s "
	"WHERE d.datname = current_database() AND c.text IS NOT NULL";

/*
 * Settings are compared by what SET says of them.  Those that make the source
 * read-only are left out, because they do not concern the target.
 */
static const char settings_sql[] =
	"SELECT format('setting %s of %s', v.name, CASE WHEN r.oid IS NULL THEN "
	"'the database' WHEN s.setdatabase = 0 THEN format('role %I', r.rolname) "
	"ELSE format('role %I in the database', r.rolname) END), u.value, '', "
	"q.sql, q.sql, CASE WHEN s.setdatabase <> 0 THEN format('%s RESET %I', "
	"w.what, v.name) END, '', 0, 0, 0, 0, NULL, 0 "
	"FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole "
	"CROSS JOIN unnest(s.setconfig) c (text) "
	"CROSS JOIN LATERAL (SELECT split_part(c.text, '=', 1) AS name, "
	"substr(c.text, strpos(c.text, '=') + 1) AS value) v "
	"CROSS JOIN LATERAL (SELECT CASE WHEN r.oid IS NULL THEN format('ALTER "
	"DATABASE %I', $1::text) WHEN s.setdatabase = 0 THEN format('ALTER ROLE "
	"%I', r.rolname) ELSE format('ALTER ROLE %I IN DATABASE %I', r.rolname, "
	"$1::text) END AS what) w "
	"CROSS JOIN LATERAL (SELECT " SETTING_VALUE_SQL(
		"v.name",
		"v.value") " AS value) u "
				   "CROSS JOIN LATERAL (SELECT format('%s SET %I = %s', "
				   "w.what, v.name, "
				   "u.value) AS sql) q "
				   "WHERE v.name <> 'default_transaction_read_only' AND "
				   "(s.setrole = 0 OR "
				   "r.oid IS NOT NULL) AND (s.setdatabase = (SELECT oid FROM "
				   "pg_database "
				   "WHERE datname = current_database()) OR s.setdatabase = 0 "
				   "AND "
				   "($2::boolean OR EXISTS (SELECT FROM pg_shdepend h "
				   "WHERE h.dbid = (SELECT oid FROM pg_database WHERE datname "
				   "= "
				   "current_database()) AND h.refclassid = "
				   "'pg_authid'::regclass AND "
				   "h.refobjid = s.setrole)))";

static const char untranslated_sql[] =
	"{within pg_conversion connamespace} UNION ALL "
	"{within pg_operator oprnamespace} UNION ALL "
	"{within pg_opclass opcnamespace} UNION ALL "
	"{within pg_opfamily opfnamespace} UNION ALL "
	"{within pg_ts_config cfgnamespace} UNION ALL "
	"{within pg_ts_dict dictnamespace} UNION ALL "
	"{within pg_ts_parser prsnamespace} UNION ALL "
	"{within pg_ts_template tmplnamespace} UNION ALL "
	"{global pg_cast} UNION ALL "
	"{global pg_foreign_data_wrapper} UNION ALL "
	"{global pg_foreign_server} UNION ALL "
	"{global pg_event_trigger} UNION ALL "
	"{global pg_language} UNION ALL "
	"{global pg_transform} UNION ALL "
	"{global pg_am} UNION ALL "
	"SELECT 'type ' || format('%I.%I', n.nspname, t.typname), "
	"t.typtype::text || coalesce((SELECT r.rngsubtype::regtype::text "
	"FROM pg_range r WHERE r.rngtypid = t.oid), ''), '', NULL, NULL, NULL, "
	"'', 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
	"WHERE (t.typtype = 'r' OR t.typtype = 'b' AND NOT EXISTS (SELECT "
	"FROM pg_type y WHERE y.typarray = t.oid)) AND t.oid >= 16384 AND "
	"{told} AND {free 'pg_type' t.oid} UNION ALL "
	"SELECT 'aggregate ' || p.oid::regprocedure, "
	"a.aggtransfn::regproc::text || a.aggfinalfn::regproc::text || "
	"a.aggtranstype::regtype::text || coalesce(a.agginitval, ''), '', "
	"NULL, NULL, NULL, '', 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid "
	"JOIN pg_namespace n ON n.oid = p.pronamespace "
	"WHERE p.oid >= 16384 AND {told} AND {free 'pg_proc' p.oid} UNION ALL "
	"SELECT 'foreign table ' || format('%I.%I', n.nspname, c.relname), "
	"s.srvname || coalesce(f.ftoptions::text, '') || (SELECT "
	"string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), "
	"', ' ORDER BY a.attnum) FROM pg_attribute a "
	"WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), "
	"'', NULL, NULL, NULL, '', 0, 0, 0, n.oid, NULL, 0 "
	"FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid "
	"JOIN pg_foreign_server s ON s.oid = f.ftserver "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"WHERE {told} AND {free 'pg_class' c.oid} UNION ALL "
	"SELECT format('default privileges of %I on %s%s', "
	"pg_get_userbyid(d.defaclrole), d.defaclobjtype, ' in schema ' || "
	"quote_ident(n.nspname)), (SELECT string_agg(x::text, ',' ORDER BY "
	"x::text) FROM unnest(d.defaclacl) x), '', NULL, NULL, NULL, '', 0, 0, "
	"0, d.defaclnamespace, NULL, 0 "
	"FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = "
	"d.defaclnamespace";

typedef struct Kind
{
	TextObjectPhase phase;
	bool owners;     /* whether it is only read if owners are compared */
	bool privileges; /* whether it is only read if privileges are compared */
	const char *sql;
	int param_count; /* number of the query's parameters */
} Kind;

static const Kind kinds[] = {
	{TEXT_EXTENSION, false, false, extensions_sql, 0},
	{TEXT_COLLATION, false, false, collations_sql, 0},
	{TEXT_EARLY_ROUTINE, false, false, early_routines_sql, 0},
	{TEXT_LATE_ROUTINE, false, false, late_routines_sql, 0},
	{TEXT_VIEW, false, false, views_sql, 0},
	{TEXT_ON_VIEW, false, false, view_indexes_sql, 0},
	{TEXT_STATISTICS, false, false, statistics_sql, 0},
	{TEXT_TRIGGER, false, false, triggers_sql, 0},
	{TEXT_RULE, false, false, rules_sql, 0},
	{TEXT_POLICY, false, false, policies_sql, 0},
	{TEXT_OWNER, true, false, owners_sql, 0},
	{TEXT_PRIVILEGE, false, true, privileges_sql, 0},
	{TEXT_COMMENT, false, false, comments_sql, 0},
	{TEXT_PRIVILEGE, false, true, database_privileges_sql, 1},
	{TEXT_COMMENT, false, false, database_comment_sql, 1},
	{TEXT_SETTING, false, false, settings_sql, 2},
	{TEXT_UNTRANSLATED, false, false, untranslated_sql, 0},
};

/* Returns a copy of a field in the arena; NULL if it is null. */
static const char *
field(Arena *arena, const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column)
			   ? NULL
			   : arena_strdup(arena, PQgetvalue(result, row, column));
}

static uint32_t
number(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static void
read_needs(TextObject *object, char *list, Arena *arena)
{
	const char **needs;
	int count = 1;

	if (list == NULL)
		return;
	for (const char *c = list; *c != '\0'; c++)
		count += *c == '\n' ? 1 : 0;
	needs = arena_calloc(arena, (size_t) count, sizeof(needs[0]));
	for (int i = 0; i < count; i++)
	{
		size_t length = strcspn(list, "\n");

		needs[i] = list;
		list += length;
		if (*list == '\n')
			*list++ = '\0';
	}
	object->needs = needs;
	object->needs_count = count;
}

static void
read_object(TextObject *object, TextObjectPhase phase, const PGresult *result,
			int row, Arena *arena)
{
	*object = (TextObject){
		.phase = phase,
		.key = field(arena, result, row, RESULT_KEY),
		.text = field(arena, result, row, RESULT_TEXT),
		.shape = field(arena, result, row, RESULT_SHAPE),
		.create = field(arena, result, row, RESULT_CREATE),
		.replace = field(arena, result, row, RESULT_REPLACE),
		.drop = field(arena, result, row, RESULT_DROP),
		.parent = field(arena, result, row, RESULT_PARENT),
		.on_catalog = (OidCatalog) number(result, row, RESULT_ON_CATALOG),
		.on_oid = number(result, row, RESULT_ON_OID),
		.on_attnum = (uint16_t) number(result, row, RESULT_ON_ATTNUM),
		.schema = number(result, row, RESULT_SCHEMA),
		.depth = (int) number(result, row, RESULT_DEPTH),
	};
	if (object->text == NULL)
		object->text = "";
	if (!PQgetisnull(result, row, RESULT_NEEDS))
		read_needs(object,
				   arena_strdup(arena, PQgetvalue(result, row, RESULT_NEEDS)),
				   arena);
}

static void append_statement(Buf *sql, const char *text);

/*
 * Appends the SQL that a word stands for; `arguments` is the text after the
 * word.
 */
static void
append_word(Buf *sql, const Word *word, const char *arguments, size_t length)
{
	size_t first = 0;
	Buf said;

	buf_init(&said, BUF_TEXT_MAX);
	while (first < length && arguments[first] != ' ')
		first++;
	for (const char *c = word->sql; *c != '\0'; c++)
	{
		if (*c != '$')
			buf_append_char(&said, *c);
		else if (*++c == '1')
			buf_append(&said, arguments, first);
		else
			buf_append(&said, arguments + first + 1, length - first - 1);
	}
	append_statement(sql, said.data);
	buf_release(&said);
}

/*
 * Appends the SQL for the word and arguments in braces; `text` begins after the
 * opening brace.
 */
static void
append_braces(Buf *sql, const char *text, size_t length)
{
	for (size_t i = 0; i < LENGTH_OF(words); i++)
	{
		size_t name = strlen(words[i].name);

		if (strncmp(text, words[i].name, name) != 0)
			continue;
		if (name == length)
			append_word(sql, &words[i], NULL, 0);
		else
			append_word(sql, &words[i], text + name + 1, length - name - 1);
		return;
	}
	check_failed("a word in a statement is known", __FILE__, __LINE__);
}

/*
 * Appends a query, with words replaced.  The SQL of a word may contain other
 * words, but not itself.
 */
static void
append_statement(Buf *sql, const char *text)
{
	while (*text != '\0')
	{
		size_t plain = strcspn(text, "{");
		size_t inside;

		buf_append(sql, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		inside = strcspn(text, "}");
		append_braces(sql, text + 1, inside - 1);
		text += inside + 1;
	}
}

static MUST_CHECK Rc
read_kind(PgConn *conn, const Kind *kind, const TextObjectOptions *options,
		  TextObjects *texts, Error *err)
{
	const char *params[] = {options->database,
							options->all_roles ? "true" : "false"};
	PGresult *result = NULL;
	TextObject *objects;
	int count;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	append_statement(&sql, kind->sql);
	CHECK(!sql.overflowed);
	rc = pgconn_exec_params(conn, sql.data, kind->param_count, params, &result,
							err);
	buf_release(&sql);
	if (rc != RC_OK)
		return rc;
	count = PQntuples(result);
	objects = arena_calloc(texts->arena, (size_t) texts->count + (size_t) count,
						   sizeof(objects[0]));
	if (texts->count > 0)
		memcpy(objects, texts->objects,
			   (size_t) texts->count * sizeof(objects[0]));
	for (int i = 0; i < count; i++)
		read_object(&objects[texts->count + i], kind->phase, result, i,
					texts->arena);
	texts->objects = objects;
	texts->count += count;
	PQclear(result);
	return RC_OK;
}

static int
compare_keys(const void *a, const void *b)
{
	const TextObject *left = a;
	const TextObject *right = b;

	return strcmp(left->key, right->key);
}

Rc
text_objects_read(PgConn *conn, const TextObjectOptions *options, Arena *arena,
				  TextObjects *texts, Error *err)
{
	*texts = (TextObjects){.arena = arena};
	for (size_t i = 0; i < LENGTH_OF(kinds); i++)
	{
		Rc rc = RC_OK;

		if ((options->owners || !kinds[i].owners) &&
			(options->privileges || !kinds[i].privileges))
			rc = read_kind(conn, &kinds[i], options, texts, err);
		if (rc != RC_OK)
			return rc;
	}
	if (texts->count > 0)
		qsort(texts->objects, (size_t) texts->count, sizeof(texts->objects[0]),
			  compare_keys);
	return RC_OK;
}
