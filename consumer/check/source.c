/*
 * source.c
 *    The queries on the source.  For the form of queries see query.h.
 */
#include "check/source.h"

#include <string.h>

#include "check/connect.h"
#include "check/place.h"
#include "check/probe.h"
#include "check/published.h"
#include "check/query.h"
#include "check/rules.h"

/* Check whether the server's settings allow logical decoding. */
static const CheckQuery server_queries[] = {
	{
		.code = "source_standby",
		.major_max = 15,
		.sql = "SELECT 'error', NULL, 'the source is a standby, and servers "
			   "before 16 cannot decode there',"
			   " '-- connect to its primary' WHERE pg_is_in_recovery()",
	},
	{
		.code = "source_standby",
		.major_min = 16,
		.sql = "SELECT 'warning', NULL, 'the source is a standby: a slot is "
			   "made there only when its primary next logs its transactions',"
			   " E'-- while \"penstock clone\" waits, run on the primary:\n"
			   "SELECT pg_log_standby_snapshot();' WHERE pg_is_in_recovery()",
	},
	{
		.code = "wal_level",
		.ok = "wal_level is logical",
		.major_max = 18,
		.sql = "SELECT 'error', 'setting wal_level', format('wal_level is %s, "
			   "and decoding needs logical', setting),"
			   " E'ALTER SYSTEM SET wal_level = ''logical'';\n"
			   "-- then restart the source server'"
			   " FROM pg_settings WHERE name = 'wal_level'"
			   " AND setting <> 'logical'",
	},
	{
		/* From PostgreSQL 19 on, wal_level = replica behaves like logical while
		 * there is a logical slot. */
		.code = "wal_level",
		.ok = "wal_level lets a slot decode",
		.major_min = 19,
		.sql = "SELECT 'error', 'setting wal_level', format('wal_level is %s, "
			   "and decoding needs replica or logical', setting),"
			   " E'ALTER SYSTEM SET wal_level = ''replica'';\n"
			   "-- then restart the source server'"
			   " FROM pg_settings WHERE name = 'wal_level'"
			   " AND setting NOT IN ('replica', 'logical')",
	},
	{
		/* A bug of the server, fixed in May 2025, which no output plugin can
		 * avoid. */
		.code = "source_minor_version",
		.major_max = 17,
		.sql = "SELECT 'warning', 'server', format('the source is PostgreSQL "
			   "%s: before %s, a transaction that is open while a publication "
			   "changes is sent as the publication was, so that rows can be "
			   "missing on the target', current_setting('server_version'),"
			   " first), E'-- update the source server to its newest minor "
			   "version;\n-- until then change publications while nobody "
			   "writes' FROM (VALUES (130021, '13.21'), (140018, '14.18'),"
			   "  (150013, '15.13'), (160009, '16.9'), (170005, '17.5'))"
			   "  AS fixed (number, first),"
			   " current_setting('server_version_num') AS it"
			   " WHERE number / 10000 = it::int / 10000 AND it::int < number",
	},
	{
		.code = "replication_slots",
		.ok = "there is a replication slot for the pipeline",
		.sql = "SELECT 'error', 'setting max_replication_slots', format('all "
			   "%s replication slots are in use', setting),"
			   " format(E'ALTER SYSTEM SET max_replication_slots = %s;\n"
			   "-- then restart the source server', setting::int + 4)"
			   " || coalesce((SELECT string_agg(format("
			   "E'\n-- or drop a slot that nobody needs: "
			   "SELECT pg_drop_replication_slot(%L);', slot_name), '')"
			   " FROM pg_replication_slots WHERE NOT active), '')"
			   " FROM pg_settings WHERE name = 'max_replication_slots'"
			   " AND setting::int <= (SELECT count(*)"
			   "  FROM pg_replication_slots)"
			   " AND NOT EXISTS (SELECT FROM pg_replication_slots"
			   "  WHERE slot_name = $1::json->>'name')",
	},
	{
		.code = "wal_senders",
		.ok = "there is a WAL sender for the pipeline",
		.sql = "SELECT 'error', 'setting max_wal_senders', format('all %s WAL "
			   "senders are in use', setting),"
			   " format(E'ALTER SYSTEM SET max_wal_senders = %s;\n"
			   "-- then restart the source server', setting::int + 4)"
			   " FROM pg_settings WHERE name = 'max_wal_senders'"
			   " AND setting::int <= (SELECT count(*) FROM pg_stat_replication)"
			   " AND NOT EXISTS (SELECT FROM pg_replication_slots"
			   "  WHERE slot_name = $1::json->>'name' AND active)",
	},
	{
		.code = "max_slot_wal_keep_size",
		.sql = "SELECT 'warning', 'setting max_slot_wal_keep_size',"
			   " format('max_slot_wal_keep_size is %s: a pipeline that falls "
			   "behind by more loses its slot and must be cloned again',"
			   " pg_size_pretty(setting::bigint * 1024 * 1024)),"
			   " E'ALTER SYSTEM SET max_slot_wal_keep_size = -1;\n"
			   "SELECT pg_reload_conf();'"
			   " FROM pg_settings WHERE name = 'max_slot_wal_keep_size'"
			   " AND setting <> '-1'",
	},
	{
		.code = "idle_replication_slot_timeout",
		.major_min = 18,
		.sql = "SELECT 'warning', 'setting idle_replication_slot_timeout',"
			   " format('idle_replication_slot_timeout is %s: a pipeline that "
			   "is stopped for longer loses its slot and must be cloned "
			   "again', current_setting(name)),"
			   " E'ALTER SYSTEM SET idle_replication_slot_timeout = 0;\n"
			   "SELECT pg_reload_conf();'"
			   " FROM pg_settings WHERE name = 'idle_replication_slot_timeout'"
			   " AND setting <> '0'",
	},
	{
		.code = "source_encoding",
		.sql = "SELECT 'warning', format('database %I', datname),"
			   " 'the encoding of the source is SQL_ASCII, so that its texts "
			   "may hold any bytes: those that are not valid UTF-8 stop the "
			   "pipeline',"
			   " '-- repair such texts on the source, or let the target be "
			   "SQL_ASCII, too' FROM pg_database"
			   " WHERE datname = current_database()"
			   " AND pg_encoding_to_char(encoding) = 'SQL_ASCII'",
	},
};

