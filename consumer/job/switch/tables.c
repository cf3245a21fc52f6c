/*
 * tables.c
 *    Queries on the tables of both servers.
 */
#include "job/switch/tables.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "control/copy/copied_table.h"
#include "control/schema.h"
#include "net/sql.h"

/* Largest number of problems that are named, and of objects that are reported.
 */
#define PROBLEMS_MAX 20
#define BOUND_MAX    50

/* First version whose publications have column lists and schemas. */
#define LISTS_VERSION_NUM 150000

/* ---- reading ---- */

static MUST_CHECK Rc
read_catalog(Switch *self, Error *err)
{
	const CatalogOptions options = {
		.publications = self->config.publications,
		.selection = &self->config.selection,
		.without_unlogged = true,
	};

	catalog_free(self->catalog);
	self->catalog = NULL;
	return catalog_read(&self->catalog, self->source, &options, err);
}

/*
 * `down` are the published tables and their partitions, `moved` also the
 * partitioned tables that have no other partitions.
 */
static void
append_moved(const Switch *self, Buf *sql)
{
	buf_append_string(sql, "WITH RECURSIVE down (oid) AS (SELECT unnest(");
	catalog_append_tables(self->catalog, sql);
	buf_append_string(sql,
					  ") UNION SELECT i.inhrelid FROM down d"
					  "  JOIN pg_partitioned_table p ON p.partrelid = d.oid"
					  "  JOIN pg_inherits i ON i.inhparent = d.oid),"
					  " moved (oid) AS (SELECT oid FROM down"
					  "  UNION SELECT a.relid FROM down d,"
					  "   LATERAL pg_partition_ancestors(d.oid) a (relid)"
					  "   WHERE NOT EXISTS (SELECT FROM pg_partition_tree("
					  "    a.relid) t WHERE t.isleaf AND NOT EXISTS ("
					  "    SELECT FROM down x WHERE x.oid = t.relid)))");
}

static MUST_CHECK Rc
query_tables(const Switch *self, PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	append_moved(self, &sql);
	/* Only the uppermost partitioned table gets a row trigger, whose copies the
	 * partitions have. */
	buf_append_string(&sql,
					  " SELECT m.oid::regclass,"
					  " (c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits i"
					  "  WHERE i.inhrelid = m.oid))"
					  " AND NOT EXISTS (SELECT FROM pg_partition_ancestors("
					  "  m.oid) a (relid) JOIN moved x ON x.oid = a.relid"
					  "  WHERE a.relid <> m.oid)"
					  " FROM moved m JOIN pg_class c ON c.oid = m.oid"
					  " ORDER BY m.oid");
	return sql_run(self->source, &sql, result, err);
}

static MUST_CHECK Rc
read_tables(const Switch *self, SwitchTables *tables, Error *err)
{
	PGresult *result = NULL;
	Rc rc = query_tables(self, &result, err);

	*tables = (SwitchTables){0};
	if (rc == RC_OK)
	{
		tables->count = PQntuples(result);
		tables->tables = arena_calloc(self->arena, (size_t) tables->count,
									  sizeof(RefusedTable));
	}
	for (int i = 0; i < tables->count; i++)
		tables->tables[i] = (RefusedTable){
			.name = arena_strdup(self->arena, PQgetvalue(result, i, 0)),
			.has_rows = sql_bool(result, i, 1)};
	PQclear(result);
	return rc;
}

Rc
switch_tables_read(Switch *self, Error *err)
{
	Rc rc = read_catalog(self, err);

	if (rc == RC_OK)
		rc = read_tables(self, &self->tables, err);
	if (rc == RC_OK && self->tables.count == 0)
		rc = error_set(err, ERR_CONFIG,
					   "the publications of pipeline \"%s\" have no tables",
					   self->config.name);
	return rc;
}

Rc
switch_tables_compare(Switch *self, bool *same, Error *err)
{
	SwitchTables now;
	Rc rc = read_catalog(self, err);

	*same = false;
	if (rc == RC_OK)
		rc = read_tables(self, &now, err);
	if (rc != RC_OK || now.count != self->tables.count)
		return rc;
	*same = true;
	for (int i = 0; i < now.count; i++)
		*same &= strcmp(now.tables[i].name, self->tables.tables[i].name) == 0 &&
				 now.tables[i].has_rows == self->tables.tables[i].has_rows;
	return RC_OK;
}

