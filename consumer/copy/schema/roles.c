/*
 * roles.c
 *    Queries the source for the names of roles and tablespaces that its objects
 *    use, and the target for which of these are missing.
 */
#include "copy/schema/roles.h"

#include <stdio.h>
#include <string.h>

#include "catalog/own_schema.h"
#include "net/sql.h"

/* Appends a CTE of the relations that will be created: those of the whole
 * database, or the catalog's. */
static void
append_copied(Buf *sql, const CopyCatalog *catalog)
{
	buf_append_string(sql, "WITH copied AS (SELECT * FROM pg_class"
						   " WHERE oid >= 16384 AND ");
	if (catalog->whole)
	{
		buf_append_string(sql, "oid <> ALL (");
		catalog_append_unselected(catalog, sql);
		buf_append_string(sql, "))");
	}
	else
	{
		buf_append_string(sql, "oid = ANY (");
		catalog_append_oids(catalog, sql);
		buf_append_string(sql, "))");
	}
}

/*
 * Query of the roles that the source's objects use, by kind: owners ("o"),
 * grantees ("a"), roles with default privileges ("d"), which only a member of
 * the role can set, and roles of policies and user mappings ("r").  The
 * bootstrap superuser is pinned and not in pg_shdepend, so its objects are
 * searched in the catalogs.  Members of an extension are left out: CREATE
 * EXTENSION creates them for the role that runs it.
 */
static const char roles_sql[] =
	" SELECT DISTINCT pg_get_userbyid(o.role), o.kind FROM ("
	" SELECT d.classid, d.objid, d.refobjid,"
	"   CASE d.classid WHEN 'pg_default_acl'::regclass THEN"
	"     CASE d.deptype WHEN 'o' THEN 'd' ELSE 'a' END"
	"    WHEN 'pg_user_mapping'::regclass THEN 'r' ELSE d.deptype::text END"
	"  FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass"
	"  AND d.deptype IN ('o', 'a', 'r') AND d.dbid = (SELECT oid FROM "
	"pg_database"
	"   WHERE datname = current_database())"
	" UNION ALL SELECT 'pg_class'::regclass, c.oid, 10, 'o' FROM pg_class c"
	"  WHERE c.relowner = 10 AND c.oid >= 16384"
	" UNION ALL SELECT 'pg_proc'::regclass, p.oid, 10, 'o' FROM pg_proc p"
	"  WHERE p.proowner = 10 AND p.oid >= 16384"
	" UNION ALL SELECT 'pg_type'::regclass, t.oid, 10, 'o' FROM pg_type t"
	"  WHERE t.typowner = 10 AND t.oid >= 16384 AND t.typrelid = 0"
	"  AND t.typcategory <> 'A'"
	" UNION ALL SELECT 'pg_namespace'::regclass, n.oid, 10, 'o'"
	"  FROM pg_namespace n WHERE n.nspowner = 10 AND n.oid >= 16384"
	"  AND n.nspname <> '" CATALOG_OWN_SCHEMA "' AND n.nspname !~ '^pg_'"
	" UNION ALL SELECT 'pg_largeobject'::regclass, m.oid, 10, 'o'"
	"  FROM pg_largeobject_metadata m WHERE m.lomowner = 10"
	") o (classid, objid, role, kind)"
	" WHERE o.classid NOT IN ('pg_extension'::regclass,"
	"  'pg_publication'::regclass, 'pg_subscription'::regclass)"
	" AND (o.classid <> 'pg_class'::regclass"
	"  OR o.objid IN (SELECT oid FROM copied))"
	" AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.classid"
	"  AND e.objid = o.objid AND e.deptype = 'e')";

static const char tablespaces_sql[] =
	" SELECT DISTINCT t.spcname, 't' FROM copied c"
	" JOIN pg_tablespace t ON t.oid = c.reltablespace";

/* Second part of the query for missing roles, after VALUES with the names. */
static const char roles_lacking_sql[] =
	") v (name, kind) LEFT JOIN pg_roles r ON r.rolname = v.name"
	" WHERE (r.oid IS NULL OR v.kind IN ('o', 'd')"
	"  AND NOT pg_has_role(r.oid, 'MEMBER'))";

static const char tablespaces_lacking_sql[] =
	") v (name, kind) LEFT JOIN pg_tablespace t ON t.spcname = v.name"
	" WHERE t.oid IS NULL"
	" OR NOT has_tablespace_privilege(t.oid, 'CREATE')";

/* Appends ('name', 'kind'), … */
static void
append_names(Buf *sql, const PGresult *names)
{
	ASSERT(PQntuples(names) > 0);
	for (int i = 0; i < PQntuples(names); i++)
	{
		buf_append_string(sql, i > 0 ? ", (" : "(");
		buf_append_literal(sql, PQgetvalue(names, i, 0));
		buf_printf(sql, "::name, '%s')", PQgetvalue(names, i, 1));
	}
}