static const CheckQuery large_object_queries[] = {
	{
		.code = "large_objects",
		.sql = "SELECT 'info', NULL, 'the database has large objects: they are "
			   "not in the stream of changes, and followed only with "
			   "--large-objects=follow', NULL"
			   " WHERE EXISTS (SELECT FROM pg_largeobject_metadata)",
	},
};

static const CheckQuery followed_large_object_queries[] = {
	{
		.code = "large_objects",
		.sql =
			"SELECT 'error', 'pg_catalog.pg_largeobject', format('role \"%s\" "
			"may not read the contents of large objects', current_user),"
			" format('GRANT SELECT ON pg_catalog.pg_largeobject TO %I;', "
			"current_user)"
			" WHERE NOT has_table_privilege('pg_largeobject', 'SELECT')",
	},
};

/* If large objects are followed, checks the privilege to read pg_largeobject,
 * which nothing else needs; if not, whether there are large objects. */
static MUST_CHECK Rc
check_large_objects(CheckContext *context, const CheckServer *server,
					Error *err)
{
	bool followed = config_follows_large_objects(context->config);

	return check_run_queries(context, server,
							 followed ? followed_large_object_queries
									  : large_object_queries,
							 1, err);
}

/*
 * CTEs that parse output_plugin_libraries, a list of names of which each may be
 * in double quotes.  In the fix, ALTER SYSTEM SET has a literal for each name,
 * because it would store one literal with commas in it as a single name.
 */