/* ---- checking ---- */

/*
 * Queries for problems of the source's tables.  Each starts after the CTE
 * `moved`, and returns one row per problem.
 */
static const char source_problems_sql[] =
	" SELECT format('role \"%s\" does not own table %s', current_user,"
	"  m.oid::regclass) FROM moved m JOIN pg_class c ON c.oid = m.oid"
	"  WHERE NOT pg_has_role(c.relowner, 'USAGE')"
	" UNION ALL SELECT format('%s is a foreign table', m.oid::regclass)"
	"  FROM moved m JOIN pg_class c ON c.oid = m.oid WHERE c.relkind = 'f'"
	" UNION ALL SELECT format('partition %s is unlogged, so the target does not"
	" have its rows', m.oid::regclass) FROM moved m"
	"  JOIN pg_class c ON c.oid = m.oid"
	"  WHERE c.relkind = 'r' AND c.relpersistence = 'u'"
	" UNION ALL SELECT format('table %s is written to by a subscription',"
	"  r.srrelid::regclass) FROM moved m JOIN pg_subscription_rel r"
	"  ON r.srrelid = m.oid"
	" UNION ALL SELECT format('table %s has the triggers of another switch',"
	"  t.tgrelid::regclass) FROM moved m JOIN pg_trigger t"
	"  ON t.tgrelid = m.oid JOIN pg_proc p ON p.oid = t.tgfoid"
	"  JOIN pg_namespace n ON n.oid = p.pronamespace"
	"  WHERE n.nspname = 'penstock' AND p.proname LIKE 'refuse\\_%'"
	"  AND p.proname <> 'refuse_' || $1 AND t.tgparentid = 0"
	" UNION ALL SELECT format('publication %I does not publish inserts,"
	" updates, deletes and truncates alike', pubname) FROM pg_publication"
	"  WHERE pubname = ANY ($2::name[]) AND NOT (pubinsert AND pubupdate"
	"   AND pubdelete AND pubtruncate)";

/*
 * Part of that query: tables of the source that another pipeline writes to.
 * Its writes would be refused, too.
 */
static const char pipelines_sql[] =
	" UNION ALL SELECT format('table %s is written to by pipeline \"%s\"',"
	"  m.oid::regclass, k.pipeline) FROM moved m"
	"  JOIN pg_class c ON c.oid = m.oid"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace" COPIED_TABLE_WRITERS_SQL
	" WHERE k.pipeline <> $3";

/* From 15 on a publication can have column lists. */
static const char lists_sql[] =
	" UNION ALL SELECT format('table %s has a column list or a row filter in"
	" publication %I', r.prrelid::regclass, p.pubname)"
	"  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
	"  WHERE p.pubname = ANY ($2::name[])"
	"  AND (r.prattrs IS NOT NULL OR r.prqual IS NOT NULL)";

/* $1: names of the tables; $2: whether there is a way back. */
static const char target_problems_sql[] =
	"WITH moved (name, oid) AS (SELECT n, to_regclass(n)"
	"  FROM json_array_elements_text($1::json) n)"
	" SELECT format('table %s is not there', name) FROM moved"
	"  WHERE oid IS NULL"
	" UNION ALL SELECT format('index %s is not valid', i.indexrelid::regclass)"
	"  FROM moved m JOIN pg_index i ON i.indrelid = m.oid"
	"  WHERE NOT i.indisvalid"
	" UNION ALL SELECT format('role \"%s\" does not own table %s',"
	"  current_user, name) FROM moved m JOIN pg_class c ON c.oid = m.oid"
	"  WHERE $2::boolean AND NOT pg_has_role(c.relowner, 'USAGE')"
	" UNION ALL SELECT format('table %s has no replica identity, which the way"
	" back needs', name) FROM moved m JOIN pg_class c ON c.oid = m.oid"
	"  WHERE $2::boolean AND c.relkind = 'r' AND CASE c.relreplident"
	"   WHEN 'f' THEN false WHEN 'n' THEN true"
	"   WHEN 'd' THEN NOT EXISTS (SELECT FROM pg_index i"
	"    WHERE i.indrelid = c.oid AND i.indisprimary)"
	"   ELSE NOT EXISTS (SELECT FROM pg_index i"
	"    WHERE i.indrelid = c.oid AND i.indisreplident) END";

