/*
 * roles.c
 *    Names that the source's objects use, looked up on the target.
 */
#include "copy/roles.h"

#include "base/log.h"
#include "copy/sql.h"

/* The relations that will be created, all of them or the catalog's. */
static void
append_copied(Buf *sql, const CopyCatalog *catalog)
{
	buf_append_string(sql, "WITH copied AS (SELECT * FROM pg_class"
						   " WHERE oid >= 16384 AND ");
	if (catalog->publications.all_tables)
		buf_append_string(sql, "true)");
	else
	{
		buf_append_string(sql, "oid = ANY (");
		catalog_append_oids(catalog, sql);
		buf_append_string(sql, "))");
	}
}

/*
 * Owners and those who were granted something.  The bootstrap superuser is
 * pinned and not in pg_shdepend: its objects are looked for themselves.
 */
static const char roles_sql[] =
	" SELECT DISTINCT pg_get_userbyid(d.refobjid), d.deptype = 'o'"
	" FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass"
	" AND d.deptype IN ('o', 'a') AND d.dbid = (SELECT oid FROM pg_database"
	"  WHERE datname = current_database())"
	" AND (d.classid <> 'pg_class'::regclass"
	"  OR d.objid IN (SELECT oid FROM copied))"
	" UNION SELECT pg_get_userbyid(10), true"
	" WHERE EXISTS (SELECT FROM copied WHERE relowner = 10)"
	" OR EXISTS (SELECT FROM pg_proc WHERE proowner = 10 AND oid >= 16384)"
	" OR EXISTS (SELECT FROM pg_type WHERE typowner = 10 AND oid >= 16384)"
	" OR EXISTS (SELECT FROM pg_namespace"
	"  WHERE nspowner = 10 AND oid >= 16384)";

static const char tablespaces_sql[] =
	" SELECT DISTINCT t.spcname, true FROM copied c"
	" JOIN pg_tablespace t ON t.oid = c.reltablespace";

/* Behind VALUES with the names. */
static const char roles_lacking_sql[] =
	") v (name, owns) LEFT JOIN pg_roles r ON r.rolname = v.name"
	" WHERE r.oid IS NULL OR v.owns AND NOT pg_has_role(r.oid, 'MEMBER')";

static const char tablespaces_lacking_sql[] =
	") v (name, used) LEFT JOIN pg_tablespace t ON t.spcname = v.name"
	" WHERE t.oid IS NULL"
	" OR NOT has_tablespace_privilege(t.oid, 'CREATE')";

/* Appends ('name', flag), … */
static void
append_names(Buf *sql, const PGresult *names)
{
	for (int i = 0; i < PQntuples(names); i++)
	{
		buf_append_string(sql, i > 0 ? ", (" : "(");
		buf_append_literal(sql, PQgetvalue(names, i, 0));
		buf_printf(sql, "::name, %s)",
				   sql_bool(names, i, 1) ? "true" : "false");
	}
}

/*
 * Reads names from the source, by `source_sql`, and asks the target which of
 * them it lacks, by `lacking_sql`.  *result has one field: their list, or NULL.
 * *result itself is NULL if there is no name at all.
 */
static Rc
read_lacking(const CopyCatalog *catalog, PgConn *source, const char *source_sql,
			 PgConn *target, const char *lacking_sql, PGresult **result,
			 Error *err)
{
	PGresult *names = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	append_copied(&sql, catalog);
	buf_append_string(&sql, source_sql);
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

/* Whether the result of read_lacking() names anything. */
static bool
lacks(const PGresult *result)
{
	return result != NULL && !PQgetisnull(result, 0, 0);
}

static Rc
check_roles(RestoreLimits *limits, const CopyCatalog *catalog, PgConn *source,
			PgConn *target, bool warn, Error *err)
{
	PGresult *result = NULL;
	Rc rc = read_lacking(catalog, source, roles_sql, target, roles_lacking_sql,
						 &result, err);

	limits->no_owner = rc == RC_OK && lacks(result);
	if (limits->no_owner && warn)
		log_warning("copy",
					"owners and privileges are left out: on %s there is no "
					"role %s that its user \"%s\" could give objects to",
					pgconn_label(target), PQgetvalue(result, 0, 0),
					PQuser(pgconn_raw(target)));
	PQclear(result);
	return rc;
}

static Rc
check_tablespaces(RestoreLimits *limits, const CopyCatalog *catalog,
				  PgConn *source, PgConn *target, bool warn, Error *err)
{
	PGresult *result = NULL;
	Rc rc = read_lacking(catalog, source, tablespaces_sql, target,
						 tablespaces_lacking_sql, &result, err);

	limits->no_tablespaces = rc == RC_OK && lacks(result);
	if (limits->no_tablespaces && warn)
		log_warning("copy",
					"everything goes to the default tablespace: on %s there "
					"is no tablespace %s to use",
					pgconn_label(target), PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static Rc
check_superuser(RestoreLimits *limits, PgConn *target, Error *err)
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

Rc
roles_read_limits(RestoreLimits *limits, const CopyCatalog *catalog,
				  PgConn *source, PgConn *target, bool warn, Error *err)
{
	Rc rc;

	*limits = (RestoreLimits){0};
	rc = check_roles(limits, catalog, source, target, warn, err);
	if (rc == RC_OK)
		rc = check_tablespaces(limits, catalog, source, target, warn, err);
	if (rc == RC_OK)
		rc = check_superuser(limits, target, err);
	return rc;
}
