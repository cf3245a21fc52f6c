/*
 * obstacles.c
 *    The questions.  Most of them read a list from the source, which a query on
 *    the target compares with the target's catalogs.
 */
#include "check/obstacles.h"

#include <string.h>

#include "base/macros.h"
#include "catalog/foreign_keys.h"
#include "catalog/hash.h"
#include "catalog/match.h"
#include "catalog/own_schema.h"
#include "copy/rows/large_objects.h"
#include "net/citus.h"
#include "net/sql.h"
#include "sequence/sequences.h"

/* Maximum number of names in the detail of an error. */
#define NAMES_SHOWN "10"

/* Expression of an aggregating query: the first NAMES_SHOWN names, and the
 * number of the others. */
#define SOME_NAMES_SQL(name)                                                   \
	"array_to_string((array_agg(" name " ORDER BY " name "))[1:" NAMES_SHOWN   \
	"], ', ') || CASE WHEN count(*) > " NAMES_SHOWN                            \
	" THEN format(' and %s more', count(*) - " NAMES_SHOWN ") ELSE '' END"


/* ---- The source ---- */

static Rc
check_source_kind(const CopyPlan *plan, Error *err)
{
	return citus_refuse(plan->source, err);
}

static Rc
may_not_read(const PGresult *result, PgConn *source, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "user \"%s\" may not read all tables on %s",
					  PQuser(pgconn_raw(source)), pgconn_label(source));

	error_detail(err, "These: %s.", PQgetvalue(result, 0, 0));
	error_hint(err,
			   "Run there, as their owner: GRANT USAGE ON SCHEMA %1$s TO %2$s; "
			   "GRANT SELECT ON ALL TABLES IN SCHEMA %1$s TO %2$s;  A table "
			   "with row security also wants its owner, or a role with "
			   "BYPASSRLS.",
			   PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
	return rc;
}

/* Extends a condition on the table c to all tables of the database that are no
 * members of an extension, but for the OIDs that follow. */
static const char dumped_sql[] =
	" OR c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
	" AND c.oid >= 16384"
	" AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace"
	"  WHERE nspname IN ('information_schema', '" CATALOG_OWN_SCHEMA "')"
	"  OR nspname ~ '^pg_')"
	" AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'"
	"  AND e.classid = 'pg_class'::regclass AND e.objid = c.oid)"
	" AND c.oid <> ALL (";

/*
 * Appends a condition on the table c: its rows are copied, or pg_dump locks it
 * to dump its schema, for which the role needs the privilege to read it, too.
 */
static void
append_read_tables(const CopyPlan *plan, Buf *sql)
{
	const CopyCatalog *catalog = plan->catalog;

	buf_append_string(sql, "(c.oid = ANY (");
	catalog_append_tables(catalog, sql);
	buf_append_char(sql, ')');
	if (!plan->data_only && catalog->whole)
	{
		buf_append_string(sql, dumped_sql);
		catalog_append_unselected(catalog, sql);
		buf_append_char(sql, ')');
	}
	buf_append_char(sql, ')');
}

static Rc
check_tables_readable(const CopyPlan *plan, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT " SOME_NAMES_SQL(
				  "t.name") ", string_agg("
							"DISTINCT t.schema, ', '),"
							" quote_ident(current_user)"
							" FROM (SELECT format('%I.%I',"
							"   n.nspname, c.relname), quote_ident(n.nspname)"
							"  FROM pg_class c"
							"  JOIN pg_namespace n"
							"  ON n.oid = c.relnamespace"
							"  WHERE ");
	append_read_tables(plan, &sql);
	buf_append_string(&sql,
					  " AND (NOT has_schema_privilege(c.relnamespace, 'USAGE')"
					  "  OR NOT has_table_privilege(c.oid, 'SELECT')"
					  "  OR row_security_active(c.oid) AND c.oid = ANY (");
	catalog_append_tables(plan->catalog, &sql);
	buf_append_string(&sql, "))) t (name, schema) HAVING count(*) > 0");
	rc = sql_run(plan->source, &sql, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = may_not_read(result, plan->source, err);
	PQclear(result);
	return rc;
}