/*
 * Constraints that have to be checked still: those of the target that are not
 * valid, and that the source does not have in the same way.
 */
static const char invalid_sql[] =
	" SELECT format('constraint %I of table %s is not valid', k.conname,"
	"  k.conrelid::regclass) FROM moved m JOIN pg_constraint k"
	"  ON k.conrelid = m.oid WHERE NOT k.convalidated ORDER BY 1";

/*
 * Query for objects that would still use the tables of the source after the
 * switch.
 */
static const char bound_sql[] =
	" SELECT DISTINCT format('%s %s reads table %s of the source still',"
	"  CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,"
	"  v.oid::regclass, m.oid::regclass) FROM moved m JOIN pg_depend d"
	"  ON d.refobjid = m.oid AND d.refclassid = 'pg_class'::regclass"
	"  AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite w"
	"  ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class"
	"  WHERE v.oid <> m.oid"
	" UNION SELECT format('foreign key %I of table %s, which is not moved,"
	" refers to table %s: it is checked against what flows back', k.conname,"
	"  k.conrelid::regclass, m.oid::regclass) FROM moved m"
	"  JOIN pg_constraint k ON k.confrelid = m.oid AND k.contype = 'f'"
	"  WHERE NOT EXISTS (SELECT FROM moved x WHERE x.oid = k.conrelid)"
	" UNION SELECT format('foreign key %I of table %s refers to table %s,"
	" which is not moved: the target does not check it', k.conname,"
	"  m.oid::regclass, k.confrelid::regclass) FROM moved m"
	"  JOIN pg_constraint k ON k.conrelid = m.oid AND k.contype = 'f'"
	"  WHERE NOT EXISTS (SELECT FROM moved x WHERE x.oid = k.confrelid)"
	" UNION SELECT format('publication %I has table %s: its subscribers get"
	" what flows back to the source, and nothing without the way back',"
	"  p.pubname, m.oid::regclass) FROM moved m JOIN pg_publication_rel r"
	"  ON r.prrelid = m.oid JOIN pg_publication p ON p.oid = r.prpubid"
	"  WHERE p.pubname <> ALL ($1::name[])"
	" UNION SELECT format('publication %I has all tables: its subscribers get"
	" what flows back to the source, and nothing without the way back', "
	"pubname)"
	"  FROM pg_publication WHERE puballtables"
	"  AND pubname <> ALL ($1::name[])"
	" UNION SELECT format('replication slot %I (%s) decodes the source still:"
	" it gets what flows back, and nothing without the way back', slot_name,"
	" plugin) FROM pg_replication_slots WHERE slot_type = 'logical'"
	"  AND database = current_database() AND NOT temporary"
	"  AND slot_name <> ALL (ARRAY[$2::name, $3::name])"
	" UNION SELECT format('table %s is unlogged: it is not moved, and can be"
	" written at both places', c.oid::regclass) FROM pg_class c"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  WHERE c.relkind = 'r' AND c.relpersistence = 'u'"
	"  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'penstock')"
	"  AND EXISTS (SELECT FROM pg_publication p WHERE p.puballtables"
	"   AND p.pubname = ANY ($1::name[]))";