#define PLUGIN_LIST_SQL                                                        \
	"WITH setting AS (SELECT * FROM pg_settings"                               \
	"  WHERE name = 'output_plugin_libraries'),"                               \
	" library AS (SELECT coalesce(replace(m[1], '\"\"', '\"'), m[2]) AS name," \
	"  number FROM setting, regexp_matches(setting,"                           \
	"  '\"((?:[^\"]|\"\")*)\"|([^,\\s\"]+)', 'g')"                             \
	"  WITH ORDINALITY AS r (m, number))"

static const CheckQuery plugin_queries[] = {
	{
		.code = "output_plugin_libraries",
		.sql = PLUGIN_LIST_SQL
		" SELECT 'error', 'setting output_plugin_libraries', format("
		"  'the server lets in no output plugin that output_plugin_libraries "
		"does not name: it is %L', setting),"
		" CASE source"
		"  WHEN 'database' THEN format('ALTER DATABASE %I', current_database())"
		"  WHEN 'user' THEN format('ALTER ROLE %I', current_user)"
		"  WHEN 'database user' THEN format('ALTER ROLE %I IN DATABASE %I',"
		"   current_user, current_database())"
		"  ELSE 'ALTER SYSTEM' END"
		" || format(' SET output_plugin_libraries = %s;', ("
		"  SELECT string_agg(quote_literal(name), ', ' ORDER BY number)"
		"  FROM (SELECT name, number FROM library"
		"   UNION ALL SELECT 'penstock', 1e9) l))"
		" || CASE WHEN source IN ('database', 'user', 'database user') THEN ''"
		"  WHEN context = 'postmaster' THEN"
		"  E'\n-- then restart the source server'"
		"  ELSE E'\nSELECT pg_reload_conf();' END"
		" FROM setting WHERE NOT EXISTS ("
		"  SELECT FROM library WHERE name = 'penstock')",
	},
};

/* Condition on a published table c: it has no usable replica identity, so the
 * source refuses updates and deletes of it. */
#define WITHOUT_IDENTITY_SQL                                                   \
	"c.relreplident <> 'f' AND NOT EXISTS ("                                   \
	"  SELECT FROM pg_index i WHERE i.indrelid = c.oid"                        \
	"  AND i.indimmediate AND (c.relreplident = 'd' AND i.indisprimary"        \
	"   OR c.relreplident = 'i' AND i.indisreplident))"

/*
 * CTE of the tables for which a publication has a row filter or a column list.
 * Arrays of column names: those that the filter uses (filtered), that are in
 * the list (listed), and that are in the replica identity (identity).  Row
 * filter and column list of a partitioned table hold for its partitions if the
 * publication has publish_via_partition_root.
 */
#define RESTRICTED_SQL                                                         \
	"WITH restricted AS (SELECT p.pubname, n.nspname, c.relname,"              \
	"  c.relreplident, ARRAY(SELECT DISTINCT a.attname::text"                  \
	"   FROM regexp_matches(r.prqual::text, ':varattno (\\d+)', 'g') m"        \
	"   JOIN pg_attribute a ON a.attrelid = r.prrelid"                         \
	"   AND a.attnum = m[1]::int) AS filtered,"                                \
	"  CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(SELECT a.attname::text"      \
	"   FROM pg_attribute a WHERE a.attrelid = r.prrelid"                      \
	"   AND a.attnum = ANY (r.prattrs)) END AS listed,"                        \
	"  ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a"       \
	"   ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"              \
	"   WHERE i.indrelid = c.oid AND (c.relreplident = 'd'"                    \
	"    AND i.indisprimary OR c.relreplident = 'i'"                           \
	"    AND i.indisreplident)) AS identity"                                   \
	" FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid"    \
	" JOIN pg_class t ON t.oid = r.prrelid"                                    \
	"  AND (t.relkind = 'r' OR p.pubviaroot)"                                  \
	" LEFT JOIN LATERAL pg_partition_tree(t.oid) l ON l.isleaf"                \
	" JOIN pg_class c ON c.oid = coalesce(l.relid, t.oid)"                     \
	"  AND c.relkind = 'r'"                                                    \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                           \
	" WHERE (p.pubupdate OR p.pubdelete) AND p.pubname IN (SELECT "            \
	"json_array_elements_text($1::json->'publications'))"                      \
	" AND NOT (p.pubviaroot AND EXISTS (SELECT"                                \
	"  FROM pg_partition_ancestors(t.oid) x JOIN pg_publication_rel y"         \
	"  ON y.prrelid = x AND y.prpubid = p.oid WHERE x <> t.oid))"              \
	" AND NOT (" WITHOUT_IDENTITY_SQL "))"