static Rc
check_sequences_readable(const CopyPlan *plan, Error *err)
{
	if (plan->schema_only)
		return RC_OK;
	return sequences_check_readable(plan->catalog, plan->source, err);
}


/* Checks that the role can read all large objects, if they are copied. */
static Rc
check_large_objects_readable(const CopyPlan *plan, Error *err)
{
	if (!catalog_has_large_objects(plan->catalog) || plan->schema_only)
		return RC_OK;
	return large_objects_check_readable(plan->source, err);
}

/* Checks foreign keys to rows that row filters leave out.  Those between nodes
 * are checked with the placement: see foreign_keys_check_places(). */
static Rc
check_foreign_keys(const CopyPlan *plan, Error *err)
{
	if (plan->schema_only)
		return RC_OK;
	return foreign_keys_check_filters(plan->catalog, plan->source, err);
}


/* ---- Objects that exist on the target already ---- */

static Rc
check_target_kind(const CopyPlan *plan, Error *err)
{
	return citus_refuse(plan->target, err);
}

/*
 * Query of the source's objects that pg_restore will create under their names:
 * system catalog, type and identity.
 */
static const char created_sql[] =
	"SELECT o.classid::regclass, i.type, i.identity FROM ("
	" SELECT 'pg_namespace'::regclass, n.oid FROM pg_namespace n"
	"  WHERE n.nspname NOT IN ('public', '" CATALOG_OWN_SCHEMA "')"
	"  AND n.nspname !~ '^pg_'"
	" UNION ALL SELECT 'pg_class'::regclass, c.oid FROM pg_class c"
	"  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')"
	"  AND c.relpersistence <> 't'"
	" UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p"
	" UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t"
	"  WHERE t.typtype IN ('b', 'd', 'e', 'r') AND t.typcategory <> 'A'"
	") o (classid, objid)"
	" CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) i"
	" WHERE o.objid >= 16384"
	" AND coalesce(i.schema, '') NOT IN ('" CATALOG_OWN_SCHEMA "',"
	"  'information_schema') AND coalesce(i.schema, '') !~ '^pg_'"
	" AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.classid"
	"  AND e.objid = o.objid AND e.deptype = 'e')";

static Rc
read_created(const CopyCatalog *catalog, PgConn *source, PGresult **result,
			 Error *err)
{
	const Selected *selected = &catalog->selected;
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, created_sql);
	buf_append_string(&sql, " AND o.objid <> ALL (");
	catalog_append_unselected(catalog, &sql);
	buf_append_char(&sql, ')');
	if (selected->schema_count > 0)
	{
		buf_append_string(&sql, " AND (CASE WHEN o.classid ="
								" 'pg_namespace'::regclass THEN i.name"
								" ELSE i.schema END)");
		selected_append_schemas(selected, &sql);
	}
	return sql_run(source, &sql, result, err);
}

/* Queries which of the objects in `created` exist on the target: one row with
 * their names, or no rows. */
static Rc
read_present(const PGresult *created, PgConn *target, PGresult **result,
			 Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "WITH present AS (SELECT o.classid, i.identity FROM ("
			  " SELECT 'pg_namespace'::regclass, oid FROM pg_namespace"
			  " UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class"
			  "  WHERE relkind NOT IN ('i', 'I', 't')"
			  " UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc"
			  " UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type)"
			  " o (classid, objid) CROSS JOIN LATERAL"
			  " pg_identify_object(o.classid, o.objid, 0) i"
			  " WHERE o.objid >= 16384)"
			  " SELECT " SOME_NAMES_SQL(
				  "w.kind || ' ' || w.identity") " FROM (VALUES ");
	for (int i = 0; i < PQntuples(created); i++)
	{
		buf_printf(&sql, "%s('%s'::regclass, '%s', ", i > 0 ? ", " : "",
				   PQgetvalue(created, i, 0), PQgetvalue(created, i, 1));
		buf_append_literal(&sql, PQgetvalue(created, i, 2));
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql,
					  ") w (classid, kind, identity) WHERE EXISTS (SELECT"
					  " FROM present p WHERE p.classid = w.classid"
					  " AND p.identity = w.identity) HAVING count(*) > 0");
	return sql_run(target, &sql, result, err);
}