/* Appends a condition on the objects o: the object's schema is selected, or the
 * object is in no schema. */
static void
append_schema_selected(Buf *sql, const Selected *selected)
{
	if (selected->schema_count == 0)
		return;
	buf_append_string(
		sql, " AND (SELECT CASE WHEN o.classid = 'pg_namespace'::regclass"
			 "  THEN i.name ELSE i.schema END"
			 " FROM pg_identify_object(o.classid, o.objid, 0) i)");
	selected_append_schemas(selected, sql);
}

/*
 * Queries the source for names, with `source_sql`, and the target for those
 * that are missing there, with `lacking_sql`.  *result has one field: the list
 * of missing names, or null if there are none.  *result itself is NULL if the
 * source's objects use no names at all.
 */
static Rc
read_lacking(const CopyCatalog *catalog, PgConn *source, const char *source_sql,
			 PgConn *target, const char *lacking_sql, PGresult **result,
			 Error *err)
{
	PGresult *names = NULL;
	Buf sql;
	Rc rc;

	ASSERT(source_sql == roles_sql || source_sql == tablespaces_sql);
	buf_init(&sql, BUF_TEXT_MAX);
	append_copied(&sql, catalog);
	buf_append_string(&sql, source_sql);
	if (source_sql == roles_sql)
		append_schema_selected(&sql, &catalog->selected);
	rc = sql_run(source, &sql, &names, err);
	if (rc == RC_OK && PQntuples(names) > 0)
	{
		buf_init(&sql, BUF_TEXT_MAX);
		buf_append_string(
			&sql, "SELECT string_agg(DISTINCT quote_ident(v.name), ', ')"
				  " FROM (VALUES ");
		append_names(&sql, names);
		buf_append_string(&sql, lacking_sql);
		rc = sql_run(target, &sql, result, err);
	}
	PQclear(names);
	return rc;
}

/* Whether the result of read_lacking() has a name. */
static bool
lacks(const PGresult *result)
{
	ASSERT(result == NULL || PQntuples(result) == 1);
	return result != NULL && !PQgetisnull(result, 0, 0);
}

static Rc
lacks_roles(const char *roles, PgConn *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "roles are missing on %s, or its user \"%s\" cannot give "
					  "objects to them: %s",
					  pgconn_label(target), PQuser(pgconn_raw(target)), roles);

	error_hint(err, "Create them there (\"pg_dumpall --roles-only\" prints the "
					"statements) and make the user a member of them or a "
					"superuser; or use --no-owner and --no-privileges, which "
					"does away with all but the roles of policies and user "
					"mappings.");
	return rc;
}

static Rc
check_roles(const RestoreLimits *limits, const CopyCatalog *catalog,
			PgConn *source, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	char lacking_sql[512];
	Rc rc;

	snprintf(lacking_sql, sizeof(lacking_sql), "%s%s%s", roles_lacking_sql,
			 limits->no_owner ? " AND v.kind <> 'o'" : "",
			 limits->no_privileges ? " AND v.kind NOT IN ('a', 'd')" : "");
	CHECK(strlen(lacking_sql) + 1 < sizeof(lacking_sql));
	rc = read_lacking(catalog, source, roles_sql, target, lacking_sql, &result,
					  err);
	if (rc == RC_OK && lacks(result))
		rc = lacks_roles(PQgetvalue(result, 0, 0), target, err);
	PQclear(result);
	return rc;
}

static Rc
check_tablespaces(const RestoreLimits *limits, const CopyCatalog *catalog,
				  PgConn *source, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc;

	if (limits->no_tablespaces)
		return RC_OK;
	rc = read_lacking(catalog, source, tablespaces_sql, target,
					  tablespaces_lacking_sql, &result, err);
	if (rc == RC_OK && lacks(result))
	{
		rc = error_set(err, ERR_CONFIG,
					   "tablespaces are missing on %s, or its user \"%s\" may "
					   "not use them: %s",
					   pgconn_label(target), PQuser(pgconn_raw(target)),
					   PQgetvalue(result, 0, 0));
		error_hint(err, "Create them there, or use --no-tablespaces to put "
						"everything into the default one.");
	}
	PQclear(result);
	return rc;
}

Rc
roles_check(const RestoreLimits *limits, const CopyCatalog *catalog,
			PgConn *source, PgConn *target, Error *err)
{
	Rc rc = check_roles(limits, catalog, source, target, err);

	if (rc == RC_OK)
		rc = check_tablespaces(limits, catalog, source, target, err);
	return rc;
}

Rc
roles_read_limits(RestoreLimits *limits, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target,
						"SELECT NOT rolsuper FROM pg_roles"
						" WHERE rolname = current_user",
						&result, err);

	if (rc != RC_OK)
		return rc;
	limits->no_comments_on_extensions = sql_bool(result, 0, 0);
	PQclear(result);
	return RC_OK;
}
