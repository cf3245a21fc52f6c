/*
 * obstacles.c
 *    What the source has, as lists for the target to compare with.
 */
#include "copy/obstacles.h"

#include "copy/large_objects.h"
#include "copy/match.h"
#include "copy/sql.h"

/* Names that a detail lists; it says how many more there are. */
#define NAMES_SHOWN "10"

/* Behind a list of names and of their number: the first of them. */
#define SOME_NAMES_SQL(name)                                                   \
	"array_to_string((array_agg(" name " ORDER BY " name "))[1:" NAMES_SHOWN   \
	"], ', ') || CASE WHEN count(*) > " NAMES_SHOWN                            \
	" THEN format(' and %s more', count(*) - " NAMES_SHOWN ") ELSE '' END"


/* ---- The source ---- */

static Rc
may_not_read(const PGresult *result, PgConn *source, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "user \"%s\" may not read all tables on %s",
					  PQuser(pgconn_raw(source)), pgconn_label(source));

	error_detail(err, "These: %s.", PQgetvalue(result, 0, 0));
	error_hint(err,
			   "Run there, as their owner: GRANT SELECT ON %s TO %s; and the "
			   "same for USAGE of the schema.  A table with row security also "
			   "wants its owner, or a role with BYPASSRLS.",
			   PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
	return rc;
}

Rc
obstacles_check_source(const CopyCatalog *catalog, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT " SOME_NAMES_SQL(
								"t.name") ", min(t.name),"
										  " quote_ident(current_user)"
										  " FROM (SELECT c.oid::regclass::text"
										  "  FROM pg_class c"
										  "  WHERE c.oid = ANY (");
	catalog_append_tables(catalog, &sql);
	buf_append_string(
		&sql, ") AND (NOT has_schema_privilege(c.relnamespace, 'USAGE')"
			  "  OR NOT has_table_privilege(c.oid, 'SELECT')"
			  "  OR row_security_active(c.oid))) t (name) HAVING count(*) > 0");
	rc = sql_run(source, &sql, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = may_not_read(result, source, err);
	PQclear(result);
	return rc;
}


/* ---- What is in the way ---- */

/*
 * What will be created by itself, with a name of its own: catalog, kind and
 * identity.
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

/* Which of these the target has; one row if there is any. */
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
check_nothing_in_the_way(const CopyCatalog *catalog, PgConn *source,
						 PgConn *target, Error *err)
{
	PGresult *created = NULL;
	PGresult *result = NULL;
	Rc rc = read_created(catalog, source, &created, err);

	if (rc == RC_OK && PQntuples(created) > 0)
		rc = read_present(created, target, &result, err);
	if (rc == RC_OK && result != NULL && PQntuples(result) > 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "%s already has some of what is to be created",
					   pgconn_label(target));
		error_detail(err, "In the way: %s.", PQgetvalue(result, 0, 0));
		error_hint(err, "Drop it there, or clone into an empty database; or "
						"use --data-only to copy into tables that are there.");
	}
	PQclear(created);
	PQclear(result);
	return rc;
}


/* ---- What is missing ---- */

static Rc
lacks_extensions(const char *names, PgConn *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "extensions are not available on %s: %s",
					  pgconn_label(target), names);

	error_hint(err, "Install their packages on that server; "
					"pg_available_extensions lists what it has.");
	return rc;
}

static Rc
check_extensions(PgConn *source, PgConn *target, Error *err)
{
	PGresult *names = NULL;
	PGresult *result = NULL;
	Buf sql;
	Rc rc = pgconn_exec(source,
						"SELECT extname FROM pg_extension WHERE oid >= 16384",
						&names, err);

	if (rc != RC_OK || PQntuples(names) == 0)
	{
		PQclear(names);
		return rc;
	}
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT string_agg(quote_ident(v), ', ' ORDER BY v)"
							" FROM unnest(ARRAY[");
	for (int i = 0; i < PQntuples(names); i++)
	{
		buf_append_string(&sql, i > 0 ? ", " : "");
		buf_append_literal(&sql, PQgetvalue(names, i, 0));
	}
	buf_append_string(&sql, "]::text[]) v WHERE v NOT IN"
							" (SELECT name FROM pg_available_extensions)");
	rc = sql_run(target, &sql, &result, err);
	if (rc == RC_OK && !PQgetisnull(result, 0, 0))
		rc = lacks_extensions(PQgetvalue(result, 0, 0), target, err);
	PQclear(names);
	PQclear(result);
	return rc;
}

Rc
obstacles_check_target(const CopyCatalog *catalog, const RestoreLimits *limits,
					   PgConn *source, PgConn *target, Error *err)
{
	Rc rc = match_check_absent(catalog, target, err);

	if (rc == RC_OK && catalog->whole)
		rc = check_nothing_in_the_way(catalog, source, target, err);
	if (rc == RC_OK && catalog_has_large_objects(catalog))
		rc = large_objects_check_absent(target, err);
	if (rc == RC_OK && catalog->whole && !catalog->selected.by_schema)
		rc = check_extensions(source, target, err);
	if (rc == RC_OK)
		rc = roles_check(limits, catalog, source, target, err);
	return rc;
}