static Rc
check_nothing_in_the_way(const CopyPlan *plan, Error *err)
{
	PGresult *created = NULL;
	PGresult *result = NULL;
	Rc rc;

	if (plan->of_table)
		return RC_OK;
	rc = match_check_missing(plan->catalog, plan->target, err);
	if (rc != RC_OK || !plan->catalog->whole)
		return rc;
	rc = read_created(plan->catalog, plan->source, &created, err);
	if (rc == RC_OK && PQntuples(created) > 0)
		rc = read_present(created, plan->target, &result, err);
	if (rc == RC_OK && result != NULL && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "%s already has some of what is to be created",
					   pgconn_label(plan->target));
		error_detail(err, "In the way: %s.", PQgetvalue(result, 0, 0));
		error_hint(err, "Drop it there, or clone into an empty database; or "
						"use --data-only to copy into tables that are there.");
	}
	PQclear(created);
	PQclear(result);
	return rc;
}

static Rc
check_no_large_objects(const CopyPlan *plan, Error *err)
{
	if (!catalog_has_large_objects(plan->catalog))
		return RC_OK;
	return large_objects_check_missing(plan->target, err);
}


/* ---- What the target lacks ---- */

/* Appends the first part of a query for the target: the names of the source's
 * extensions as the list v (name). */
static Rc
append_extensions(const CopyPlan *plan, Buf *sql, int *count, Error *err)
{
	PGresult *names = NULL;
	Rc rc = pgconn_exec(plan->source,
						"SELECT extname FROM pg_extension WHERE oid >= 16384",
						&names, err);

	*count = rc == RC_OK ? PQntuples(names) : 0;
	buf_append_string(sql, " FROM unnest(ARRAY[");
	for (int i = 0; i < *count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_literal(sql, PQgetvalue(names, i, 0));
	}
	buf_append_string(sql, "]::text[]) v (name)");
	PQclear(names);
	return rc;
}

/*
 * Queries the target for the source's extensions that meet a condition.  Sets
 * *names to a list of their names, which belongs to *result, or to NULL if
 * there are none.
 */
static Rc
find_extensions(const CopyPlan *plan, const char *condition, PGresult **result,
				const char **names, Error *err)
{
	int count = 0;
	Buf sql;
	Rc rc;

	*names = NULL;
	if (!plan->catalog->whole || plan->catalog->selected.by_schema)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT string_agg(quote_ident(v.name), ', ' ORDER BY v.name)");
	rc = append_extensions(plan, &sql, &count, err);
	buf_append_string(&sql, condition);
	if (rc != RC_OK || count == 0)
	{
		buf_release(&sql);
		return rc;
	}
	rc = sql_run(plan->target, &sql, result, err);
	if (rc == RC_OK && !PQgetisnull(*result, 0, 0))
		*names = PQgetvalue(*result, 0, 0);
	return rc;
}

static Rc
check_extensions(const CopyPlan *plan, Error *err)
{
	PGresult *result = NULL;
	const char *names;
	Rc rc = find_extensions(plan,
							" WHERE v.name NOT IN"
							" (SELECT name FROM pg_available_extensions)",
							&result, &names, err);

	if (rc == RC_OK && names != NULL)
	{
		rc = error_set(err, ERR_CONFIG,
					   "extensions are not available on %s: %s",
					   pgconn_label(plan->target), names);
		error_hint(err, "Install their packages on that server; "
						"pg_available_extensions lists what it has.");
	}
	PQclear(result);
	return rc;
}

/* Checks that the role can create the extensions: a trusted extension needs
 * only the privilege CREATE on the database. */