/* Check whether the publications exist, and whether they publish all kinds of
 * changes. */
static const CheckQuery publication_queries[] = {
	{
		.code = "publication_missing",
		.sql = "SELECT 'error', format('publication %I', name),"
			   " format('publication \"%s\" does not exist in database \"%s\"',"
			   "  name, current_database()),"
			   " format(E'CREATE PUBLICATION %1$I FOR ALL TABLES;\n"
			   "-- or only some: CREATE PUBLICATION %1$I FOR TABLE ...;', name)"
			   " FROM json_array_elements_text($1::json->'publications')"
			   "  AS wanted (name)"
			   " WHERE name NOT IN (SELECT pubname FROM pg_publication)",
	},
	{
		/*
		 * A warning before the publication is created: from then on the source
		 * refuses updates and deletes of tables without a replica identity.
		 */
		.code = "publication_refuses",
		.sql =
			"SELECT 'warning', 'publication', format('as soon as there is a "
			"publication FOR ALL TABLES, the source refuses to update or "
			"delete "
			"rows of %s table%s without a replica identity: %s', count(*),"
			"  CASE WHEN count(*) = 1 THEN '' ELSE 's' END,"
			"  array_to_string((array_agg(name ORDER BY name))[1:10], ', ')"
			"  || CASE WHEN count(*) > 10 THEN format(' and %s more',"
			"   count(*) - 10) ELSE '' END),"
			" array_to_string((array_agg(format('ALTER TABLE %s REPLICA "
			"IDENTITY "
			"FULL;', name) ORDER BY name))[1:10], E'\n')"
			" || CASE WHEN count(*) > 10 THEN E'\n-- and so on' ELSE '' END"
			" || E'\n-- do that first, or publish only tables that have a key'"
			" FROM (SELECT format('%I.%I', n.nspname, c.relname)"
			"  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
			"  WHERE c.relkind = 'r' AND c.relpersistence = 'p'"
			"  AND c.oid >= 16384 AND n.nspname <> 'penstock'"
			"  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
			"  AND " WITHOUT_IDENTITY_SQL ") t (name)"
			" WHERE EXISTS (SELECT FROM json_array_elements_text("
			"   $1::json->'publications') AS wanted (wanted)"
			"  WHERE wanted NOT IN (SELECT pubname FROM pg_publication))"
			" HAVING count(*) > 0",
	},
	{
		.code = "publication_empty",
		.sql = "SELECT 'warning', format('publication %I', pubname),"
			   " format('publication \"%s\" publishes no table', pubname),"
			   /* From PostgreSQL 19 on, a publication can be FOR ALL
				* SEQUENCES; no table can be added to that. */
			   " CASE WHEN to_jsonb(p)->>'puballsequences' = 'true' THEN"
			   "  format('ALTER PUBLICATION %I SET ALL TABLES, ALL "
			   "SEQUENCES;', pubname)"
			   " WHEN NOT puballtables THEN"
			   "  format('ALTER PUBLICATION %I ADD TABLE ...;', pubname) END"
			   " FROM pg_publication p WHERE pubname IN (SELECT "
			   "json_array_elements_text($1::json->'publications'))"
			   " AND NOT EXISTS (SELECT FROM pg_publication_tables t"
			   "  WHERE t.pubname = p.pubname)",
	},
	{
		.code = "publication_operations",
		.sql =
			"SELECT 'info', format('publication %I', pubname),"
			" format('publication \"%s\" leaves out %s: they do not reach the "
			"target', pubname, concat_ws(', ',"
			"  CASE WHEN NOT pubinsert THEN 'inserts' END,"
			"  CASE WHEN NOT pubupdate THEN 'updates' END,"
			"  CASE WHEN NOT pubdelete THEN 'deletes' END,"
			"  CASE WHEN NOT pubtruncate THEN 'truncates' END)),"
			" format('ALTER PUBLICATION %I SET (publish = %L);', pubname,"
			"  'insert, update, delete, truncate')"
			" FROM pg_publication WHERE pubname IN (SELECT "
			"json_array_elements_text($1::json->'publications'))"
			" AND NOT (pubinsert AND pubupdate AND pubdelete"
			"  AND pubtruncate)",
	},
};