/* From 15 on a publication can have all tables of a schema. */
static const char of_schemas_sql[] =
	" UNION SELECT DISTINCT format('publication %I has the tables of schema %s:"
	" its subscribers get what flows back to the source, and nothing without "
	"the"
	" way back', p.pubname, s.pnnspid::regnamespace) FROM moved m"
	"  JOIN pg_class c ON c.oid = m.oid"
	"  JOIN pg_publication_namespace s ON s.pnnspid = c.relnamespace"
	"  JOIN pg_publication p ON p.oid = s.pnpubid"
	"  WHERE p.pubname <> ALL ($1::name[])"
	" UNION SELECT format('table %s is unlogged: it is not moved, and can be"
	" written at both places', c.oid::regclass) FROM pg_class c"
	"  JOIN pg_publication_namespace s ON s.pnnspid = c.relnamespace"
	"  JOIN pg_publication p ON p.oid = s.pnpubid"
	"  WHERE c.relkind = 'r' AND c.relpersistence = 'u'"
	"  AND p.pubname = ANY ($1::name[])";

/*
 * Query for tables that were created on the server that takes the writes, and
 * are not part of the way back.
 */
static const char created_since_sql[] =
	" UNION SELECT format('table %s is not part of the way back: it and its"
	" rows stay where they are', c.oid::regclass) FROM pg_class c"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'"
	"  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'penstock')"
	"  AND NOT EXISTS (SELECT FROM moved x WHERE x.oid = c.oid)"
	"  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid"
	"   AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')";

/* Runs a query of one column; `more` is appended to `rest`.  *lines is
 * owned by the caller. */
static MUST_CHECK Rc
ask(const Switch *self, PgConn *conn, const char *rest, const char *more,
	int param_count, const char *const *params, PGresult **lines, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	append_moved(self, &sql);
	buf_append_string(&sql, rest);
	buf_append_string(&sql, more);
	CHECK(!sql.overflowed);
	rc = pgconn_exec_params(conn, sql.data, param_count, params, lines, err);
	buf_release(&sql);
	return rc;
}

static void
append_lines(const PGresult *lines, Buf *text)
{
	for (int i = 0; i < PQntuples(lines); i++)
		buf_printf(text, "%s%s", text->length > 0 ? "; " : "",
				   PQgetvalue(lines, i, 0));
}

/* Fails if a query has returned problems. */
static MUST_CHECK Rc
refuse_lines(const PgConn *conn, const PGresult *lines, Error *err)
{
	int count = PQntuples(lines);
	Buf text;
	Rc rc;

	if (count == 0)
		return RC_OK;
	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < count && i < PROBLEMS_MAX; i++)
		buf_printf(&text, "%s%s", i > 0 ? "; " : "", PQgetvalue(lines, i, 0));
	if (count > PROBLEMS_MAX)
		buf_printf(&text, "; and %d more", count - PROBLEMS_MAX);
	rc = error_set(err, ERR_CONFIG,
				   "the writes cannot be moved with what is on %s",
				   pgconn_label(conn));
	error_detail(err, "%s.", text.data);
	buf_release(&text);
	return rc;
}

/*
 * Returns the names of the pipeline's publications as an array in text format.
 */
static const char *
publication_array(const Switch *self)
{
	const Publications *list = &self->catalog->publications;
	const char *text;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_char(&buf, '{');
	for (int i = 0; i < list->count; i++)
	{
		if (i > 0)
			buf_append_char(&buf, ',');
		buf_append_element(&buf, list->names[i], strlen(list->names[i]));
	}
	buf_append_char(&buf, '}');
	text = arena_strdup(self->arena, buf.data);
	buf_release(&buf);
	return text;
}

/* Writes the query about the source; *knows says whether anything is, or was,
 * followed to there. */
static MUST_CHECK Rc
append_problems(const Switch *self, Buf *sql, bool *knows, Error *err)
{
	Rc rc = control_has(self->source, "copied", knows, err);

	buf_append_string(sql, source_problems_sql);
	if (pgconn_server_version_num(self->source) >= LISTS_VERSION_NUM)
		buf_append_string(sql, lists_sql);
	if (*knows)
		buf_append_string(sql, pipelines_sql);
	return rc;
}

Rc
switch_tables_check_source(const Switch *self, Error *err)
{
	const char *params[] = {self->config.name, publication_array(self),
							self->back};
	PGresult *lines = NULL;
	bool knows;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	rc = append_problems(self, &sql, &knows, err);
	if (rc == RC_OK)
		rc = ask(self, self->source, sql.data, "",
				 knows ? LENGTH_OF(params) : LENGTH_OF(params) - 1, params,
				 &lines, err);
	if (rc == RC_OK)
		rc = refuse_lines(self->source, lines, err);
	PQclear(lines);
	buf_release(&sql);
	return rc;
}