static Rc
check_may_create_extensions(const CopyPlan *plan, Error *err)
{
	PGresult *result = NULL;
	const char *names;
	Rc rc = find_extensions(
		plan,
		" WHERE NOT current_setting('is_superuser')::bool"
		" AND v.name NOT IN (SELECT extname FROM pg_extension)"
		" AND EXISTS (SELECT FROM pg_available_extension_versions e"
		"  JOIN pg_available_extensions a"
		"  ON a.name = e.name AND a.default_version = e.version"
		"  WHERE e.name = v.name AND e.superuser AND NOT e.trusted)",
		&result, &names, err);

	if (rc == RC_OK && names != NULL)
	{
		rc = error_set(err, ERR_CONFIG,
					   "only a superuser may create these extensions on %s, "
					   "and \"%s\" is none: %s",
					   pgconn_label(plan->target),
					   PQuser(pgconn_raw(plan->target)), names);
		error_hint(err,
				   "Create them there as a superuser first (CREATE EXTENSION "
				   "...), or clone as one.");
	}
	PQclear(result);
	return rc;
}

/* Query of the source's objects that only a superuser can create, apart from
 * members of extensions: their number, and one of them. */
static const char superuser_objects_sql[] =
	"SELECT count(*), min(o.what) FROM ("
	" SELECT 'function ' || p.oid::regprocedure, 'pg_proc'::regclass, p.oid"
	"  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
	"  WHERE NOT l.lanpltrusted AND p.oid >= 16384"
	" UNION ALL SELECT 'event trigger ' || quote_ident(evtname),"
	"  'pg_event_trigger'::regclass, oid FROM pg_event_trigger"
	" UNION ALL SELECT 'foreign-data wrapper ' || quote_ident(fdwname),"
	"  'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper"
	" UNION ALL SELECT 'type ' || oid::regtype, 'pg_type'::regclass, oid"
	"  FROM pg_type WHERE typtype = 'b' AND typcategory <> 'A'"
	") o (what, classid, objid) WHERE o.objid >= 16384"
	" AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'"
	"  AND e.classid = o.classid AND e.objid = o.objid)";

static Rc
check_superuser_objects(const CopyPlan *plan, Error *err)
{
	PGresult *role = NULL;
	PGresult *result = NULL;
	Rc rc;

	if (!plan->catalog->whole || plan->catalog->selected.by_schema)
		return RC_OK;
	rc = pgconn_exec(plan->target,
					 "SELECT current_setting('is_superuser')::bool", &role,
					 err);
	if (rc == RC_OK && !sql_bool(role, 0, 0))
		rc = pgconn_exec(plan->source, superuser_objects_sql, &result, err);
	if (rc == RC_OK && result != NULL &&
		strcmp(PQgetvalue(result, 0, 0), "0") != 0)
	{
		rc = error_set(
			err, ERR_CONFIG,
			"only a superuser may create %s of the source's "
			"objects, such as %s, and user \"%s\" is no superuser on %s",
			PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
			PQuser(pgconn_raw(plan->target)), pgconn_label(plan->target));
		error_hint(err, "Clone as a superuser; or publish tables rather than "
						"FOR ALL TABLES, which copies these tables and what "
						"they need.");
	}
	PQclear(role);
	PQclear(result);
	return rc;
}

/* Appends ('schema', 'owner'), … for the objects that are to be created. */
static Rc
append_owners(const CopyPlan *plan, Buf *list, Error *err)
{
	PGresult *names = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql,
					  "SELECT DISTINCT n.nspname, pg_get_userbyid(c.relowner)"
					  " FROM pg_class c"
					  " JOIN pg_namespace n ON n.oid = c.relnamespace"
					  " WHERE c.oid = ANY (");
	catalog_append_oids(plan->catalog, &sql);
	buf_append_char(&sql, ')');
	rc = sql_run(plan->source, &sql, &names, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(names); i++)
	{
		buf_append_string(list, ", (");
		buf_append_literal(list, PQgetvalue(names, i, 0));
		buf_append_string(list, ", ");
		buf_append_literal(list, PQgetvalue(names, i, 1));
		buf_append_char(list, ')');
	}
	PQclear(names);
	return rc;
}