/* Query of the unlogged tables that a publication p would contain if they were
 * logged; `condition`, on p and the table c, says which these are. */
#define UNLOGGED_SQL(condition)                                                \
	"SELECT 'warning', format('table %I.%I', n.nspname, c.relname),"           \
	" format('table \"%s\".\"%s\" is unlogged: its changes are never in the "  \
	"log, "                                                                    \
	"and the publication passes over it', n.nspname, c.relname),"              \
	" format('ALTER TABLE %I.%I SET LOGGED;', n.nspname, c.relname)"           \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"           \
	" WHERE c.relkind = 'r' AND c.relpersistence = 'u'"                        \
	" AND EXISTS (SELECT FROM pg_publication p WHERE p.pubname IN (SELECT "    \
	"json_array_elements_text($1::json->'publications')) AND (" condition "))" \
	" ORDER BY n.nspname, c.relname"

/* Check the published tables, of which they get the array of published.h. */
static const CheckQuery table_queries[] = {
	{
		.code = "published_tables",
		.sql = "SELECT 'ok', NULL, format('published tables: %s', count(*)),"
			   " NULL FROM json_array_elements($1::json->'tables')"
			   " HAVING count(*) > 0",
	},
	{
		.code = "unlogged_table",
		.major_max = 14,
		.sql = UNLOGGED_SQL("p.puballtables"),
	},
	{
		.code = "unlogged_table",
		.major_min = 15,
		.sql = UNLOGGED_SQL("p.puballtables OR EXISTS (SELECT"
							" FROM pg_publication_namespace s"
							" WHERE s.pnpubid = p.oid"
							" AND s.pnnspid = c.relnamespace)"),
	},
	{
		.code = "column_lists",
		.sql = "SELECT 'error', format('table %I.%I', schema, name),"
			   " format('the publications have different column lists for "
			   "table \"%s\".\"%s\"', schema, name),"
			   " '-- give it the same columns in all of them: ALTER "
			   "PUBLICATION ... SET TABLE ...;'"
			   " FROM json_to_recordset($1::json->'tables') AS t"
			   "  (schema text, name text, lists_differ bool)"
			   " WHERE lists_differ",
	},
	{
		.code = "source_privileges",
		.ok = "the role may read every published table",
		.sql =
			"SELECT 'error', format('schema %I', schema),"
			" format('role \"%s\" may not read %s of the published tables of "
			"schema \"%s\": %s', current_user, count(*), schema,"
			"  string_agg(quote_ident(name), ', ')),"
			" format(E'GRANT USAGE ON SCHEMA %I TO %I;\n"
			"GRANT SELECT ON TABLE %s TO %2$I;', schema, current_user,"
			"  string_agg(format('%I.%I', schema, name), ', '))"
			" FROM json_to_recordset($1::json->'tables') AS t"
			"  (oid oid, schema text, name text, columns json)"
			" WHERE NOT has_schema_privilege(schema, 'USAGE')"
			" OR EXISTS (SELECT FROM json_array_elements(columns) c"
			"  WHERE NOT has_column_privilege(oid, c->>'name', 'SELECT'))"
			" GROUP BY schema",
	},
	{
		.code = "source_row_security",
		.sql = "SELECT 'error', format('table %I.%I', schema, name),"
			   " format('row security would hide rows of table \"%s\".\"%s\" "
			   "from role "
			   "\"%s\", so that they cannot be copied', schema, name,"
			   "  current_user),"
			   " format('ALTER ROLE %I BYPASSRLS;', current_user)"
			   " FROM json_to_recordset($1::json->'tables') AS t"
			   "  (oid oid, schema text, name text)"
			   " WHERE row_security_active(oid)",
	},
	{
		/*
		 * The source uses the replica identities of the partitions, also if
		 * the partitioned table is published itself.
		 */
		.code = "replica_identity",
		.ok = "every table whose updates or deletes are published has a "
			  "replica identity",
		.sql =
			"WITH leaf AS (SELECT t.\"update\", t.\"delete\","
			"  coalesce(p.relid, t.oid) AS oid"
			" FROM json_to_recordset($1::json->'tables') AS t"
			"  (oid oid, \"update\" bool, \"delete\" bool)"
			" LEFT JOIN LATERAL pg_partition_tree(t.oid) p ON p.isleaf"
			" WHERE t.\"update\" OR t.\"delete\")"
			" SELECT 'warning', format('table %I.%I', n.nspname, c.relname),"
			" format('table \"%s\".\"%s\" is published and has no replica "
			"identity: "
			"the source refuses to %s its rows', n.nspname, c.relname,"
			"  concat_ws(' or ', CASE WHEN \"update\" THEN 'update' END,"
			"   CASE WHEN \"delete\" THEN 'delete' END)),"
			" CASE WHEN i.name IS NULL THEN format(E'ALTER TABLE %1$I.%2$I "
			"REPLICA IDENTITY FULL;\n"
			"-- or better: ALTER TABLE %1$I.%2$I ADD PRIMARY KEY (...);',"
			"   n.nspname, c.relname)"
			" ELSE format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX "
			"%I;', n.nspname, c.relname, i.name) END"
			" FROM leaf JOIN pg_class c ON c.oid = leaf.oid"
			" JOIN pg_namespace n ON n.oid = c.relnamespace"
			/* The index that the fix can make the replica identity. */
			" LEFT JOIN LATERAL (SELECT min(x.relname) AS name"
			"  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
			"  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid"
			"  AND i.indimmediate AND i.indpred IS NULL"
			"  AND i.indexprs IS NULL AND NOT EXISTS ("
			"   SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
			"   AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)) i ON true"
			" WHERE c.relkind = 'r' AND " WITHOUT_IDENTITY_SQL
			" ORDER BY n.nspname, c.relname",
	},
	{
		.code = "identity_filtered",
		.major_min = 15,
		.sql = RESTRICTED_SQL
		" SELECT 'warning', format('table %I.%I', nspname, relname),"
		" format('the source refuses to update or delete rows of table "
		"\"%s\".\"%s\": the row filter of publication \"%s\" uses columns that "
		"are not in its replica identity: %s', nspname, relname, pubname,"
		"  array_to_string(lacking, ', ')),"
		" format('ALTER TABLE %I.%I REPLICA IDENTITY FULL;', nspname, relname)"
		" FROM restricted CROSS JOIN LATERAL (SELECT array_agg(f) AS lacking"
		"  FROM unnest(filtered) f WHERE f <> ALL (identity)) d"
		" WHERE relreplident <> 'f' AND lacking IS NOT NULL"
		" ORDER BY nspname, relname, pubname",
	},
	{
		/* With REPLICA IDENTITY FULL, the server refuses any column list, even
		 * one of all columns. */
		.code = "identity_not_listed",
		.major_min = 15,
		.sql = RESTRICTED_SQL
		" SELECT 'warning', format('table %I.%I', nspname, relname),"
		" format('the source refuses to update or delete rows of table "
		"\"%s\".\"%s\": its replica identity has columns that the column list "
		"of "
		"publication \"%s\" leaves out%s', nspname, relname, pubname,"
		"  coalesce(': ' || array_to_string(lacking, ', '), '')),"
		" CASE WHEN relreplident = 'f' THEN format('-- give it another replica "
		"identity than FULL: ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT;',"
		"   nspname, relname)"
		" ELSE '-- add them to the list: ALTER PUBLICATION ... SET TABLE ...;' "
		"END FROM restricted CROSS JOIN LATERAL (SELECT array_agg(f) AS lacking"
		"  FROM unnest(identity) f WHERE f <> ALL (listed)) d"
		" WHERE listed IS NOT NULL AND (relreplident = 'f'"
		"  OR lacking IS NOT NULL) ORDER BY nspname, relname, pubname",
	},
	{
		/*
		 * From PostgreSQL 18 on, generated columns are published if the
		 * publication has publish_generated_columns.  If it has not, and the
		 * replica identity has such columns, the server refuses updates and
		 * deletes.  For columns that a column list leaves out see
		 * identity_not_listed.
		 */
		.code = "identity_columns",
		.sql =
			"SELECT CASE WHEN d.refused THEN 'warning' ELSE 'error' END,"
			" format('table %I.%I', t.schema, t.name),"
			" format('column %s of the replica identity of table \"%s\".\"%s\" "
			"is generated and not published: %s',"
			"  string_agg(format('\"%s\"', a.attname), ', '),"
			"  t.schema, t.name, CASE WHEN d.refused THEN format('the source "
			"refuses to %s its "
			"rows', concat_ws(' or ', CASE WHEN \"update\" THEN 'update' END,"
			"   CASE WHEN \"delete\" THEN 'delete' END))"
			"  ELSE 'an update or delete there stops the pipeline' END),"
			" format('ALTER TABLE %I.%I REPLICA IDENTITY FULL;', t.schema,"
			"  t.name)"
			" FROM json_to_recordset($1::json->'tables') AS t"
			"  (oid oid, schema text, name text, \"update\" bool,"
			"   \"delete\" bool, columns json)"
			" JOIN pg_class c ON c.oid = t.oid"
			" JOIN pg_index i ON i.indrelid = c.oid"
			"  AND (c.relreplident = 'd' AND i.indisprimary"
			"   OR c.relreplident = 'i' AND i.indisreplident)"
			" JOIN pg_attribute a ON a.attrelid = c.oid"
			"  AND a.attnum = ANY (i.indkey) AND a.attgenerated <> ''"
			" CROSS JOIN LATERAL (SELECT"
			"  current_setting('server_version_num')::int >= 180000"
			"  AS refused) d"
			" WHERE (t.\"update\" OR t.\"delete\") AND NOT EXISTS ("
			"  SELECT FROM json_to_recordset(t.columns) AS s (name text)"
			"  WHERE s.name = a.attname)"
			" GROUP BY t.schema, t.name, \"update\", \"delete\", d.refused"
			" ORDER BY t.schema, t.name",
	},
	{
		/*
		 * If a partitioned table is published itself, the WAL has the columns
		 * of the partition's replica identity, but the target needs those of
		 * the partitioned table's.
		 */
		.code = "partition_identity",
		.sql =
			"WITH lacking AS (SELECT t.schema, t.name, d.root_lacks,"
			"  format('%I.%I', n.nspname, c.relname) AS leaf, l.leaf_lacks"
			" FROM json_to_recordset($1::json->'tables') AS t"
			"  (oid oid, schema text, name text, \"update\" bool,"
			"   \"delete\" bool, identity text, columns json)"
			" JOIN pg_class r ON r.oid = t.oid AND r.relkind = 'p'"
			" CROSS JOIN LATERAL (SELECT array_agg(s.name) AS names"
			"  FROM json_to_recordset(t.columns) AS s (name text, key bool)"
			"  WHERE s.key) k"
			" CROSS JOIN LATERAL (SELECT t.identity <> 'f'"
			"  AND k.names IS NULL AS root_lacks) d"
			" CROSS JOIN LATERAL pg_partition_tree(t.oid) p"
			" JOIN pg_class c ON c.oid = p.relid AND c.relkind = 'r'"
			" JOIN pg_namespace n ON n.oid = c.relnamespace"
			" CROSS JOIN LATERAL (SELECT c.relreplident <> 'f'"
			"  AND (t.identity = 'f' OR d.root_lacks OR NOT k.names <@ ARRAY("
			"   SELECT a.attname::text FROM pg_index i JOIN pg_attribute a"
			"   ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
			"   WHERE i.indrelid = c.oid"
			"   AND (c.relreplident = 'd' AND i.indisprimary"
			"    OR c.relreplident = 'i' AND i.indisreplident)))"
			"  AS leaf_lacks) l"
			" WHERE (t.\"update\" OR t.\"delete\")"
			" AND (d.root_lacks OR l.leaf_lacks))"
			" SELECT 'error', format('table %I.%I', schema, name),"
			" format('table \"%s\".\"%s\" is published as a whole, and %s: an "
			"update or delete there stops the pipeline', schema, name,"
			"  CASE WHEN root_lacks THEN 'has no replica identity'"
			"  ELSE format('the replica identity of %s of its partitions lacks "
			"columns of its own', count(*)) END),"
			" CASE WHEN root_lacks THEN format('ALTER TABLE %I.%I REPLICA "
			"IDENTITY FULL;', schema, name) || E'\n' ELSE '' END"
			" || coalesce(string_agg(format('ALTER TABLE %s REPLICA IDENTITY "
			"FULL;', leaf), E'\n' ORDER BY leaf) FILTER (WHERE leaf_lacks), '')"
			" FROM lacking GROUP BY schema, name, root_lacks"
			" ORDER BY schema, name",
	},
};

