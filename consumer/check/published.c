/*
 * published.c
 *    Queries the source for its published tables as JSON.
 */
#include "check/published.h"

#include "base/json.h"
#include "catalog/publications.h"

/*
 * Query of the published tables.  $1 is the array of publications.  %s is the
 * column of pg_publication_tables with the published columns, which exists from
 * PostgreSQL 15 on.
 */
static const char tables_sql[] =
	"WITH published AS MATERIALIZED (SELECT c.oid AS relid,"
	"  bool_or(p.pubinsert) AS pubinsert, bool_or(p.pubupdate) AS pubupdate,"
	"  bool_or(p.pubdelete) AS pubdelete,"
	"  bool_or(p.pubtruncate) AS pubtruncate,"
	"  min(t.attnames) AS attnames,"
	"  count(DISTINCT t.attnames) > 1 AS lists_differ"
	" FROM pg_publication p"
	" JOIN (SELECT pubname, schemaname, tablename, %s AS attnames"
	"  FROM pg_publication_tables) t ON t.pubname = p.pubname"
	" JOIN pg_namespace n ON n.nspname = t.schemaname"
	" JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename"
	" WHERE p.pubname IN (SELECT json_array_elements_text($1::json))"
	"  AND n.nspname <> 'penstock'"
	" GROUP BY c.oid)"
	" SELECT coalesce(json_agg(json_build_object('oid', c.oid::bigint,"
	"  'schema', n.nspname, 'name', c.relname, 'identity', c.relreplident,"
	"  'insert', p.pubinsert, 'update', p.pubupdate, 'delete', p.pubdelete,"
	"  'truncate', p.pubtruncate, 'lists_differ', p.lists_differ,"
	"  'columns', coalesce(l.columns, '[]')) ORDER BY n.nspname, c.relname),"
	"  '[]')"
	" FROM published p JOIN pg_class c ON c.oid = p.relid"
	" JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indimmediate"
	"  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary"
	"   WHEN 'i' THEN i.indisreplident ELSE false END"
	" CROSS JOIN LATERAL (SELECT json_agg(json_build_object("
	"   'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),"
	"   'base', format_type(a.atttypid, NULL), 'required', a.attnotnull,"
	"   'default', (SELECT pg_get_expr(d.adbin, d.adrelid)"
	"    FROM pg_attrdef d WHERE d.adrelid = a.attrelid"
	"    AND d.adnum = a.attnum),"
	"   'key', coalesce(a.attnum = ANY (i.indkey), false))"
	"   ORDER BY a.attnum) AS columns"
	"  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"
	"  AND NOT a.attisdropped AND a.attgenerated = ''"
	"  AND (p.attnames IS NULL OR a.attname = ANY (p.attnames))) l"
	" WHERE NOT EXISTS (SELECT FROM pg_partition_ancestors(p.relid) r"
	"  JOIN published q ON q.relid = r.relid WHERE r.relid <> p.relid)";

Rc
check_parse_publications(CheckContext *context, Error *err)
{
	Arena *arena = findings_arena(context->findings);
	Publications publications;
	Json json;
	Buf buf;
	Rc rc = publications_parse(&publications, context->config->publications,
							   arena, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	json_begin_array(&json);
	for (int i = 0; i < publications.count; i++)
		json_text(&json, publications.names[i]);
	json_end_array(&json);
	context->publications = arena_strdup(arena, buf.data);
	buf_release(&buf);
	return RC_OK;
}

/* Reads context->nowhere: the published tables that the placement assigns to no
 * target. */
static Rc
read_nowhere(CheckContext *context, PgConn *source, Error *err)
{
	static const char sql[] =
		"SELECT t->>'schema', t->>'name' FROM json_array_elements($1::json) t";
	const char *params[] = {context->tables};
	const Placement *placement = context->config->placement;
	PGresult *result = NULL;
	Json json;
	Buf buf;
	Rc rc;

	if (placement == NULL)
		return RC_OK;
	rc = pgconn_exec_params(source, sql, 1, params, &result, err);
	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	json_begin_array(&json);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		const PlacementRule *rule = placement_find(
			placement, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));

		if (rule == NULL || rule->kind != PLACEMENT_NONE)
			continue;
		json_begin_object(&json);
		json_member_string(&json, "schema", PQgetvalue(result, i, 0));
		json_member_string(&json, "name", PQgetvalue(result, i, 1));
		json_end_object(&json);
	}
	json_end_array(&json);
	if (buf.overflowed)
		rc = error_set(err, ERR_LIMIT, "too many tables are placed nowhere");
	if (rc == RC_OK)
		context->nowhere = arena_strdup(findings_arena(context->findings),
										buf.data);
	buf_release(&buf);
	PQclear(result);
	return rc;
}

Rc
check_read_published(CheckContext *context, PgConn *source, Error *err)
{
	const char *params[] = {context->publications};
	bool has_lists = pgconn_server_version_num(source) >= 150000;
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, tables_sql, has_lists ? "attnames" : "NULL::name[]");
	rc = pgconn_exec_params(source, sql.data, 1, params, &result, err);
	if (rc == RC_OK)
		context->tables = arena_strdup(findings_arena(context->findings),
									   PQgetvalue(result, 0, 0));
	buf_release(&sql);
	PQclear(result);
	return rc == RC_OK ? read_nowhere(context, source, err) : rc;
}