/*
 * Checks the schemas that exist on the target already, such as "public": the
 * role needs the privilege to create tables there, and so do the roles that are
 * to own the tables.
 */
static Rc
check_may_create(const CopyPlan *plan, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT quote_ident(n.nspname),"
							" string_agg(DISTINCT quote_ident(r.rolname), ', ')"
							" FROM (VALUES (NULL::text, NULL::text)");
	rc = append_owners(plan, &sql, err);
	buf_printf(&sql,
			   ") v (schema, owner) JOIN pg_namespace n ON n.nspname = v.schema"
			   " JOIN pg_roles r ON r.rolname IN (current_user%s)"
			   " WHERE NOT current_setting('is_superuser')::bool"
			   " AND NOT (has_schema_privilege(r.oid, n.oid, 'USAGE')"
			   "  AND has_schema_privilege(r.oid, n.oid, 'CREATE'))"
			   " GROUP BY 1",
			   plan->limits.no_owner ? "" : ", v.owner");
	if (rc == RC_OK)
		rc = sql_run(plan->target, &sql, &result, err);
	else
		buf_release(&sql);
	if (rc == RC_OK && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "roles may not create tables on %s in schema %s: %s",
					   pgconn_label(plan->target), PQgetvalue(result, 0, 0),
					   PQgetvalue(result, 0, 1));
		error_hint(err, "Run there: GRANT USAGE, CREATE ON SCHEMA %s TO %s;",
				   PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
	}
	PQclear(result);
	return rc;
}

static Rc
check_roles(const CopyPlan *plan, Error *err)
{
	return roles_check(&plan->limits, plan->catalog, plan->source, plan->target,
					   err);
}

static Rc
check_tables_there(const CopyPlan *plan, Error *err)
{
	return plan->of_table
			   ? match_target_columns(plan->catalog, plan->target, err)
			   : match_target(plan->catalog, plan->target, err);
}


/* ---- Partitions whose rows differ between servers ---- */

/*
 * Query, after a CTE with the OIDs of tables, for those that are hash
 * partitions by a column whose hash differs between servers (see
 * catalog/hash.h): their names, and the topmost partitioned table of one.
 */
#define NAMES_OF_PARTITIONS_SQL SOME_NAMES_SQL("o.name")

static const char other_partitions_sql[] =
	"), parts AS (SELECT DISTINCT c.oid::regclass::text AS name,"
	"  pg_partition_root(c.oid)::text AS root FROM tables"
	"  JOIN pg_class c ON c.oid = tables.oid"
	"  CROSS JOIN LATERAL pg_partition_ancestors(c.oid) r (relid)"
	"  JOIN pg_partitioned_table p ON p.partrelid = r.relid"
	"   AND p.partstrat = 'h' AND r.relid <> c.oid"
	"  CROSS JOIN unnest(p.partattrs::int2[]) k (attnum)"
	"  JOIN pg_attribute a ON a.attrelid = p.partrelid"
	"   AND a.attnum = k.attnum"
	"  CROSS JOIN LATERAL (SELECT a.atttypid AS oid) t"
	"  WHERE " HASH_IS_LOCAL_SQL ")"
	" SELECT " NAMES_OF_PARTITIONS_SQL ", min(o.root)"
	" FROM parts o HAVING count(*) > 0";

static Rc
are_other_partitions(const CopyPlan *plan, const PGresult *result, Error *err)
{
	const Publications *publications = &plan->catalog->publications;
	Rc rc = error_set(err, ERR_CONFIG,
					  "partitions of table %s have other rows on every server: "
					  "the hash by which it is divided is made of OIDs",
					  PQgetvalue(result, 0, 1));
	Buf hint;

	error_detail(err, "These are published each by itself: %s.",
				 PQgetvalue(result, 0, 0));
	buf_init(&hint, BUF_TEXT_MAX);
	for (int i = 0; i < publications->count; i++)
	{
		buf_append_string(&hint, i > 0 ? "; ALTER PUBLICATION "
									   : "ALTER PUBLICATION ");
		buf_append_identifier(&hint, publications->names[i]);
		buf_append_string(&hint, " SET (publish_via_partition_root = true)");
	}
	error_hint(err, "Publish them through their root; run on the source: %s;",
			   hint.data);
	buf_release(&hint);
	return rc;
}