/* Makes the check of --on-conflict that a clone and a follower make when they
 * start. */
static Rc
check_conflict_rules(CheckContext *context, const CheckServer *server,
					 Error *err)
{
	Rc rc = RC_OK;

	if (!findings_have_error(context->findings, "publication_missing"))
		rc = rules_check(context->config, context->remembered,
						 context->remembered->count > 0, server->conn, err);
	if (rc != RC_FAIL || err->code != ERR_CONFIG)
		return rc;
	findings_add_error(context->findings,
					   &(Finding){.level = FINDING_ERROR,
								  .code = "on_conflict",
								  .server = server->name,
								  .object = "option --on-conflict"},
					   err);
	return RC_OK;
}

static Rc
check_published(CheckContext *context, const CheckServer *server, Error *err)
{
	Rc rc = check_run_queries(context, server, publication_queries,
							  LENGTH_OF(publication_queries), err);

	if (rc == RC_OK)
		rc = check_read_published(context, server->conn, err);
	if (rc == RC_OK && strcmp(context->tables, "[]") != 0)
		rc = check_run_queries(context, server, table_queries,
							   LENGTH_OF(table_queries), err);
	return rc;
}

static Rc
check_reached(CheckContext *context, const CheckServer *server, Error *err)
{
	Rc rc = check_run_queries(context, server, server_queries,
							  LENGTH_OF(server_queries), err);

	if (rc == RC_OK)
		rc = check_large_objects(context, server, err);
	if (rc == RC_OK)
		rc = slot_read(server->conn, context->config->name, &context->slot,
					   err);
	context->slot_known = rc == RC_OK;
	if (rc == RC_OK)
		rc = check_run_queries(context, server, plugin_queries,
							   LENGTH_OF(plugin_queries), err);
	if (rc == RC_OK)
		rc = check_plugin(context, server, err);
	if (rc == RC_OK && context->publications != NULL)
		rc = check_published(context, server, err);
	if (rc == RC_OK && context->publications != NULL)
		rc = check_conflict_rules(context, server, err);
	if (rc == RC_OK)
		rc = check_place(context, server, err);
	return rc;
}

Rc
check_source(CheckContext *context, Error *err)
{
	CheckServer server = {.name = CHECK_SOURCE};
	Rc rc = check_connect(context, context->config->source, &server,
						  &context->source, err);

	if (rc == RC_OK)
		rc = check_reached(context, &server, err);
	pgconn_close(server.conn);
	return check_finish_server(context, &server, rc, err);
}