void
switch_tables_append_names(const Switch *self, Buf *buf)
{
	Json json;

	json_init(&json, buf);
	json_begin_array(&json);
	for (int i = 0; i < self->tables.count; i++)
		json_text(&json, self->tables.tables[i].name);
	json_end_array(&json);
}

/* Reads the constraints of the source's tables that are not valid, as text. */
static MUST_CHECK Rc
read_invalid(const Switch *self, Buf *text, Error *err)
{
	PGresult *lines = NULL;
	Rc rc = ask(self, self->source, invalid_sql, "", 0, NULL, &lines, err);

	if (rc == RC_OK)
		append_lines(lines, text);
	PQclear(lines);
	return rc;
}

/*
 * Checks the constraints of the target's tables with invalid_sql.  `names` has
 * the names of the tables.
 */
static MUST_CHECK Rc
check_constraints(const Switch *self, const char *names, Error *err)
{
	const char *params[] = {names, NULL};
	PGresult *lines = NULL;
	Buf sql;
	Buf known;
	Rc rc;

	buf_init(&known, BUF_TEXT_MAX);
	buf_init(&sql, BUF_TEXT_MAX);
	rc = read_invalid(self, &known, err);
	params[1] = known.length > 0 ? known.data : "";
	buf_printf(&sql,
			   "WITH moved (oid) AS (SELECT to_regclass(n)"
			   " FROM json_array_elements_text($1::json) n)"
			   " SELECT line FROM (%s) k (line)"
			   " WHERE line <> ALL (string_to_array($2, '; '))",
			   invalid_sql);
	if (rc == RC_OK)
		rc = pgconn_exec_params(self->target, sql.data, LENGTH_OF(params),
								params, &lines, err);
	if (rc == RC_OK)
		rc = refuse_lines(self->target, lines, err);
	PQclear(lines);
	buf_release(&sql);
	buf_release(&known);
	return rc;
}

Rc
switch_tables_check_target(const Switch *self, Error *err)
{
	const char *params[2] = {NULL, self->config.no_way_back ? "f" : "t"};
	PGresult *lines = NULL;
	Buf names;
	Rc rc;

	buf_init(&names, BUF_TEXT_MAX);
	switch_tables_append_names(self, &names);
	CHECK(!names.overflowed);
	params[0] = names.data;
	rc = pgconn_exec_params(self->target, target_problems_sql,
							LENGTH_OF(params), params, &lines, err);
	if (rc == RC_OK)
		rc = refuse_lines(self->target, lines, err);
	PQclear(lines);
	if (rc == RC_OK)
		rc = check_constraints(self, names.data, err);
	buf_release(&names);
	return rc;
}

static MUST_CHECK Rc
report_bound(const Switch *self, Error *err)
{
	const char *params[] = {publication_array(self), self->config.name,
							self->back};
	PGresult *lines = NULL;
	Buf sql;
	int count;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, bound_sql);
	if (pgconn_server_version_num(self->source) >= LISTS_VERSION_NUM)
		buf_append_string(&sql, of_schemas_sql);
	if (self->config.back)
		buf_append_string(&sql, created_since_sql);
	rc = ask(self, self->source, sql.data, " ORDER BY 1", LENGTH_OF(params),
			 params, &lines, err);
	buf_release(&sql);
	count = rc == RC_OK ? PQntuples(lines) : 0;
	for (int i = 0; i < count && i < BOUND_MAX; i++)
		report_line(self->report, "note: %s", PQgetvalue(lines, i, 0));
	if (count > BOUND_MAX)
		report_line(self->report, "note: and %d more like these",
					count - BOUND_MAX);
	PQclear(lines);
	return rc;
}

Rc
switch_tables_check(Switch *self, Error *err)
{
	Rc rc = switch_tables_check_source(self, err);

	if (rc == RC_OK)
		rc = switch_tables_check_target(self, err);
	return rc == RC_OK ? report_bound(self, err) : rc;
}