static Rc
find_other_partitions(const CopyPlan *plan, PgConn *conn, const Buf *oids,
					  Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH tables (oid) AS (SELECT unnest(");
	buf_append(&sql, oids->data, oids->length);
	buf_append_char(&sql, ')');
	buf_append_string(&sql, other_partitions_sql);
	rc = sql_run(conn, &sql, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = are_other_partitions(plan, result, err);
	PQclear(result);
	return rc;
}

/* Checks the source's partitions, which the clone will create on the target. */
static Rc
check_partitions(const CopyPlan *plan, Error *err)
{
	Buf oids;
	Rc rc;

	buf_init(&oids, BUF_TEXT_MAX);
	catalog_append_tables(plan->catalog, &oids);
	rc = find_other_partitions(plan, plan->source, &oids, err);
	buf_release(&oids);
	return rc;
}

/* Checks the partitions that exist on the target. */
static Rc
check_partitions_there(const CopyPlan *plan, Error *err)
{
	Buf oids;
	Rc rc;

	buf_init(&oids, BUF_TEXT_MAX);
	buf_append_string(&oids, "ARRAY[");
	for (int i = 0; i < plan->catalog->table_count; i++)
	{
		buf_append_string(&oids, i > 0 ? ", to_regclass(" : "to_regclass(");
		buf_append_literal(&oids, plan->catalog->tables[i].qualified);
		buf_append_char(&oids, ')');
	}
	buf_append_string(&oids, "]::oid[]");
	rc = find_other_partitions(plan, plan->target, &oids, err);
	buf_release(&oids);
	return rc;
}


/* ---- All questions ---- */

static const struct Question
{
	CopySide side;
	bool with_schema; /* whether the question is for clones with schema */
	bool without;     /* whether the question is for clones without schema */
	Rc (*ask)(const CopyPlan *plan, Error *err);
} questions[] = {
	{COPY_SIDE_SOURCE, true, true, check_source_kind},
	{COPY_SIDE_SOURCE, true, true, check_tables_readable},
	{COPY_SIDE_SOURCE, true, true, check_sequences_readable},
	{COPY_SIDE_SOURCE, true, false, check_large_objects_readable},
	{COPY_SIDE_SOURCE, true, false, check_foreign_keys},
	{COPY_SIDE_SOURCE, true, false, check_partitions},
	{COPY_SIDE_TARGET, true, true, check_target_kind},
	{COPY_SIDE_TARGET, false, true, check_partitions_there},
	{COPY_SIDE_TARGET, true, false, check_nothing_in_the_way},
	{COPY_SIDE_TARGET, true, false, check_no_large_objects},
	{COPY_SIDE_TARGET, true, false, check_may_create},
	{COPY_SIDE_TARGET, true, false, check_extensions},
	{COPY_SIDE_TARGET, true, false, check_may_create_extensions},
	{COPY_SIDE_TARGET, true, false, check_superuser_objects},
	{COPY_SIDE_TARGET, true, false, check_roles},
	{COPY_SIDE_TARGET, false, true, check_tables_there},
};

Rc
obstacles_find(const CopyPlan *plan, CopySide side, ObstacleTaker take,
			   void *context, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < LENGTH_OF(questions) && rc == RC_OK; i++)
	{
		const struct Question *question = &questions[i];

		if (question->side != side ||
			!(plan->data_only ? question->without : question->with_schema))
			continue;
		rc = question->ask(plan, err);
		if (rc == RC_FAIL && err->code == ERR_CONFIG)
			rc = take(context, err);
	}
	return rc;
}

static Rc
take_as_failure(void *context UNUSED, Error *err UNUSED)
{
	return RC_FAIL;
}

Rc
obstacles_check(const CopyPlan *plan, CopySide side, Error *err)
{
	return obstacles_find(plan, side, take_as_failure, NULL, err);
}
